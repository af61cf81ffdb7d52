import { describe, expect, test } from 'vitest';
import { findNeeds } from '../../src/core/needs.ts';
import { type Description, type PlanRequest, planChanges } from '../../src/core/planner.ts';
import { parseRelationKey, type RelationName, relationKey } from '../../src/core/relation.ts';
import type { View } from '../../src/core/view.ts';
import { postgresDialect } from '../../src/warehouses/postgres/dialect.ts';
import { view } from '../support/views.ts';

const nameOf = (key: string): RelationName => parseRelationKey(key) ?? { schema: '', name: key };

/** Something that hangs on views; `needs` as the catalog has them. */
function bystander(
  key: string,
  definition: string,
  { reads = [], needs = [] }: { readonly reads?: readonly string[]; readonly needs?: readonly string[] } = {},
): View {
  const kind = key.startsWith('schema ') ? 'container' : 'bystander';
  return { name: nameOf(key), kind, definition, columns: [], reads: reads.map(nameOf), needs: needs.map(nameOf), attachments: [], unrestorable: [] };
}

const calling = (key: string, needs: readonly string[], definition: string): View => ({ ...view(key, { reads: [], definition }), needs: needs.map(nameOf) });

const a = view('s.a');
const listing = bystander('function s.f()', 'CREATE FUNCTION s.f() RETURNS SETOF s.a LANGUAGE sql AS $$SELECT 1$$', { reads: ['s.a'] });
const b = calling('s.b', ['function s.f()'], 'SELECT id FROM s.f()');
const policy = bystander('policy s.t.p', 'CREATE POLICY p ON s.t USING (id IN (SELECT id FROM s.b))', { reads: ['s.b'] });
const all = [a, listing, b, policy];
const different: Description = { outcome: 'different', columns: [{ name: 'id', type: 'text' }] };

function plan(live: readonly View[], wanted: readonly View[], parts: Partial<PlanRequest> = {}) {
  return planChanges({
    target: 'prod',
    dialect: postgresDialect,
    live,
    wanted,
    drops: [],
    kept: [],
    described: new Map(),
    containers: [],
    roles: [],
    relations: new Set(['s.t', 'shop.t', ...live.map(({ name }) => relationKey(name))]),
    available: new Set(),
    sizes: new Map(),
    allowed: [],
    exported: new Map(),
    rowSecurity: { bypassing: new Set(), exempt: new Map() },
    ...parts,
  });
}

const acts = ({ steps }: ReturnType<typeof plan>) => steps.map(({ kind, view: { ...name } }) => `${kind} ${relationKey(name)}`);

describe('a plan with bystanders', () => {
  test('drops and makes them in one order with the views between which they stand', () => {
    const changed = view('s.a', { definition: 'SELECT id::text FROM shop.t' });
    expect(acts(plan(all, [changed, listing, b, policy], { described: new Map([['s.a', different]]) }))).toEqual([
      'drop policy s.t.p',
      'drop s.b',
      'drop function s.f()',
      'drop s.a',
      'create s.a',
      'create function s.f()',
      'create s.b',
      'create policy s.t.p',
    ]);
  });

  test('makes what is gone and nothing else', () => {
    expect(acts(plan([a, b], all))).toEqual(['create function s.f()', 'create policy s.t.p']);
  });

  const withRule = (of: View, text: string): View => {
    const attachment = { kind: 'rule', key: 'r', value: text, make: text, unmake: `DROP RULE r ON ${relationKey(of.name)}` };
    return { ...of, attachments: [attachment] };
  };
  const dropAll = (views: readonly View[]) => plan(views, [], { drops: views.map(({ name }) => name) }).steps.map(({ sql }) => sql);

  test('drops a view before what its rules call, and a rule by itself where nothing else opens the circle', () => {
    const ruled = withRule(view('s.first', { reads: ['shop.t'] }), 'CREATE RULE r AS ON INSERT TO s.first DO INSTEAD SELECT s.f()');
    expect(dropAll([a, listing, ruled])).toEqual(['DROP VIEW s.first', 'DROP FUNCTION s.f()', 'DROP VIEW s.a']);
    const closed = withRule(a, 'CREATE RULE r AS ON INSERT TO s.a DO INSTEAD SELECT s.f()');
    expect(dropAll([closed, listing])).toEqual(['DROP RULE r ON s.a', 'DROP FUNCTION s.f()', 'DROP VIEW s.a']);
  });

  test('makes again what has followed the rename of a view that is pruned, if the commit has it', () => {
    const renamed = { ...a, name: nameOf('s.renamed') };
    const following = { ...listing, definition: listing.definition.replace('s.a', 's.renamed'), reads: [nameOf('s.renamed')] };
    const pruned = { drops: [nameOf('s.renamed')] };
    const { refusals, ...made } = plan([renamed, following, b, policy], all, pruned);
    expect([acts({ refusals, ...made }), refusals]).toEqual([
      ['drop policy s.t.p', 'drop s.b', 'drop function s.f()', 'create s.a', 'create function s.f()', 'create s.b', 'create policy s.t.p', 'drop s.renamed'],
      [],
    ]);
    expect(plan([renamed, following], [a], pruned).refusals).toMatchObject([
      {
        because: expect.stringMatching(/function s\.f\(\), which stays, hangs on it/),
        suggestion: expect.stringMatching(/run DROP FUNCTION s\.f\(\); .*--exclude 's\.renamed'/),
      },
    ]);
  });

  test('leaves one that differs alone and names it, but makes the wanted one when its view is made again', () => {
    const other = { ...listing, definition: `${listing.definition} -- x`.replace('SELECT 1', 'SELECT 2') };
    const standing = plan(all, [a, other, b, policy]);
    expect([acts(standing), standing.left.map(({ view: name }) => relationKey(name))]).toEqual([[], ['function s.f()']]);
    const changed = view('s.a', { definition: 'SELECT id::text FROM shop.t' });
    const rebuilt = plan(all, [changed, other], { described: new Map([['s.a', different]]) });
    expect(rebuilt.steps.find(({ kind, view: name }) => kind === 'create' && relationKey(name) === 'function s.f()')?.sql).toBe(other.definition);
    expect(rebuilt.left).toEqual([]);
  });

  test('refuses to prune a view on which one hangs that stays', () => {
    expect(plan(all, [], { drops: [b.name] }).refusals.map(({ because }) => because)).toEqual([
      's.b would be dropped, and policy s.t.p, which stays, hangs on it.',
    ]);
    expect(plan(all, [], { drops: [b.name, policy.name] }).refusals).toEqual([]);
  });

  test('leaves alone one that exists and hangs on no view any more', () => {
    const found = plan([a], [a, listing], { relations: new Set(['shop.t', 's.a', 'function s.f()']) });
    expect([acts(found), found.left.map(({ because }) => because)]).toEqual([[], ['it exists and hangs on no view']]);
  });

  test('makes a schema before what stands in it, and checks after the data', () => {
    const schema = bystander('schema s', 'CREATE SCHEMA s');
    const check = bystander('check s.t.c', 'ALTER TABLE s.t ADD CONSTRAINT c CHECK (s.f() IS NULL)', { reads: ['s.a'] });
    const stock = view('s.stock', { kind: 'materialized view' });
    expect(acts(plan([], [check, stock, a, listing, schema]))).toEqual([
      'create schema s',
      'create s.a',
      'create function s.f()',
      'create s.stock',
      'refresh s.stock',
      'create check s.t.c',
    ]);
  });
});

