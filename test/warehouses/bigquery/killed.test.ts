import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { normalizeTokens } from '../../../src/core/tokens.ts';
import { bigqueryDialect } from '../../../src/warehouses/bigquery/dialect.ts';
import { requireSound } from '../../faults/laws.ts';
import { someone } from '../../support/repository.ts';
import { type BigQueryPlace, openBigQuery, openStage, type Stage } from './place.ts';

const program = fileURLToPath(new URL('../../../bin/run.js', import.meta.url));

// `VIEWSYNC_KILLS=all` kills at every call that changes something, before and after it.
const isThorough = process.env['VIEWSYNC_KILLS'] === 'all';

/** Twelve views, each but the first on the one before it, with everything that a view can have spread over them. */
const chain = Array.from({ length: 12 }, (_, index) => {
  const source = index === 0 ? '`my-project.raw.orders`' : `shop.v${index}`;
  const options = `OPTIONS (description = 'number ${index + 1}', labels = [('position', '${index + 1}'), ('team', 'sales')])`;
  return `CREATE VIEW \`my-project.shop.v${index + 1}\` ${options} AS SELECT id, customer FROM ${source} WHERE id > ${index}`;
});

const tags = { names: ['projects/p/locations/eu/taxonomies/1/policyTags/2'] };

function decorate({ server, run, table }: BigQueryPlace): void {
  run(...chain, "GRANT `roles/bigquery.dataViewer` ON VIEW `my-project.shop.v3` TO 'group:buyers@example.com'");
  for (const name of ['v2', 'v5', 'v9']) {
    const view = table('shop', name);
    view.schema = view.schema.map((field) => (field.name === 'customer' ? { ...field, description: 'who buys', policyTags: tags } : field));
  }
  const raw = server.project.datasets.get('raw');
  if (raw) raw.access = ['v1', 'v4', 'v9'].map((tableId) => ({ view: { projectId: 'my-project', datasetId: 'shop', tableId } }));
}

/** What somebody else does between an export and an apply: queries, labels, rights and whole views go. */
function drift({ run, table }: BigQueryPlace): void {
  for (const name of ['v12', 'v11', 'v9']) run(`DROP VIEW \`my-project.shop.${name}\``);
  run(
    "CREATE OR REPLACE VIEW `my-project.shop.v2` OPTIONS (labels = [('mood', 'bad')]) AS SELECT id, customer, 1 AS more FROM shop.v1",
    'CREATE OR REPLACE VIEW `my-project.shop.v5` AS SELECT id, customer FROM shop.v4',
    "ALTER VIEW `my-project.shop.v7` SET OPTIONS (description = 'wrong')",
    "REVOKE `roles/bigquery.dataViewer` ON VIEW `my-project.shop.v3` FROM 'group:buyers@example.com'",
  );
  table('shop', 'v8').labels = { position: '80' };
}

/** The server's own catalog, with queries as their tokens. */
function catalogOf({ server }: BigQueryPlace): unknown {
  const datasets = [...server.project.datasets.values()];
  return structuredClone(
    datasets.map(({ id, access, tables }) => ({
      id,
      access: [...access].sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1)),
      tables: [...tables.values()]
        .filter((table) => table.id !== 'viewsync_lock')
        .sort((left, right) => (left.id < right.id ? -1 : 1))
        .map(({ etag: _, changes: __, query, labels, ...rest }) => ({
          ...rest,
          labels: Object.entries(labels).sort(),
          query: query === undefined ? undefined : normalizeTokens(query, bigqueryDialect),
        })),
    })),
  );
}

function configure(place: BigQueryPlace): void {
  const target = 'warehouse: bigquery\n    project: my-project\n    iam: true\n    endpoint: ${ENDPOINT}\n';
  writeFileSync(join(place.directory, 'viewsync.yaml'), `targets:\n  prod:\n    ${target}`);
  place.git('add', 'viewsync.yaml');
  place.git('commit', '--quiet', '--message', 'Configure');
}

interface Point {
  readonly number: number;
  readonly moment: 'before' | 'after';
}

