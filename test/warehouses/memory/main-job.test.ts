import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compareRelations } from '../../../src/core/relation.ts';
import { normalizeTokens } from '../../../src/core/tokens.ts';
import { openPlace, type Place } from '../../support/workplace.ts';
import { memoryDialect } from './dialect.ts';
import { createEngine, type Engine, run } from './engine.ts';
import { memoryAdapter } from './warehouse.ts';

const shop = [
  'CREATE VIEW main.shop.orders AS SELECT 1 AS id, 20 AS total',
  "CREATE VIEW main.shop.big AS -- more than ten\nSELECT id, total FROM main.shop.orders WHERE total > 10 # is 'ten' enough?",
  'CREATE VIEW main.shop.best AS SELECT id FROM main.shop.big',
  'CREATE VIEW main.shop.`Best` AS SELECT id FROM main.shop.best',
  'GRANT SELECT ON main.shop.big TO reader',
  "ALTER VIEW main.shop.big SET TAG owner = 'Ada''s'",
  'GRANT SELECT ON main.shop.best TO reader',
];

interface Shop extends Place {
  readonly engine: Engine;
}

async function openShop(): Promise<Shop> {
  const engine = createEngine('READER');
  for (const sql of shop) run(engine, sql);
  const target = { name: 'prod', warehouse: 'memory', scope: { schemas: ['*'] }, allowUnreadable: [], options: {} };
  return { engine, ...(await openPlace(target, () => memoryAdapter(engine).connect({}, {}))) };
}

/** The views sorted by name, their definitions as tokens: white space is the file's. */
function stateOf({ engine }: Shop) {
  const views = [...engine.views.values()].sort((left, right) => compareRelations(left.name, right.name));
  return views.map((view) => ({ ...view, definition: normalizeTokens(view.definition, memoryDialect) }));
}

const fileOf = ({ directory }: Shop, path: string) => readFileSync(join(directory, 'views/prod', path), 'utf8');

function editFile(place: Shop, path: string, change: (text: string) => string): void {
  writeFileSync(join(place.directory, 'views/prod', path), change(fileOf(place, path)));
}

/** Gives `best` and what it reads another column, which no replace can, while the role that both are granted to goes. */
async function failHalfWay(place: Shop): Promise<void> {
  await place.export();
  editFile(place, 'main/shop/big.sql', (text) => text.replace(/SELECT\s+id,\s+total/, 'SELECT\n  id,\n  total,\n  3 AS level'));
  place.git('commit', '--quiet', '--all', '--message', 'Add the level');
  const confirm = async () => place.engine.roles.delete('READER');
  await expect(place.apply('HEAD', { confirm })).rejects.toMatchObject({
    code: 'STEP_FAILED',
    exitCode: 2,
    message: expect.stringMatching(
      /^Step 7 of 9 \(alter MAIN\.SHOP\.BIG\) was refused: There is no role READER\. 6 of 9 steps were applied and stay, .* Putting back failed: There is no role READER/,
    ),
    suggestions: expect.arrayContaining(['viewsync status']),
    details: { report: { steps: expect.arrayContaining([expect.objectContaining({ outcome: 'applied' }), expect.objectContaining({ outcome: 'not run' })]) } },
  });
  place.engine.roles.add('READER');
}

test('every view has a file below its catalog, in lower case, with the comments of its definition', async () => {
  const place = await openShop();
  expect(await place.export()).toMatchObject({ subject: 'prod: baseline, 4 views', server: 'Memory 1' });
  expect(place.git('ls-files', 'views').split('\n')).toContain('views/prod/main/shop/b+e+s+t.sql');
  expect(fileOf(place, 'main/shop/big.sql')).toMatchInlineSnapshot(`
    "-- view: MAIN.SHOP.BIG
    -- reads: MAIN.SHOP.ORDERS
    -- columns: ID ANY
    --          TOTAL ANY

    CREATE OR REPLACE VIEW \`MAIN\`.\`SHOP\`.\`BIG\` AS
    -- more than ten
    SELECT
      id,
      total
    FROM
      main.shop.orders
    WHERE
      total > 10 # is 'ten' enough?
    ;

    GRANT SELECT ON \`MAIN\`.\`SHOP\`.\`BIG\` TO \`READER\`;
    ALTER VIEW \`MAIN\`.\`SHOP\`.\`BIG\` SET TAG \`OWNER\` = 'Ada''s';
    "
  `);
  expect((await place.export()).commit).toBeUndefined();
  expect((await place.plan('HEAD')).plan.steps).toEqual([]);
});

