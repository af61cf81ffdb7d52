import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { noColors } from '../../../src/render/colors.ts';
import { isClean, renderStatus } from '../../../src/render/status.ts';
import { bigquery } from '../../../src/warehouses/bigquery/adapter.ts';
import { loadPackage } from '../../../src/warehouses/bigquery/driver.ts';
import { insertTable, patchDataset, patchTable } from '../../support/bigquery/project.ts';
import { Refusal } from '../../support/bigquery/resources.ts';
import { type BigQueryPlace, keepStage, openBigQuery, openStage, type Parts, type Stage } from './place.ts';

const shop = [
  'CREATE VIEW `my-project.shop.big` AS SELECT id, customer FROM `my-project.raw.orders` WHERE id > 10',
  "CREATE VIEW `my-project.shop.best` OPTIONS (labels = [('run', '1'), ('team', 'sales')]) AS SELECT customer FROM shop.big WHERE id > 100",
  'CREATE VIEW `my-project.other.one` AS SELECT 1 AS one',
];

let stage: Stage | undefined;

/** The shop, exported. */
async function openShop(parts: Parts = {}): Promise<BigQueryPlace> {
  // What is ignored decides what the files hold.
  if (stage && parts.target === undefined) return openStage(stage, parts);
  const place = await openBigQuery(parts);
  place.run(...shop);
  await place.export();
  if (parts.target === undefined) stage = keepStage(place);
  return place;
}

function edit(place: BigQueryPlace, name: string, change: (text: string) => string): void {
  const path = join(place.directory, 'views/prod/my-project/shop', `${name}.sql`);
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}

const raiseBoth = (place: BigQueryPlace) => {
  edit(place, 'big', (text) => text.replace('id > 10', 'id > 11'));
  edit(place, 'best', (text) => text.replace('id > 100', 'id > 101'));
};

const isPatchOf = (name: string, { method, path }: { method: string; path: string }) => method === 'PATCH' && path.endsWith(`/tables/${name}`);
const files = (place: BigQueryPlace) =>
  place
    .git('ls-files', 'views')
    .split('\n')
    .filter((path) => path.endsWith('.sql')).length;

describe('a listing that lacks something is no deletion', () => {
  test('a view that only one of the two lists has stops the export', async () => {
    const place = await openShop({ options: { patience: 1 } });
    place.server.hidden.add('shop.best');
    await expect(place.export()).rejects.toMatchObject({ code: 'LISTING_INCOMPLETE', exitCode: 69, message: expect.stringContaining('shop.best') });
    expect(files(place)).toBe(3);
  }, 20_000);

  test('a dataset whose catalog is closed is named view by view, and the others are read', async () => {
    const place = await openShop();
    place.server.closed.catalog.add('shop');
    place.run('CREATE VIEW `my-project.other.two` AS SELECT 2 AS two');
    const { unreadable, commit } = await place.export();
    expect(unreadable.map(({ name, reason }) => [name.name, reason.slice(0, 14)])).toEqual([
      ['best', 'Access Denied:'],
      ['big', 'Access Denied:'],
    ]);
    expect(commit).toBeDefined();
    expect(files(place)).toBe(4);
    place.server.closed.catalog.clear();
    expect((await place.status()).differing).toEqual([]);
  });

  test('a dataset that shows neither list takes no file away', async () => {
    const place = await openShop();
    place.server.closed.catalog.add('shop');
    place.server.closed.list.add('shop');
    await place.export().catch((error: unknown) => expect(error).toMatchObject({ code: 'MANY_DELETIONS' }));
    expect(files(place)).toBe(3);
  });

  test.each(['shows', 'hides'] as const)('a dataset that somebody else shares is left out, whether the catalog %s it, and stops nothing', async (how) => {
    const place = await openBigQuery();
    place.run('CREATE VIEW `my-project.far.theirs` AS SELECT 1 AS one', 'CREATE VIEW `my-project.shop.ours` AS SELECT one FROM `my-project.far.theirs`');
    place.server.linked.add('far');
    if (how === 'hides') place.server.hidden.add('far.theirs');
    expect((await place.export()).subject).toBe('prod: baseline, 1 view');
    place.run('DROP VIEW `my-project.shop.ours`');
    await place.apply('HEAD');
    expect(place.table('shop', 'ours').query).toContain('theirs');
  });

  test('a dataset that is not listed any more takes no file away', async () => {
    const place = await openShop();
    place.server.project.datasets.delete('shop');
    const status = await place.status();
    expect([isClean(status), status.unproven.map(({ name }) => name.name)]).toEqual([false, ['best', 'big']]);
    expect(renderStatus(status, noColors)).toMatch(/shop\.big is gone, or hidden from this role: .*\n\n.*viewsync apply HEAD makes what is gone again/s);
    await place.export().catch((error: unknown) => expect(error).toMatchObject({ code: 'MANY_DELETIONS' }));
    expect(files(place)).toBe(3);
  });
});