/** Runs the built program and kills it at a change of the warehouse; returns how many there were. */
async function runKilled(
  { directory, server }: BigQueryPlace,
  args: readonly string[],
  point?: Point,
): Promise<{ readonly changes: number; readonly code: number | null; readonly stderr: string }> {
  server.changes.length = 0;
  const env = { ...someone, ENDPOINT: server.url };
  const child: ChildProcess = spawn(process.execPath, [program, ...args], { cwd: directory, env, stdio: ['ignore', 'ignore', 'pipe'] });
  server.onChange = (moment, number) => {
    if (number === point?.number && moment === point.moment) child.kill('SIGKILL');
  };
  const [[code], stderr] = await Promise.all([once(child, 'exit'), text(child.stderr as NonNullable<typeof child.stderr>)]);
  server.onChange = () => undefined;
  return { changes: server.changes.length, code, stderr };
}

function choosePoints(changes: number): readonly Point[] {
  const numbers = Array.from({ length: changes }, (_, index) => index + 1);
  const all = numbers.flatMap((number) => [
    { number, moment: 'before' as const },
    { number, moment: 'after' as const },
  ]);
  if (isThorough) return all;
  return [3, 7, all.length - 4].map((index) => all[index] as Point);
}

/** What was recorded, what somebody else made of it since, and what each point starts from anew, so that no point makes the next one slower. */
interface KillStage extends Stage {
  readonly recorded: unknown;
  readonly drifted: unknown;
  readonly changes: number;
}

async function setStage(): Promise<KillStage> {
  const place = await openBigQuery({ options: { iam: true } });
  decorate(place);
  await place.export();
  configure(place);
  const recorded = catalogOf(place);
  drift(place);
  const stage = { directory: place.directory, project: place.server.project, recorded, drifted: catalogOf(place) };
  const undisturbed = await openStage(stage, { options: { iam: true } });
  const whole = await runKilled(undisturbed, ['apply', 'HEAD', '--yes']);
  expect(whole.code, whole.stderr).toBe(0);
  expect(catalogOf(undisturbed)).toEqual(recorded);
  return { ...stage, changes: whole.changes };
}

/** Kills an apply at one point and ends what it left with one command. */
async function killAndEnd(stage: KillStage, point: Point, ending: 'apply' | 'rollback'): Promise<void> {
  const { recorded, drifted } = stage;
  const place = await openStage(stage, { options: { iam: true } });
  const head = place.git('rev-parse', 'HEAD');
  await runKilled(place, ['apply', 'HEAD', '--yes'], point);
  requireSound(place.directory);
  const { run } = await place.status();
  const hint = JSON.stringify({ point, ending, run });
  if (run)
    expect(run, hint).toMatchObject({
      command: 'apply',
      isRunning: false,
      holds: expect.stringMatching(/^(the state before|the planned state|something between)$/),
    });
  else expect([JSON.stringify(drifted), JSON.stringify(recorded)], hint).toContain(JSON.stringify(catalogOf(place)));
  if (run && ending === 'rollback') {
    await place.rollback();
    expect(catalogOf(place), hint).toEqual(drifted);
  }
  const isRolledBack = run !== undefined && ending === 'rollback';
  await place.apply(run && ending === 'apply' ? 'HEAD' : head, isRolledBack ? { allowed: ['WIDENS_ACCESS'] } : {});
  expect(catalogOf(place), hint).toEqual(recorded);
  expect(await place.status(), hint).toMatchObject({ differing: [] });
  expect((await place.export()).commit, hint).toBeUndefined();
  await place.server[Symbol.asyncDispose]();
  rmSync(place.directory, { recursive: true, force: true, maxRetries: 5 });
}

test('an apply that is killed is named, and one command brings either state with everything that belongs to the views', async () => {
  const stage = await setStage();
  const points = choosePoints(stage.changes).entries();
  // Two at a time, since a run and what ends it wait for processes most of the time.
  const worker = async () => {
    for (const [index, point] of points) await killAndEnd(stage, point, index % 2 === 0 ? 'rollback' : 'apply');
  };
  await Promise.all([worker(), worker()]);
}, 7_200_000);