test('drift is seen and recorded, also of a comment behind the definition', async () => {
  const place = await openShop();
  await place.export();
  run(place.engine, 'CREATE OR REPLACE VIEW main.shop.best AS SELECT id FROM main.shop.big -- all');
  run(place.engine, 'REVOKE SELECT ON main.shop.big FROM reader');
  expect((await place.status()).differing).toMatchObject([
    { view: 'MAIN.SHOP.BEST', state: 'drift' },
    { view: 'MAIN.SHOP.BIG', state: 'drift' },
  ]);
  await place.export();
  expect(place.git('log', '-1', '--format=%B')).toContain('MAIN.SHOP.BEST: definition\nMAIN.SHOP.BIG: - grant READER');
  expect((await place.plan('HEAD')).plan.steps).toEqual([]);
});

test('HEAD brings back what was dropped, rollback undoes it, and rollback again redoes it', async () => {
  const place = await openShop();
  const before = stateOf(place);
  await place.export();
  for (const name of ['main.shop.`Best`', 'main.shop.best', 'main.shop.big']) run(place.engine, `DROP VIEW ${name}`);
  const left = stateOf(place);
  await place.apply('HEAD');
  expect(stateOf(place)).toEqual(before);
  await place.rollback();
  expect(stateOf(place)).toEqual(left);
  await place.rollback();
  expect(stateOf(place)).toEqual(before);
  expect(await place.status()).toMatchObject({ differing: [], views: 4 });
  expect(place.git('status', '--porcelain')).toBe('');
});

test('a replace keeps the tag that the warehouse would lose', async () => {
  const place = await openShop();
  await place.export();
  editFile(place, 'main/shop/big.sql', (text) => text.replace('total > 10', 'total > 11'));
  const { plan } = await place.apply('worktree');
  expect(plan.steps.map(({ kind, sql }) => `${kind}: ${sql.split(' ').slice(0, 2).join(' ')}`)).toEqual([
    'alter: ALTER VIEW',
    'replace: CREATE OR',
    'alter: ALTER VIEW',
  ]);
  expect(stateOf(place).find(({ name }) => name.name === 'BIG')).toMatchObject({ attachments: [{ kind: 'grant' }, { kind: 'tag', value: "Ada's" }] });
  expect((await place.status()).differing).toEqual([]);
});

test('a refused first step leaves nothing behind and says so', async () => {
  const place = await openShop();
  await place.export();
  run(place.engine, 'REVOKE SELECT ON main.shop.big FROM reader');
  const left = stateOf(place);
  const refused = place.apply('HEAD', { confirm: async () => place.engine.roles.delete('READER') });
  await expect(refused).rejects.toMatchObject({
    code: 'ROLLED_BACK',
    exitCode: 75,
    message: expect.stringMatching(/It was the first one; nothing changed\.$/),
  });
  expect(stateOf(place)).toEqual(left);
  expect((await place.status()).run).toBeUndefined();
});

test('a step that fails half way leaves the run open, and rollback brings the state before', async () => {
  const place = await openShop();
  const before = stateOf(place);
  await failHalfWay(place);
  expect(stateOf(place).flatMap(({ attachments }) => attachments)).toEqual([]);
  expect((await place.status()).run).toMatchObject({ command: 'apply', revision: 'HEAD', isRunning: false, holds: 'something between' });
  await expect(place.export()).rejects.toMatchObject({ code: 'INTERRUPTED_RUN' });
  await place.rollback();
  expect(stateOf(place)).toEqual(before);
  expect((await place.status()).run).toBeUndefined();
});

