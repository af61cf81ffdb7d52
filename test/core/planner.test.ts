import { describe, expect, test } from 'vitest';
import { type Description, type PlanRequest, planChanges } from '../../src/core/planner.ts';
import { relationKey } from '../../src/core/relation.ts';
import type { View } from '../../src/core/view.ts';
import { commentAttachment, optionAttachment, ownerAttachment, populatedAttachment, ruleAttachment } from '../../src/warehouses/postgres/attachments.ts';
import { postgresDialect } from '../../src/warehouses/postgres/dialect.ts';
import { grantAttachment } from '../../src/warehouses/postgres/grant-attachments.ts';
import { name, view } from '../support/views.ts';

type Parts = Partial<Omit<PlanRequest, 'described'>> & { described?: Record<string, Description> };

function request(live: readonly View[], wanted: readonly View[], parts: Parts = {}): PlanRequest {
  const { described = {}, ...rest } = parts;
  return {
    target: 'prod',
    dialect: postgresDialect,
    live,
    wanted,
    drops: [],
    kept: [],
    described: new Map(Object.entries(described)),
    containers: [],
    roles: ['owner', 'reporting'],
    relations: new Set(['shop.t', 'shop.u', ...live.map(({ name }) => relationKey(name))]),
    available: new Set(wanted.map(({ name }) => relationKey(name))),
    sizes: new Map(),
    exported: new Map(),
    rowSecurity: { bypassing: new Set(), exempt: new Map() },
    allowed: [],
    ...rest,
  };
}

const plan = (live: readonly View[], wanted: readonly View[], parts: Parts = {}) => planChanges(request(live, wanted, parts));
const acts = (found: ReturnType<typeof plan>) => found.steps.map(({ kind, view }) => `${kind} ${relationKey(view)}`);
const different = (...columns: string[]): Description => ({ outcome: 'different', columns: view('shop.x', { columns }).columns });

