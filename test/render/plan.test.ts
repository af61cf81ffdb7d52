import { describe, expect, test } from 'vitest';
import type { Plan } from '../../src/core/plan.ts';
import type { MigrateResult } from '../../src/operations/migrate-script.ts';
import { noColors } from '../../src/render/colors.ts';
import { renderMigrated } from '../../src/render/migrate.ts';
import { renderPlan, renderScript } from '../../src/render/plan.ts';

const orders = { schema: 'shop', name: 'orders' };
const totals = { schema: 'shop', name: 'My Totals' };
const empty: Plan = {
  target: 'prod',
  steps: [],
  hazards: [],
  refusals: [],
  before: [],
  after: [],
  kept: [],
  left: [],
  watchers: [],
  reprinted: [],
  unproven: [],
};
const plan: Plan = {
  ...empty,
  steps: [
    { kind: 'drop', view: totals, sql: 'DROP VIEW shop."My Totals"', because: 'must be re-created: shop.orders loses a column' },
    { kind: 'replace', view: orders, sql: 'CREATE OR REPLACE VIEW shop.orders AS\nSELECT 1 AS a', because: 'the definition differs' },
    { kind: 'create', view: totals, sql: 'CREATE VIEW shop."My Totals" AS\nSELECT 2 AS b', because: 'was dropped' },
  ],
};

describe('a plan for people', () => {
  test('groups the steps by view and numbers them in the order in which they run', () => {
    expect(renderPlan(plan, noColors)).toMatchInlineSnapshot(`
      "Plan for prod: 3 steps on 2 views.

      shop."My Totals"
        - 1. drop (must be re-created: shop.orders loses a column)
            DROP VIEW shop."My Totals";
        + 3. create (was dropped)
            CREATE VIEW shop."My Totals" AS
            SELECT 2 AS b;

      shop.orders
        ~ 2. replace (the definition differs)
            CREATE OR REPLACE VIEW shop.orders AS
            SELECT 1 AS a;"
    `);
  });

  test('says so when there is nothing to do', () => {
    expect(renderPlan(empty, noColors)).toBe('Nothing to do: prod is as wanted.');
  });

  test('names what is kept, unproven, hazardous and refused', () => {
    const noted: Plan = {
      ...empty,
      kept: [orders],
      unproven: [{ view: totals, because: 'the role may not make temporary views' }],
      hazards: [{ name: 'DELETES_VIEW', view: orders, because: 'Drops shop.orders.' }],
      refusals: [{ view: totals, because: 'It reads shop.gone, which is not there.', suggestion: '--select +shop.totals' }],
    };
    expect(renderPlan(noted, noColors)).toMatchInlineSnapshot(`
      "No plan for prod is possible.

      Kept, although the revision does not have it (--prune drops it):
        shop.orders

      It could not be found out whether these really differ:
        shop."My Totals": the role may not make temporary views

      Hazards; each needs --allow and its name:
        DELETES_VIEW: Drops shop.orders.

      Refused; nothing can run as long as this is so:
        shop."My Totals": It reads shop.gone, which is not there.
          Try: --select +shop.totals"
    `);
  });
});

describe('a plan as a script', () => {
  test('holds every statement in order, byte for byte, in one transaction', () => {
    expect(renderScript(plan, { revision: 'HEAD', commit: '1f3a5c77d0e1f3a5c77d0e', isTransactional: true })).toMatchInlineSnapshot(`
      "-- viewsync plan of HEAD (1f3a5c77d0) for prod: 3 steps

      BEGIN;

      -- shop."My Totals": must be re-created: shop.orders loses a column
      DROP VIEW shop."My Totals";

      -- shop.orders: the definition differs
      CREATE OR REPLACE VIEW shop.orders AS
      SELECT 1 AS a;

      -- shop."My Totals": was dropped
      CREATE VIEW shop."My Totals" AS
      SELECT 2 AS b;

      COMMIT;
      "
    `);
  });

  test('cannot be led astray by a line break in a reason', () => {
    const steps = [{ kind: 'drop' as const, view: orders, sql: 'DROP VIEW shop.orders', because: 'one\nDROP TABLE t;' }];
    const lines = renderScript({ ...empty, steps }, { revision: 'HEAD', commit: undefined, isTransactional: false }).split('\n');
    expect(lines.filter((line) => !line.startsWith('--') && line !== '')).toEqual(['DROP VIEW shop.orders;']);
  });
});

describe('what a migration came to', () => {
  const result: MigrateResult = {
    target: 'prod',
    command: 'psql',
    revision: 'HEAD',
    isRehearsal: false,
    acts: [],
    restored: [],
    dropped: [],
    changes: [],
    broken: [],
    remote: 'no remote',
    pushed: false,
    notes: [],
    exitCode: 0,
  };
  const broken = [{ view: 'shop.notes', because: 'column "note" does not exist' }];

  test.each([
    ['no view had to make way', {}],
    ['2 views were made again', { restored: ['shop.big', 'shop.best'] }],
    ['1 view was made again, 1 no longer fits', { restored: ['shop.big'], broken }],
    ['0 views were made again, 2 no longer fit', { broken: [...broken, ...broken] }],
  ])('says in its headline: %s', (headline, part) => {
    expect(renderMigrated({ ...result, ...part }, noColors).split('\n')[0]).toBe(`Migrated "prod": the command ended with 0, ${headline}.`);
  });
});