/** Changes `big` and grants `best` to a role that goes once the plan is made, so that the run fails between two steps of `big`. */
async function failBetween(place: Shop, options: Parameters<Shop['apply']>[1] = {}): Promise<unknown> {
  place.engine.roles.add('WRITER');
  await place.export();
  editFile(place, 'main/shop/big.sql', (text) => text.replace('total > 10', 'total > 11'));
  editFile(place, 'main/shop/best.sql', (text) => `${text}GRANT SELECT ON main.shop.best TO writer;\n`);
  const confirm = async () => place.engine.roles.delete('WRITER');
  return place.apply('worktree', { confirm, allowed: ['WIDENS_ACCESS'], ...options }).catch((error: unknown) => error);
}

test('what was applied before a failed step is put back, and nothing stays open', async () => {
  const place = await openShop();
  const before = stateOf(place);
  expect(await failBetween(place)).toMatchObject({
    code: 'STEP_FAILED',
    exitCode: 2,
    message: expect.stringMatching(/There is no role WRITER\. The 2 of 4 steps applied before were undone: every view is as it was before\.$/),
    details: { putBack: 'put back', report: { steps: [{ outcome: 'undone' }, { outcome: 'undone' }, { outcome: 'failed' }, { outcome: 'not run' }] } },
  });
  expect(stateOf(place)).toEqual(before);
  expect((await place.status()).run).toBeUndefined();
  expect((await place.export()).commit).toBeUndefined();
});

test('with keep going, nothing is undone, and what does not depend on the failed step is done', async () => {
  const place = await openShop();
  expect(await failBetween(place, { afterFailure: 'keep going' })).toMatchObject({
    code: 'STEP_FAILED',
    message: expect.stringMatching(/3 of 4 steps were applied and stay.* as before: MAIN\.SHOP\.BEST; as planned: MAIN\.SHOP\.BIG\.$/),
    details: { putBack: 'left' },
  });
  expect(stateOf(place).find(({ name }) => name.name === 'BIG')).toMatchObject({ attachments: [{ kind: 'grant' }, { kind: 'tag', value: "Ada's" }] });
  expect((await place.status()).run).toMatchObject({ holds: 'something between' });
});

test('an interrupted run stops between two steps and puts back what it changed', async () => {
  const place = await openShop();
  const before = stateOf(place);
  await place.export();
  editFile(place, 'main/shop/big.sql', (text) => text.replace('total > 10', 'total > 11'));
  const controller = new AbortController();
  const stopped = place.apply('worktree', { signal: controller.signal, onStep: () => controller.abort() });
  await expect(stopped).rejects.toMatchObject({
    code: 'STEP_FAILED',
    message: expect.stringContaining('interrupted. The 1 of 3 steps applied before were undone'),
  });
  expect(stateOf(place)).toEqual(before);
  expect((await place.status()).run).toBeUndefined();
});

test('one that is interrupted before its first step changes nothing, leaves no run open and says that it was interrupted', async () => {
  const place = await openShop();
  await place.export();
  editFile(place, 'main/shop/big.sql', (text) => text.replace('total > 10', 'total > 11'));
  const before = stateOf(place);
  const controller = new AbortController();
  const confirm = async () => {
    controller.abort();
    return true;
  };
  const stopped = place.apply('worktree', { signal: controller.signal, confirm });
  await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED', exitCode: 130, message: expect.stringMatching(/nothing changed\.$/) });
  expect(stateOf(place)).toEqual(before);
  expect((await place.status()).run).toBeUndefined();
  await place.apply('worktree');
  expect((await place.status()).differing).toEqual([]);
});

test('the same apply again goes on from there', async () => {
  const place = await openShop();
  await failHalfWay(place);
  await place.apply('HEAD');
  expect(stateOf(place).find(({ name }) => name.name === 'BIG')).toMatchObject({ columns: [{ name: 'ID' }, { name: 'TOTAL' }, { name: 'LEVEL' }] });
  expect(stateOf(place).map(({ attachments }) => attachments.length)).toEqual([1, 2, 0, 0]);
  expect(await place.status()).toMatchObject({ differing: [] });
  expect((await place.export()).commit).toBeUndefined();
});