describe('a plan', () => {
  test('is empty when nothing differs but white space and the case of keywords', () => {
    const found = plan([view('shop.a', { definition: ' SELECT id\n   FROM shop.t' })], [view('shop.a', { definition: 'select id FROM shop.t' })]);
    expect(found.steps).toEqual([]);
  });

  test('is empty for a definition that the server holds for the same', () => {
    const wanted = view('shop.a', { definition: 'SELECT t.id FROM shop.t' });
    const found = plan([view('shop.a')], [wanted], { described: { 'shop.a': { outcome: 'same', columns: wanted.columns } } });
    expect(found.steps).toEqual([]);
    expect(found.reprinted).toEqual([name('shop.a')]);
  });

  test('replaces one view, whatever reads it, when its columns stay', () => {
    const chain = Array.from({ length: 500 }, (_, index) => view(`shop.v${index}`, { reads: [index === 0 ? 'shop.t' : `shop.v${index - 1}`] }));
    const changed = view('shop.v0', { definition: 'SELECT id FROM shop.t WHERE id > 0' });
    const found = plan(chain, [changed, ...chain.slice(1)], { described: { 'shop.v0': different('id integer') } });
    expect(found.steps).toEqual([
      {
        kind: 'replace',
        view: name('shop.v0'),
        because: 'its definition differs',
        sql: 'CREATE OR REPLACE VIEW shop.v0 AS\nSELECT id FROM shop.t WHERE id > 0',
      },
    ]);
  });

  test('restates every option when it replaces', () => {
    const options = { attachments: [optionAttachment(view('shop.a'), 'security_invoker', 'true')] };
    const found = plan([view('shop.a', options)], [view('shop.a', { ...options, definition: 'SELECT 1 AS id' })], {
      described: { 'shop.a': different('id integer') },
    });
    expect(found.steps.map(({ sql }) => sql)).toEqual(['CREATE OR REPLACE VIEW shop.a\nWITH (security_invoker = true) AS\nSELECT 1 AS id']);
  });

  test('alters without a CREATE when only options, comments or grants differ', () => {
    const relation = view('shop.a');
    const wanted = view('shop.a', {
      attachments: [
        optionAttachment(relation, 'security_barrier', 'true'),
        grantAttachment(relation, { privilege: 'SELECT', grantee: 'reporting', grantable: false }),
        commentAttachment(relation, { on: 'relation' }, 'new'),
      ],
    });
    const live = view('shop.a', { attachments: [commentAttachment(relation, { on: 'relation' }, 'old')] });
    expect(plan([live], [wanted]).steps.map(({ sql }) => sql)).toEqual([
      'ALTER VIEW shop.a SET (security_barrier = true)',
      'GRANT SELECT ON shop.a TO reporting',
      "COMMENT ON VIEW shop.a IS 'new'",
    ]);
  });

  test('drops the closure in reverse order and creates it in order when a column changes its type', () => {
    const live = [view('shop.a'), view('shop.b', { reads: ['shop.a'] }), view('shop.c', { reads: ['shop.b', 'shop.a'] }), view('shop.d')];
    const wanted = [view('shop.a', { definition: 'SELECT id::text AS id FROM shop.t', columns: ['id text'] }), ...live.slice(1)];
    const found = plan(live, wanted, { described: { 'shop.a': different('id text') } });
    expect(acts(found)).toEqual(['drop shop.c', 'drop shop.b', 'drop shop.a', 'create shop.a', 'create shop.b', 'create shop.c']);
    expect(found.steps[0]?.because).toBe('must be re-created: it reads shop.a, which has to be dropped and made again');
  });

  test('re-creates a dependent outside of the request from its live state, with all that belongs to it', () => {
    const outside = view('other.b', { reads: ['shop.a'] });
    const live = [view('shop.a'), { ...outside, attachments: [ownerAttachment(outside, 'owner'), commentAttachment(outside, { on: 'relation' }, 'kept')] }];
    const found = plan(live, [view('shop.a', { definition: 'SELECT 1::text AS id' })], { described: { 'shop.a': different('id text') } });
    expect(acts(found)).toEqual(['drop other.b', 'drop shop.a', 'create shop.a', 'create other.b', 'alter other.b', 'alter other.b']);
    expect(found.steps.slice(-2).map(({ sql }) => sql)).toEqual(['ALTER VIEW other.b OWNER TO owner', "COMMENT ON VIEW other.b IS 'kept'"]);
  });

  test('sets the owner, takes away what default privileges gave, and only then grants', () => {
    const relation = view('shop.a');
    const attachments = [ownerAttachment(relation, 'owner'), grantAttachment(relation, { privilege: 'SELECT', grantee: 'reporting', grantable: false })];
    const found = plan([], [view('shop.a', { attachments })], { containers: [{ name: 'shop', defaultGrantees: ['intern', 'PUBLIC'] }] });
    expect(found.steps.map(({ sql }) => sql)).toEqual([
      'CREATE VIEW shop.a AS\nSELECT id FROM shop.t',
      'ALTER VIEW shop.a OWNER TO owner',
      expect.stringMatching(/^REVOKE ALL ON shop\.a FROM /),
      expect.stringMatching(/^REVOKE ALL ON shop\.a FROM /),
      'GRANT SELECT ON shop.a TO reporting',
    ]);
  });

  test('turns round a dependency that was the other way before', () => {
    const live = [view('shop.x', { reads: ['shop.y'] }), view('shop.y')];
    const wanted = [view('shop.x'), view('shop.y', { reads: ['shop.x'] })];
    expect(acts(plan(live, wanted, { described: { 'shop.x': different('id integer'), 'shop.y': different('id integer') } }))).toEqual([
      'replace shop.x',
      'replace shop.y',
    ]);
  });

  test('breaks a circle with a placeholder', () => {
    const wanted = [view('shop.a', { reads: ['shop.b'] }), view('shop.b', { reads: ['shop.a'] })];
    const found = plan([], wanted);
    expect(acts(found)).toEqual(['create shop.a', 'create shop.b', 'replace shop.a', 'replace shop.b']);
    expect(found.steps[0]?.sql).toContain('NULL::integer');
  });

  test('refuses a circle whose columns nobody knows', () => {
    const wanted = [{ ...view('shop.a', { reads: ['shop.a'] }), columns: [] }];
    expect(plan([], wanted).refusals.map(({ because }) => because)).toEqual([expect.stringContaining('part of a circle')]);
  });

  test('drops a circle by way of placeholders', () => {
    const live = [view('shop.a', { reads: ['shop.b'] }), view('shop.b', { reads: ['shop.a'] })];
    const found = plan(live, [], { drops: [name('shop.a'), name('shop.b')] });
    expect(acts(found)).toEqual(['replace shop.a', 'replace shop.b', 'drop shop.a', 'drop shop.b']);
  });

  test('orders a ladder of 2 to the 26 paths', () => {
    const ladder = Array.from({ length: 26 }, (_, layer) =>
      ['a', 'b'].map((side) => view(`shop.${side}${layer}`, { reads: layer === 0 ? ['shop.t'] : [`shop.a${layer - 1}`, `shop.b${layer - 1}`] })),
    ).flat();
    const found = plan([], ladder.toReversed());
    expect(acts(found).slice(0, 4)).toEqual(['create shop.a0', 'create shop.b0', 'create shop.a1', 'create shop.b1']);
    expect(found.steps).toHaveLength(52);
  });

  test('orders a chain of ten thousand', () => {
    const chain = Array.from({ length: 10_000 }, (_, index) => view(`shop.v${index}`, { reads: [index === 0 ? 'shop.t' : `shop.v${index - 1}`] }));
    expect(plan([], chain).steps.at(-1)?.view.name).toBe('v9999');
  });

  test('renames a column instead of replacing when nothing else differs', () => {
    const relation = view('shop.a');
    const live = view('shop.a', { attachments: [commentAttachment(relation, { on: 'column', name: 'id' }, 'key')] });
    const wanted = view('shop.a', {
      definition: 'SELECT id AS key FROM shop.t',
      attachments: [commentAttachment(relation, { on: 'column', name: 'key' }, 'key')],
    });
    const described: Description = { outcome: 'different', columns: [{ name: 'key', type: 'integer' }], renamed: [{ from: 'id', to: 'key' }] };
    expect(plan([live], [wanted], { described: { 'shop.a': described } }).steps.map(({ sql }) => sql)).toEqual(['ALTER VIEW shop.a RENAME COLUMN id TO key']);
  });

  test('re-creates a materialized view and says how large it is', () => {
    const populated = { kind: 'materialized view', attachments: [populatedAttachment(view('shop.m', { kind: 'materialized view' }), 'populated')] } as const;
    const found = plan([view('shop.m', populated)], [view('shop.m', { ...populated, definition: 'SELECT 2 AS id' })], {
      described: { 'shop.m': different('id integer') },
      sizes: new Map([['shop.m', 8192]]),
    });
    expect(acts(found)).toEqual(['drop shop.m', 'create shop.m', 'refresh shop.m']);
    expect(found.hazards).toMatchObject([{ name: 'REBUILDS_MATERIALIZED_VIEW', because: expect.stringContaining('8 kB') }]);
  });

  test('creates a populated materialized view and its index without a hazard when it is gone', () => {
    const populated = { kind: 'materialized view', attachments: [populatedAttachment(view('shop.m', { kind: 'materialized view' }), 'populated')] } as const;
    const found = plan([], [view('shop.m', populated)]);
    expect(found.hazards).toEqual([]);
    expect(acts(found)).toEqual(['create shop.m', 'refresh shop.m']);
  });

  test('prunes last, after what used to read the view', () => {
    const live = [view('shop.old'), view('shop.a', { reads: ['shop.old'] })];
    const found = plan(live, [view('shop.a')], { drops: [name('shop.old')], described: { 'shop.a': different('id integer') } });
    expect(acts(found)).toEqual(['replace shop.a', 'drop shop.old']);
    expect(found.hazards.map((hazard) => hazard.name)).toEqual(['DELETES_VIEW']);
  });

  test('takes a rule off that stands in the way of a drop and puts it back', () => {
    const relation = view('shop.keeper');
    const rule = ruleAttachment(relation, 'log', 'CREATE RULE log AS ON INSERT TO shop.keeper DO INSTEAD INSERT INTO shop.a VALUES (1);');
    const live = [view('shop.a'), view('shop.keeper', { attachments: [rule] })];
    const found = plan(live, [view('shop.a', { definition: "SELECT 'x' AS id" })], { described: { 'shop.a': different('id text') } });
    expect(found.steps.map(({ sql }) => sql.split('\n')[0])).toEqual([
      'DROP RULE log ON shop.keeper',
      'DROP VIEW shop.a',
      'CREATE VIEW shop.a AS',
      rule.make.split('\n')[0],
    ]);
  });

  test('makes anew what goes with something that is removed or made anew', () => {
    const relation = view('shop.a');
    const rule = (event: string) => ruleAttachment(relation, 'log', `CREATE RULE log AS ON ${event} TO shop.a DO INSTEAD NOTHING`);
    const comment = commentAttachment(relation, { on: 'rule', name: 'log' }, 'why');
    const right = (column?: string) => grantAttachment(relation, { privilege: 'SELECT', column, grantee: 'reporting', grantable: false });
    const live = [view('shop.a', { attachments: [rule('INSERT'), right(), right('id'), comment] })];
    const wanted = [view('shop.a', { attachments: [rule('DELETE'), right('id'), comment] })];
    expect(plan(live, wanted).steps.map(({ sql, because }) => [sql, because])).toEqual([
      ['REVOKE SELECT ON shop.a FROM reporting', 'the grant reporting SELECT is not wanted'],
      ['DROP RULE log ON shop.a', 'the rule log is not wanted'],
      ['CREATE RULE log AS ON DELETE TO shop.a DO INSTEAD NOTHING', 'its rule log differs'],
      ['GRANT SELECT (id) ON shop.a TO reporting', 'its grant reporting SELECT (id) is missing'],
      ["COMMENT ON RULE log ON shop.a IS 'why'", 'its comment rule log is missing'],
    ]);
  });

  test('leaves what goes with something that is removed to the server', () => {
    const relation = view('shop.a');
    const attachments = [
      ruleAttachment(relation, 'log', 'CREATE RULE log AS ON DELETE TO shop.a DO INSTEAD NOTHING'),
      commentAttachment(relation, { on: 'rule', name: 'log' }, 'why'),
    ];
    expect(plan([view('shop.a', { attachments })], [relation]).steps.map(({ sql }) => sql)).toEqual(['DROP RULE log ON shop.a']);
  });
});

