import { describe, expect, test } from 'vitest';
import type { Change } from '../../src/core/change.ts';
import type { ExportResult } from '../../src/operations/export-views.ts';
import { noColors } from '../../src/render/colors.ts';
import { needsPerson, renderExport, renderExportWarnings } from '../../src/render/export.ts';

const added = (name: string): Change => ({
  view: { schema: 'shop', name },
  change: 'added',
  definition: 'different',
  kindChanged: false,
  columns: { added: [], removed: [], retyped: [], reordered: false },
  attachments: { added: [], removed: [], changed: [] },
});
const many = Array.from({ length: 312 }, (_, index) => added(`v${index}`));
const baseline: ExportResult = {
  target: 'prod',
  server: 'PostgreSQL 18.4',
  views: 312,
  isBaseline: true,
  subject: 'prod: baseline, 312 views',
  changes: many,
  files: many.map(({ view }) => ({ path: `views/prod/shop/${view.name}.sql`, before: undefined, after: 'SELECT 1;\n' })),
  unreadable: [],
  unproven: [],
  pending: [],
  conflicts: [],
  broken: [],
  notes: [],
  outOfScope: [],
  commit: '1f3a5c77d0e1f3a5c77d0e',
  live: '2f3a5c77d0e1f3a5c77d0e',
  branch: 'refs/heads/main',
  pushed: false,
  remote: 'no remote',
  queries: 17,
  timings: [
    { part: 'inspect', milliseconds: 1200 },
    { part: 'record', milliseconds: 300 },
  ],
};

describe('the summary of an export', () => {
  test('of a baseline has few lines, whatever the number of views', () => {
    expect(renderExport(baseline, 'commit', noColors)).toMatchInlineSnapshot(`
      "prod: baseline, 312 views
      Committed 1f3a5c77d0 on main.
      PostgreSQL 18.4: 312 views in 17 queries, 1.5 s, most of it "inspect" (1.2 s).
      Next: git log -p, and viewsync status whenever the database may have changed."
    `);
  });

  test('of many changes fits on one screen', () => {
    const text = renderExport({ ...baseline, isBaseline: false, subject: 'prod: 312 views added' }, 'commit', noColors);
    expect(text.split('\n').length).toBeLessThanOrEqual(24);
    expect(text).toContain('  and 292 more');
  });
});

describe('the warnings of an export', () => {
  const odd: ExportResult = {
    ...baseline,
    unreadable: [{ name: { schema: 'hr', name: 'pay' }, reason: 'no right', isAllowed: false }],
    unproven: [{ name: { schema: 'hr', name: 'tax' }, because: 'all 12 views of hr are gone at once' }],
    pending: ['shop.v1'],
    conflicts: ['shop."V 2"'],
    broken: [{ path: 'views/prod/shop/v3.sql', message: 'line 2 is no SQL that export writes.' }],
  };

  test('name every view that was left alone, and what to type', () => {
    expect(renderExportWarnings(odd, noColors)).toMatchInlineSnapshot(`
      "Warning: hr.pay cannot be read: no right
      Warning: hr.tax is not listed any more, but all 12 views of hr are gone at once; its file stays. If it was dropped: viewsync export --allow MANY_DELETIONS
      Warning: views/prod/shop/v3.sql was left alone: line 2 is no SQL that export writes.
      Warning: shop.v1 is edited in git and not applied yet; its file was left alone.
      Warning: shop."V 2" was changed in git and in the warehouse; its file was left alone. viewsync export --target prod --overwrite 'shop."V 2"' takes the warehouse's."
    `);
  });

  test('need a person, but for what is allowed or pending', () => {
    for (const key of ['unreadable', 'unproven', 'conflicts', 'broken'] as const)
      expect([key, needsPerson({ ...baseline, [key]: odd[key] })]).toEqual([key, true]);
    const allowed = odd.unreadable.map((view) => ({ ...view, isAllowed: true }));
    expect(needsPerson({ ...baseline, pending: odd.pending, unreadable: allowed })).toBe(false);
  });
});