describe('an apply', () => {
  test('a view that somebody changes between plan and patch is left to them', async () => {
    const place = await openShop();
    edit(place, 'big', (text) => text.replace('id > 10', 'id > 11'));
    const theirs = 'SELECT id, customer FROM `my-project.raw.orders` WHERE id > 12';
    place.server.fail = (call) => {
      if (isPatchOf('big', call)) patchTable(place.server.project, place.table('shop', 'big'), { view: { query: theirs } });
      return undefined;
    };
    await expect(place.apply('worktree')).rejects.toMatchObject({ code: 'WAREHOUSE_MOVED', exitCode: 75, message: expect.stringContaining('nothing changed') });
    expect(place.table('shop', 'big').query).toBe(theirs);
    place.server.fail = () => undefined;
    expect((await place.status()).run).toBeUndefined();
  });

  test('a view that somebody changes is not dropped either', async () => {
    const place = await openShop();
    place.run('CREATE VIEW `my-project.shop.new` AS SELECT 1 AS one');
    let looks = 0;
    place.server.fail = ({ method, path }) => {
      // The first look is the one that the plan is compared after.
      if (method === 'GET' && path.endsWith('/tables/new') && ++looks === 2) {
        patchTable(place.server.project, place.table('shop', 'new'), { description: 'mine' });
      }
      return undefined;
    };
    const pruned = place.apply('HEAD', { absent: 'drop', allowed: ['DELETES_VIEW'] });
    await expect(pruned).rejects.toMatchObject({ code: 'WAREHOUSE_MOVED', message: expect.stringContaining('nothing changed') });
    expect(place.table('shop', 'new').description).toBe('mine');
  });

  test('what was changed before a failed step is put back, and the run is closed', async () => {
    const place = await openShop();
    raiseBoth(place);
    place.server.fail = (call) => (isPatchOf('best', call) ? new Refusal(400, 'invalid', 'No.') : undefined);
    await expect(place.apply('worktree')).rejects.toMatchObject({
      code: 'STEP_FAILED',
      message: expect.stringMatching(/No\. The 1 of 2 steps applied before were undone/),
    });
    expect(place.table('shop', 'big').query).toContain('id > 10');
    expect((await place.status()).run).toBeUndefined();
  });

  test('rate limits, snapshot times and errors of the server are tried again', async () => {
    const place = await openShop();
    raiseBoth(place);
    place.server.project.quota = { changes: 1, window: 300 };
    const refusals = [
      new Refusal(503, 'backendError', 'Try again'),
      new Refusal(400, 'invalidQuery', 'Invalid snapshot time 1 for Table t'),
      new Refusal(403, 'rateLimitExceeded', 'Exceeded rate limits'),
    ];
    place.server.fail = (call) => (isPatchOf('best', call) ? refusals.shift() : undefined);
    await place.apply('worktree');
    expect(refusals).toEqual([]);
    expect(place.table('shop', 'best').query).toContain('id > 101');
  }, 20_000);

  test('a statement whose job fails for a moment is run again, and one that fails for good is not', async () => {
    const place = await openShop();
    place.run('DROP VIEW `my-project.shop.best`');
    const jobs = [
      new Refusal(403, 'rateLimitExceeded', 'Exceeded rate limits: too many table update operations'),
      new Refusal(400, 'invalidQuery', 'Invalid snapshot time 1'),
    ];
    place.server.failJob = (sql) => (sql.includes('`best`') ? jobs.shift() : undefined);
    await place.apply('HEAD');
    expect(jobs).toEqual([]);
    expect(place.server.changes.filter((change) => change.startsWith('CREATE'))).toHaveLength(3);
    place.run('DROP VIEW `my-project.shop.best`');
    place.server.changes.length = 0;
    place.server.failJob = () => new Refusal(403, 'accessDenied', 'Access Denied: Permission bigquery.tables.create denied');
    await expect(place.apply('HEAD')).rejects.toMatchObject({ code: 'ROLLED_BACK', message: expect.stringContaining('tables.create denied') });
    expect(place.server.changes.filter((change) => change.startsWith('CREATE'))).toHaveLength(1);
  }, 20_000);

  test('an access list that somebody writes in between keeps what they wrote', async () => {
    const place = await openShop({ options: { iam: true } });
    const raw = place.server.project.datasets.get('raw');
    if (!raw) throw new Error('There is no dataset.');
    raw.access = [{ role: 'OWNER', userByEmail: 'boss@example.com' }];
    edit(place, 'big', (text) => `${text}-- viewsync: {"view":"my-project.shop.big","authorizedBy":"my-project.raw"}\n`);
    let writes = 0;
    place.server.fail = ({ method, path }) => {
      if (method === 'PATCH' && path.endsWith('/datasets/raw') && ++writes === 1)
        patchDataset(raw, {
          access: [
            { role: 'OWNER', userByEmail: 'boss@example.com' },
            { role: 'READER', userByEmail: 'new@example.com' },
          ],
        });
      return undefined;
    };
    await place.apply('worktree', { allowed: ['WIDENS_ACCESS'] });
    expect(writes).toBe(2);
    expect(raw.access).toEqual([
      { role: 'OWNER', userByEmail: 'boss@example.com' },
      { role: 'READER', userByEmail: 'new@example.com' },
      { view: { projectId: 'my-project', datasetId: 'shop', tableId: 'big' } },
    ]);
  });

  test('policy tags that this account may not set fail their view, which is then as it was', async () => {
    const place = await openShop();
    const before = structuredClone(place.table('shop', 'big'));
    edit(
      place,
      'big',
      (text) =>
        `${text.replace('id > 10', 'id > 11')}-- viewsync: {"view":"my-project.shop.big","column":"id","policyTags":["projects/p/locations/eu/taxonomies/1/policyTags/2"]}\n`,
    );
    place.server.lacking.add('bigquery.tables.setCategory');
    await expect(place.apply('worktree')).rejects.toMatchObject({ code: 'ROLLED_BACK', message: expect.stringContaining('setCategory denied') });
    const { etag: _, changes: __, query, ...after } = place.table('shop', 'big');
    expect(before).toMatchObject(after);
    expect(query?.replace(/\s+/g, ' ')).toBe(before.query?.replace(/\s+/g, ' '));
    expect((await place.status()).run).toBeUndefined();
  });

  test('gives up when the time for that is over', async () => {
    const place = await openShop({ options: { patience: 0.5 } });
    edit(place, 'big', (text) => text.replace('id > 10', 'id > 11'));
    place.server.fail = (call) => (isPatchOf('big', call) ? new Refusal(403, 'rateLimitExceeded', 'Exceeded rate limits') : undefined);
    await expect(place.apply('worktree')).rejects.toMatchObject({ message: expect.stringContaining('Exceeded rate limits') });
    expect(place.table('shop', 'big').query).toContain('id > 10');
  });

  test('a lock that expired, or whose process is gone, is taken over', async () => {
    const place = await openShop();
    const dataset = place.server.project.datasets.get('far');
    if (!dataset) throw new Error('There is no dataset.');
    const lock = (expirationTime: number) =>
      insertTable(place.server.project, dataset, 'viewsync_lock', {
        labels: { viewsync_host: 'elsewhere', viewsync_process: '1' },
        expirationTime: String(expirationTime),
      });
    edit(place, 'big', (text) => text.replace('id > 10', 'id > 11'));
    lock(Date.now() + 60_000);
    await expect(place.apply('worktree')).rejects.toMatchObject({ code: 'RUN_IN_PROGRESS' });
    dataset.tables.delete('viewsync_lock');
    lock(Date.now() - 1);
    await place.apply('worktree');
    expect([...dataset.tables.keys()]).toEqual([]);
  });
});