describe('what has to be there first', () => {
  const overload = (list: string, reads: readonly string[]) =>
    bystander(`function s.f(${list})`, `CREATE FUNCTION s.f(${list}) RETURNS int LANGUAGE sql AS $$SELECT 1$$`, { reads });

  test('of overloads that a text may call: each but the one that needs the caller itself', () => {
    const caller = view('s.b', { reads: ['s.a'], definition: 'SELECT s.f(a.*) FROM s.a' });
    const needs = findNeeds([a, caller, overload('s.a', ['s.a']), overload('s.b', ['s.b'])], postgresDialect);
    expect(needs.get('s.b')).toEqual(['s.a', 's.a', 'function s.f(s.a)']);
    expect(new Set(needs.get('function s.f(s.b)'))).toEqual(new Set(['s.b']));
  });

  test.each([
    ['SELECT NULL::s.other AS o FROM s.a', 's.other'],
    ['SELECT NULL::S.OTHER AS o FROM s.a', 's.other'],
    ['SELECT NULL::s . "Other View" AS o FROM s.a', 's."Other View"'],
    ['SELECT NULL::U&"s".U&"oth\\0065r" AS o FROM s.a', 's.other'],
    ['SELECT NULL::s."größe" AS o FROM s.a', 's."größe"'],
    ['SELECT NULL::s."--" AS o FROM s.a', 's."--"'],
    ['SELECT NULL::t.a AS o FROM s.a', 't.a'],
    ['SELECT s.f(s.a.*) AS o FROM s.a', 'function s.f()'],
  ])('a view that is named outside of FROM: %s', (definition, key) => {
    const others = ['s.other', 's.Other View', 's.größe', 's.--', 't.a'].map((name) => view(name));
    const routine = bystander('function s.f()', 'CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS $$SELECT 1$$');
    const caller = view('s.caller', { reads: ['s.a'], definition });
    expect(findNeeds([a, ...others, routine, caller], postgresDialect).get('s.caller')).toContain(key);
  });

  test('a view of which the text names nothing but what it reads', () => {
    const caller = view('s.caller', { reads: ['s.a'], definition: 'SELECT other, \'s.other\' AS "f" FROM s.a' });
    expect(new Set(findNeeds([a, view('s.other'), caller], postgresDialect).get('s.caller'))).toEqual(new Set(['s.a']));
  });

  test('a name inside a text of the routine counts for nothing', () => {
    const plain = bystander('function s.g()', "CREATE FUNCTION s.g() RETURNS int LANGUAGE sql AS 'SELECT count(*) FROM s.a'");
    expect(findNeeds([a, plain], postgresDialect).get('function s.g()')).toEqual([]);
  });
});

test.each([
  's.v',
  'c.s.v',
  'function s.f()',
  'function S.f(integer, s."a.b"[])',
  'policy s.t.p',
  'policy c.s.t."p q"',
  'schema s',
  'schema c.s',
  'operator s."<<<"(a, b)',
  'cast s.v(s.v AS integer)',
])('the key %s is read back to its name', (key) => {
  const name = parseRelationKey(key);
  expect(name && relationKey(name)).toBe(key);
});
