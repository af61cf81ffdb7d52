import { describe, expect, test } from 'vitest';
import type { RowSecurity } from '../../src/core/access.ts';
import { planChanges } from '../../src/core/planner.ts';
import { relationKey } from '../../src/core/relation.ts';
import type { Attachment, View } from '../../src/core/view.ts';
import { optionAttachment, ownerAttachment } from '../../src/warehouses/postgres/attachments.ts';
import { postgresDialect } from '../../src/warehouses/postgres/dialect.ts';
import { grantAttachment } from '../../src/warehouses/postgres/grant-attachments.ts';
import { view } from '../support/views.ts';

const relation = view('shop.a');
const owned = (owner: string) => ownerAttachment(relation, owner);
const option = (name: string, value = 'true') => optionAttachment(relation, name, value);
/** `reporting SELECT`, `public SELECT (id)`, `reporting SELECT *` with the grant option. */
function grant(text: string): Attachment {
  const [, grantee = '', privilege = '', column, star] = /^(\S+) (\w+)(?: \((\w+)\))?( \*)?$/.exec(text) ?? [];
  return grantAttachment(relation, { grantee, privilege, column, grantable: star !== undefined });
}

const rowSecurity: RowSecurity = { bypassing: new Set(['admin']), exempt: new Map([['shop.t', new Set(['table_owner'])]]) };
const withParts = (...attachments: readonly Attachment[]) => view('shop.a', { attachments });

interface States {
  readonly live?: View;
  readonly exported?: View;
  readonly wanted: View;
  /** As the run that is undone left it; `nothing` where it dropped the view. */
  readonly undone?: View | 'nothing';
}

function hazards({ live, exported, wanted, undone }: States): readonly string[] {
  const views = live ? [live] : [];
  const plan = planChanges({
    target: 'prod',
    dialect: postgresDialect,
    live: views,
    wanted: [wanted],
    drops: [],
    kept: [],
    described: new Map(),
    containers: [],
    losses: [],
    roles: ['ada', 'admin', 'bob', 'reporting', 'table_owner'],
    relations: new Set(['shop.t']),
    available: new Set([relationKey(wanted.name)]),
    sizes: new Map(),
    exported: new Map(exported ? [['shop.a', exported]] : []),
    rowSecurity,
    ...(undone === undefined ? {} : { undone: new Map(undone === 'nothing' ? [] : [['shop.a', undone]]) }),
    allowed: [],
  });
  return plan.hazards.map(({ name, because }) => `${name} ${because.split(': ')[1]}`);
}

const ada = owned('ada');

describe('a view widens access', () => {
  test.each<[string, readonly Attachment[], readonly Attachment[], string]>([
    ['by a new grantee', [ada], [ada, grant('reporting SELECT')], 'reporting may SELECT.'],
    ['by everybody', [ada, grant('reporting SELECT')], [ada, grant('reporting SELECT'), grant('public SELECT')], 'PUBLIC may SELECT.'],
    ['by another privilege', [ada, grant('bob SELECT')], [ada, grant('bob SELECT'), grant('bob DELETE')], 'bob may DELETE.'],
    ['by a grant option', [ada, grant('bob SELECT')], [ada, grant('bob SELECT *')], 'bob may SELECT and pass that on.'],
    ['by a column', [ada, grant('bob SELECT (id)')], [ada, grant('bob SELECT (id)'), grant('bob SELECT (price)')], 'bob may SELECT (price).'],
    ['from a column to all', [ada, grant('bob SELECT (id)')], [ada, grant('bob SELECT')], 'bob may SELECT.'],
    ['without its barrier', [option('security_barrier'), ada], [ada], 'functions in a query on it may look at rows that it leaves out (no security_barrier).'],
    [
      'with its barrier off',
      [option('security_barrier', 'YES'), ada],
      [option('security_barrier', 'off'), ada],
      'functions in a query on it may look at rows that it leaves out (no security_barrier).',
    ],
    [
      'without its invoker',
      [option('security_invoker'), ada],
      [ada],
      "it reads with its owner's rights and no longer with those of whoever asks (no security_invoker).",
    ],
    ['by an owner without row security', [ada], [owned('admin')], 'its owner admin is bound by no row security.'],
    ['by the owner of what it reads', [ada], [owned('table_owner')], 'its owner table_owner is not bound by the row security of shop.t.'],
  ])('%s', (_how, live, wanted, because) => {
    expect(hazards({ live: withParts(...live), wanted: withParts(...wanted) })).toEqual([`WIDENS_ACCESS ${because}`]);
  });

  test('that is not there, by all its grants and by nothing else', () => {
    expect(hazards({ wanted: withParts(ada, grant('public SELECT'), grant('bob SELECT (id)')) })).toEqual([
      'WIDENS_ACCESS PUBLIC may SELECT; bob may SELECT (id).',
    ]);
    expect(hazards({ wanted: withParts(owned('admin')) })).toEqual([]);
  });
});

describe('a view does not widen access', () => {
  test.each<[string, readonly Attachment[], readonly Attachment[]]>([
    ['by what everybody may anyway', [ada, grant('public SELECT')], [ada, grant('public SELECT'), grant('bob SELECT (id)')]],
    ['by less', [ada, grant('bob SELECT *')], [ada, grant('bob SELECT')]],
    ['by a column of what is granted whole', [ada, grant('bob SELECT')], [ada, grant('bob SELECT (id)')]],
    ['by a right of whoever owned it', [owned('bob')], [ada, grant('bob SELECT')]],
    ['by another owner that is bound as well', [ada], [owned('bob')]],
    ['by an owner that is bound more', [owned('admin')], [owned('table_owner')]],
    ['by any owner where the reader counts', [option('security_invoker'), ada], [option('security_invoker'), owned('admin')]],
    ['by more options', [ada], [option('security_barrier'), option('security_invoker'), ada]],
  ])('%s', (_how, live, wanted) => {
    expect(hazards({ live: withParts(...live), wanted: withParts(...wanted) })).toEqual([]);
  });

  test('when a run is undone that took it, unless somebody else did', () => {
    const [wide, narrow] = [withParts(ada, grant('bob SELECT')), withParts(ada)];
    expect(hazards({ live: narrow, exported: narrow, wanted: wide, undone: narrow })).toEqual([]);
    expect(hazards({ wanted: wide, undone: 'nothing' })).toEqual([]);
    expect(hazards({ live: narrow, exported: narrow, wanted: wide, undone: wide })).toEqual(['WIDENS_ACCESS bob may SELECT.']);
  });

  test('when it comes back as it was at the last export', () => {
    const wanted = withParts(owned('admin'), grant('public SELECT'), grant('bob SELECT *'));
    expect(hazards({ exported: wanted, wanted })).toEqual([]);
    expect(hazards({ live: withParts(ada), exported: wanted, wanted })).toEqual([]);
  });
});