describe('a plan refuses by name', () => {
  test.each<[string, readonly View[], readonly View[], Parts, RegExp]>([
    [
      'a view that the server refuses',
      [view('shop.a')],
      [view('shop.a', { definition: 'SELECT gone FROM shop.t' })],
      { described: { 'shop.a': { outcome: 'refused', because: 'column "gone" does not exist' } } },
      /column "gone" does not exist/,
    ],
    ['a source that does not exist', [], [view('shop.a', { reads: ['shop.nowhere'] })], {}, /shop\.a reads shop\.nowhere, which does not exist/],
    [
      'a drop that would lose an attribute',
      [view('shop.a', { unrestorable: ['the statistics object shop.st'] })],
      [view('shop.a', { definition: 'SELECT 1::text AS id' })],
      { described: { 'shop.a': different('id text') } },
      /statistics object shop\.st/,
    ],
    [
      'a drop that would lose a bystander',
      [view('shop.a')],
      [view('shop.a', { definition: 'SELECT 1::text AS id' })],
      { described: { 'shop.a': different('id text') }, losses: [{ description: 'function shop.f()', of: [name('shop.a')] }] },
      /function shop\.f\(\)/,
    ],
    [
      'a drop that leaves a reader behind',
      [view('shop.a'), view('shop.b', { reads: ['shop.a'] })],
      [],
      { drops: [name('shop.a')] },
      /shop\.b, which stays, reads it/,
    ],
    [
      'more locks than the server has',
      [view('shop.a')],
      [view('shop.a', { definition: 'SELECT 1::text AS id' })],
      { described: { 'shop.a': different('id text') }, lockLimit: 3 },
      /about 6 locks/,
    ],
  ])('%s', (_what, live, wanted, parts, because) => {
    expect(plan(live, wanted, parts).refusals.map((refusal) => refusal.because)).toEqual([expect.stringMatching(because)]);
  });

  test('and suggests the upstream that the commit holds', () => {
    const found = plan([], [view('shop.b', { reads: ['shop.a'] })], { available: new Set(['shop.a', 'shop.b']) });
    expect(found.refusals).toMatchObject([{ suggestion: "Select it too: --select '+shop.b'" }]);
  });

  test('a role that is missing is a hazard, and its lines are left out when allowed', () => {
    const relation = view('shop.a');
    const wanted = view('shop.a', { attachments: [ownerAttachment(relation, 'nobody_knows')] });
    expect(plan([], [wanted]).hazards).toMatchObject([{ name: 'MISSING_ROLE', because: expect.stringContaining('"nobody_knows"') }]);
    expect(acts(plan([], [wanted], { allowed: ['MISSING_ROLE'] }))).toEqual(['create shop.a']);
  });
});
