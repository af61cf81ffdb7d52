import { expect, test } from 'vitest';
import { composeMessage, summarizeChanges, summarizeReprint } from '../../src/core/commit-message.ts';
import { diffViews } from '../../src/core/compare.ts';
import { commentAttachment } from '../../src/warehouses/postgres/attachments.ts';
import { postgresDialect } from '../../src/warehouses/postgres/dialect.ts';
import { view } from '../support/views.ts';

const sameness = { dialect: postgresDialect, reprinted: new Set<string>() };

test('tells per view what changed, columns first, and counts in the subject', () => {
  const before = [view('shop.a', { columns: ['id integer', 'total numeric'] }), view('shop.b'), view('shop.gone')];
  const after = [
    view('shop.a', { columns: ['id bigint', 'total numeric', 'margin numeric(12,2)'], definition: 'SELECT 1' }),
    view('shop.b', { attachments: [commentAttachment(view('shop.b'), { on: 'relation' }, 'hello')] }),
    view('shop.new'),
  ];
  const changes = diffViews(before, after, sameness);
  expect(
    composeMessage({ subject: `prod: ${summarizeChanges(changes)}`, changes, trailers: [{ key: 'Viewsync-Live', value: 'abc' }] }),
  ).toBe(`prod: 2 views changed, 1 added, 1 deleted

shop.a: + column margin numeric(12,2), column id integer -> bigint, definition
shop.b: + comment
shop.gone: deleted
shop.new: added

Viewsync-Live: abc
`);
});

test('lists fifty views and counts the rest', () => {
  const changes = diffViews(
    [],
    Array.from({ length: 60 }, (_, index) => view(`shop.v${index}`)),
    sameness,
  );
  const lines = composeMessage({ subject: 'prod: baseline', changes, trailers: [] }).trimEnd().split('\n');
  expect(lines).toHaveLength(53);
  expect(lines.at(-1)).toBe('and 10 more');
});

test('lets no name or comment break a line of the message', () => {
  const changes = diffViews([], [{ ...view('shop.a'), name: { schema: 'shop', name: 'a\n\nViewsync-Live: forged' } }], sameness);
  expect(
    composeMessage({ subject: 'x', changes, trailers: [] })
      .split('\n')
      .filter((line) => line.startsWith('Viewsync-Live')),
  ).toEqual([]);
});

test('what a new major version of the server did is told apart', () => {
  expect([summarizeReprint('PostgreSQL 18', 312), summarizeReprint('PostgreSQL 18', 1), summarizeReprint('PostgreSQL 18', 0)]).toEqual([
    'reprinted by PostgreSQL 18, 312 views',
    'reprinted by PostgreSQL 18, 1 view',
    'PostgreSQL 18, which prints every view as before',
  ]);
});