describe('rights', () => {
  test('an access list that is not shown is never written, and a right that no GRANT can give keeps its view from being dropped', async () => {
    const place = await openShop({ options: { iam: true } });
    const raw = place.server.project.datasets.get('raw');
    if (!raw) throw new Error('There is no dataset.');
    raw.access = [{ role: 'OWNER', userByEmail: 'boss@example.com' }];
    edit(place, 'big', (text) => `${text}-- viewsync: {"view":"my-project.shop.big","authorizedBy":"my-project.raw"}\n`);
    place.server.lacking.add('bigquery.datasets.get');
    const options = { allowed: ['WIDENS_ACCESS'] as const };
    await expect(place.apply('worktree', options)).rejects.toMatchObject({ message: expect.stringContaining('not shown to this account') });
    expect(raw.access).toEqual([{ role: 'OWNER', userByEmail: 'boss@example.com' }]);
    place.server.lacking.clear();
    await place.apply('worktree', options);
    expect(raw.access).toEqual([{ role: 'OWNER', userByEmail: 'boss@example.com' }, { view: { projectId: 'my-project', datasetId: 'shop', tableId: 'big' } }]);
    place.table('shop', 'best').bindings = [{ role: 'roles/bigquery.dataViewer', members: ['user:ada@example.com'], condition: { title: 'until May' } }];
    const { snapshot } = await (await place.connect()).inspect({ schemas: ['*'] });
    expect(snapshot.views.flatMap(({ unrestorable }) => unrestorable)).toEqual([
      'the role roles/bigquery.dataViewer of user:ada@example.com under the condition "until May"',
    ]);
  });
});

