import { describe, expect, test } from 'vitest';
import { noColors } from '../../src/render/colors.ts';
import { renderFileDiff, renderStat } from '../../src/render/file-diff.ts';

const changed = { path: 'views/prod/shop/orders.sql', from: 'SELECT\n  1\n;\n', to: 'SELECT\n  2\n;\n' };
const added = { path: 'views/prod/shop/a.sql', from: undefined, to: 'SELECT 1;\n' };
const deleted = { path: 'views/prod/shop/b.sql', from: 'SELECT 1;\n', to: undefined };

describe('a diff of files', () => {
  test('is a unified diff with the changed lines', () => {
    expect(renderFileDiff(changed, noColors)).toMatchInlineSnapshot(`
      "diff --git a/views/prod/shop/orders.sql b/views/prod/shop/orders.sql
      --- a/views/prod/shop/orders.sql
      +++ b/views/prod/shop/orders.sql
      @@ -1,3 +1,3 @@
       SELECT
      -  1
      +  2
       ;"
    `);
  });

  test('names the side that is absent', () => {
    expect(renderFileDiff(added, noColors)).toMatchInlineSnapshot(`
      "diff --git a/views/prod/shop/a.sql b/views/prod/shop/a.sql
      new file
      --- /dev/null
      +++ b/views/prod/shop/a.sql
      @@ -1,0 +1,1 @@
      +SELECT 1;"
    `);
    expect(renderFileDiff(deleted, noColors)).toMatchInlineSnapshot(`
      "diff --git a/views/prod/shop/b.sql b/views/prod/shop/b.sql
      deleted file
      --- a/views/prod/shop/b.sql
      +++ /dev/null
      @@ -1,1 +1,0 @@
      -SELECT 1;"
    `);
  });

  test('paints added and removed lines', () => {
    const text = renderFileDiff(changed, { ...noColors, added: (line) => `<${line}>`, removed: (line) => `[${line}]` });
    expect(text).toContain('[-  1]\n<+  2>');
  });
});

describe('the statistics of a diff', () => {
  test('line up and end in the totals', () => {
    expect(renderStat([changed, added, deleted], noColors)).toMatchInlineSnapshot(`
      " views/prod/shop/orders.sql  |  2  +-
       views/prod/shop/a.sql       |  1  +
       views/prod/shop/b.sql       |  1  -
       3 files changed, 2 insertions(+), 2 deletions(-)"
    `);
  });

  test('are nothing without differences', () => {
    expect(renderStat([], noColors)).toBe('');
  });
});
