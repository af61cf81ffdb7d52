import { describe, expect, test } from 'vitest';
import type { RelationName } from '../../src/core/relation.ts';
import { selectViews } from '../../src/core/selection.ts';
import type { View } from '../../src/core/view.ts';

function view(name: RelationName, reads: readonly RelationName[] = []): View {
  return { name, kind: 'view', definition: 'SELECT 1', columns: [], reads, attachments: [], unrestorable: [] };
}

const name = (text: string): RelationName => ({ schema: text.split('.')[0] ?? '', name: text.split('.').slice(1).join('.') });

const views = [
  ['shop.a', 'raw.table'],
  ['shop.b', 'shop.a'],
  ['shop.c', 'shop.b', 'shop.x'],
  ['shop.d', 'shop.c'],
  ['shop.x'],
  ['stats.a', 'shop.d'],
  ['Rep-orts.My View.v1', 'shop.x'],
  ['Rep-orts.a/b'],
].map(([own = '', ...reads]) => view(name(own), reads.map(name)));

const myView = '"Rep-orts"."My View.v1"';
const slashed = '"Rep-orts"."a/b"';
const all = ['shop.a', 'shop.b', 'shop.c', 'shop.d', 'shop.x', 'stats.a', myView, slashed];

describe('selects', () => {
  test.each([
    ['everything when nothing is asked for', [], all],
    ['one view by its full name', ['shop.b'], ['shop.b']],
    ['a bare name in every schema', ['a'], ['shop.a', 'stats.a']],
    ['a schema', ['shop.*'], ['shop.a', 'shop.b', 'shop.c', 'shop.d', 'shop.x']],
    ['globs over the name alone', ['[xb]'], ['shop.b', 'shop.x']],
    ['a star for anything, slashes and dots too', ['*'], all],
    ['alternatives', ['{shop,stats}.a'], ['shop.a', 'stats.a']],
    ['a name with dots and blanks', ['My View.v1'], [myView]],
    ['a name as viewsync prints it', [myView], [myView]],
    ['the union of several', ['shop.a', 'stats.*'], ['shop.a', 'stats.a']],
    ['what a view reads', ['+shop.b'], ['shop.a', 'shop.b']],
    ['what reads a view', ['shop.c+'], ['shop.c', 'shop.d', 'stats.a']],
    ['both', ['+shop.b+'], ['shop.a', 'shop.b', 'shop.c', 'shop.d', 'stats.a']],
    ['so many steps', ['1+shop.c+1'], ['shop.b', 'shop.c', 'shop.d', 'shop.x']],
    ['no step', ['0+shop.c+0'], ['shop.c']],
    ['what reads a view with all that those read', ['@shop.b'], ['shop.a', 'shop.b', 'shop.c', 'shop.d', 'shop.x', 'stats.a']],
  ])('%s', (_what, select, expected) => {
    expect([...selectViews(views, { select, exclude: [] })].sort()).toEqual(expected.toSorted());
  });

  test('nothing that is excluded', () => {
    expect([...selectViews(views, { select: ['shop.*'], exclude: ['+shop.b', 'x'] })].sort()).toEqual(['shop.c', 'shop.d']);
    expect([...selectViews(views, { select: [], exclude: ['shop.*', 'Rep-orts.*'] })]).toEqual(['stats.a']);
  });

  test('from views with a catalog, which may be left out', () => {
    const withCatalogs = ['live', 'old'].map((catalog) => view({ catalog, schema: 'shop', name: 'a' }));
    const selected = (text: string) => [...selectViews(withCatalogs, { select: [text], exclude: [] })];
    expect(selected('shop.*')).toEqual(['live.shop.a', 'old.shop.a']);
    expect(selected('shop.a')).toEqual(['live.shop.a', 'old.shop.a']);
    expect(selected('old.*')).toEqual(['old.shop.a']);
  });

  test('from views that read each other', () => {
    const circle = [view(name('s.a'), [name('s.b')]), view(name('s.b'), [name('s.a')])];
    expect([...selectViews(circle, { select: ['+s.a'], exclude: [] })].sort()).toEqual(['s.a', 's.b']);
  });
});

describe('refuses a pattern that matches nothing', () => {
  test.each([
    ['shop.bb', 'No view matches "shop.bb". Did you mean "shop.b"? Nothing was changed.'],
    ['+nothing-like-it', 'No view matches "+nothing-like-it". Nothing was changed.'],
  ])('%j', (pattern, message) => {
    expect(() => selectViews(views, { select: [pattern], exclude: [] })).toThrow(expect.objectContaining({ code: 'USAGE', message }));
    expect(() => selectViews(views, { select: [], exclude: [pattern] })).toThrow(expect.objectContaining({ code: 'USAGE', message }));
  });
});