describe('metadata that tools leave behind', () => {
  test('ignored labels stay out of files and survive a replace; what a running dbt makes is left out', async () => {
    const place = await openShop({ target: { ignore: { comments: [], labels: ['run*'] } } });
    place.run('CREATE VIEW `my-project.shop.big__dbt_tmp` AS SELECT 1 AS one');
    place.table('shop', 'best').labels = { run: '2', team: 'sales' };
    expect((await place.status()).differing).toEqual([]);
    edit(place, 'best', (text) => text.replace('id > 100', 'id > 101'));
    await place.apply('worktree');
    expect(place.table('shop', 'best')).toMatchObject({ labels: { run: '2', team: 'sales' }, query: expect.stringContaining('id > 101') });
    expect(place.git('grep', '-c', 'team', 'HEAD', '--', 'views')).toContain('best.sql');
    expect(files(place)).toBe(3);
  });
});

describe('who changed it', () => {
  test('is asked of the jobs, only for views that changed, and told in the commit and the log', async () => {
    const place = await openShop();
    const asked = () => place.server.calls.filter(({ body }) => body?.query?.includes('.JOBS')).length;
    expect(asked()).toBe(0);
    await place.export();
    expect(asked()).toBe(0);
    place.run('CREATE OR REPLACE VIEW `my-project.shop.big` AS SELECT id, customer FROM `my-project.raw.orders` WHERE id > 12');
    await place.export();
    expect(asked()).toBe(1);
    expect(place.git('log', '-1', '--format=%B')).toContain('Viewsync-Changed-By: "my-project".shop.big ada@example.com');
  });
});

describe('connecting', () => {
  test('options are checked, and a missing project is one fault', () => {
    const faults = (options: Record<string, unknown>) => bigquery.validateOptions(options).map(({ path, message }) => `${path.join('.')}: ${message}`);
    expect(faults({ project: 'p', iam: true, patience: 10 })).toEqual([]);
    expect(faults({ porject: 'p', iam: 'yes', patience: 0 })).toEqual([
      expect.stringContaining('needs "project"'),
      expect.stringContaining('Did you mean "project"?'),
      expect.stringContaining('true or false'),
      expect.stringContaining('number of seconds'),
    ]);
  });

  test('jobs say who asks and for which command', async () => {
    const place = await openBigQuery();
    const warehouse = await bigquery.connect(place.target.options, {}, { command: 'apply' });
    place.run(...shop);
    const { snapshot } = await warehouse.inspect({ schemas: ['*'] });
    await warehouse.settle(snapshot.views.map((live) => ({ live, wanted: { ...live, definition: `${live.definition} LIMIT 7` } })));
    const view = { catalog: 'my-project', schema: 'shop', name: 'new' };
    await warehouse.transact({ lockTimeout: 100, attempts: 1, locks: [] }, async (transaction) => {
      await transaction.execute([{ kind: 'create', view, sql: 'CREATE VIEW `my-project`.`shop`.`new`\nAS\nSELECT 1 AS one\n', because: 'new' }]);
      await transaction.findBroken?.([view]);
    });
    const jobs = place.server.calls.filter(({ method, path }) => method === 'POST' && /\/(queries|jobs)$/.test(path));
    expect([...new Set(jobs.map(({ path }) => path.split('/').at(-1)))].sort()).toEqual(['jobs', 'queries']);
    for (const { body, headers } of jobs) {
      expect(body.labels ?? body.configuration.labels).toEqual({ tool: 'viewsync', command: 'apply' });
      expect(body.location ?? body.jobReference.location).toMatch(/^(EU|US|europe-west1)$/);
      expect(body.useLegacySql ?? body.configuration.query.useLegacySql).toBe(false);
      expect(headers['user-agent']).toMatch(/^viewsync /);
      expect(headers.authorization).toBeUndefined();
    }
  });

  test('a client that is not installed is named with the command that installs it', async () => {
    const missing = loadPackage(() => import('@google-cloud/not-there' as string));
    await expect(missing).rejects.toMatchObject({ code: 'DRIVER_MISSING', suggestions: expect.arrayContaining(['npm install @google-cloud/bigquery']) });
  });

  test('a server that does not answer, and one that does not know us, are told apart', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((done) => closed.once('listening', done));
    const { port } = closed.address() as { port: number };
    await new Promise((done) => closed.close(done));
    const silent = await bigquery.connect({ project: 'my-project', endpoint: `http://127.0.0.1:${port}`, patience: 0.1 }, {});
    await expect(silent.inspect({ schemas: ['*'] })).rejects.toMatchObject({ code: 'CONNECTION_FAILED', message: expect.stringContaining('ECONNREFUSED') });
    const place = await openBigQuery();
    place.server.fail = () => new Refusal(401, 'authError', 'Request had invalid authentication credentials.');
    const unknown = await place.connect();
    await expect(unknown.inspect({ schemas: ['*'] })).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      suggestions: expect.arrayContaining(['gcloud auth application-default login']),
    });
  });

  test('doctor names each missing permission with what is lost and what to ask for', async () => {
    const place = await openShop({ options: { iam: true } });
    const { server } = place;
    const examine = async () => {
      const warehouse = await place.connect();
      return (await warehouse.examine()).findings.map(({ found, suggestions }) => `${found} ${suggestions[0]}`);
    };
    expect(await examine()).toEqual([]);
    server.closed.list.add('other');
    for (const permission of ['bigquery.tables.update', 'bigquery.tables.setIamPolicy', 'bigquery.datasets.get']) server.lacking.add(permission);
    expect(await examine()).toEqual([
      expect.stringMatching(
        /lacks bigquery\.tables\.list on other.*GRANT `roles\/bigquery\.metadataViewer` ON SCHEMA `my-project`\.`other` TO 'serviceAccount:robot@my-project\.iam/,
      ),
      expect.stringMatching(/lacks bigquery\.datasets\.get.*authorized.*roles\/bigquery\.dataOwner/),
      expect.stringMatching(/lacks bigquery\.tables\.update on views in shop: they cannot be changed.*roles\/bigquery\.dataEditor/),
      expect.stringMatching(/lacks bigquery\.tables\.setIamPolicy.*roles\/bigquery\.dataOwner/),
    ]);
    server.lacking.clear();
    server.lacking.add('bigquery.tables.setCategory');
    expect(await examine()).toHaveLength(1);
    const big = place.table('shop', 'big');
    big.schema = big.schema.map((field) => ({ ...field, policyTags: { names: ['projects/p/locations/eu/taxonomies/1/policyTags/2'] } }));
    expect((await examine())[1]).toMatch(/lacks bigquery\.tables\.setCategory on views in shop: policy tags.*roles\/bigquery\.dataOwner/);
    server.fail = ({ path }) => (path.endsWith('/jobs') ? new Refusal(403, 'accessDenied', 'Access Denied: bigquery.jobs.create') : undefined);
    expect((await examine())[0]).toMatch(/lacks bigquery\.jobs\.create.*roles\/bigquery\.jobUser/);
  });
});

describe('a connection that breaks', () => {
  test.each(['before', 'after'] as const)('a call is sent again when it broke %s the change, and the change is made once', async (moment) => {
    const place = await openShop();
    edit(place, 'big', (text) => text.replace('id > 10', 'id > 11'));
    let broken = 0;
    place.server.onChange = (when, _, change) => {
      if (when !== moment || broken === 1 || change.includes('lock')) return;
      broken += 1;
      place.server.drop();
    };
    await place.apply('worktree');
    expect(broken).toBe(1);
    expect(place.table('shop', 'big').query).toContain('id > 11');
    expect((await place.status()).differing).toEqual([]);
  });
});
