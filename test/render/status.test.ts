import { describe, expect, test } from 'vitest';
import type { Change } from '../../src/core/change.ts';
import type { Status } from '../../src/operations/read-status.ts';
import { noColors } from '../../src/render/colors.ts';
import { isClean, renderStatus } from '../../src/render/status.ts';

const clean: Status = {
  target: 'prod',
  server: 'PostgreSQL 18.4',
  views: 312,
  differing: [],
  unreadable: [],
  broken: [],
  stale: [],
  remote: 'no remote',
  isRecorded: true,
  unseen: [],
  unproven: [],
};
const change = (name: string, kind: Change['change']): Change => ({
  view: { schema: 'shop', name },
  change: kind,
  definition: 'different',
  kindChanged: false,
  columns: { added: [], removed: [], retyped: [{ name: 'total', from: 'integer', to: 'bigint' }], reordered: false },
  attachments: { added: [], removed: [], changed: [] },
});
const differing: Status['differing'] = [
  { view: 'shop.a', path: 'views/prod/shop/a.sql', state: 'drift', isEdited: false, change: change('a', 'modified') },
  { view: 'shop.longer_name', path: 'views/prod/shop/longer_name.sql', state: 'pending', isEdited: true, change: change('longer_name', 'deleted') },
  { view: 'shop.c', path: 'views/prod/shop/c.sql', state: 'conflict', isEdited: false, change: change('c', 'modified') },
  { view: 'shop.d', path: 'views/prod/shop/d.sql', state: 'drift', isEdited: false, change: undefined },
];

describe('the status', () => {
  test('is one line when everything is in sync', () => {
    expect(renderStatus(clean, noColors)).toBe('prod (PostgreSQL 18.4, 312 views): in sync.');
    expect(isClean(clean)).toBe(true);
  });

  test('says what an export needs of a file that is not committed and whose view has drifted', () => {
    const [drifted] = differing;
    const next = renderStatus({ ...clean, differing: drifted ? [{ ...drifted, isEdited: true }] : [] }, noColors);
    expect(next).toContain('An export leaves a file that is not committed alone: commit or discard the edit first, or type viewsync export --overwrite VIEW.');
  });

  test('tells each view that differs, on which side, and what to type', () => {
    const status = { ...clean, differing };
    expect(isClean(status)).toBe(false);
    expect(renderStatus(status, noColors)).toMatchInlineSnapshot(`
      "prod (PostgreSQL 18.4, 312 views): 4 views differ.

        drift     shop.a            column total integer -> bigint, definition
        pending   shop.longer_name  added in git (file not committed)
        conflict  shop.c            column total integer -> bigint, definition
        drift     shop.d            its file cannot be read

      viewsync export records the drift, viewsync apply HEAD takes it back.
      viewsync apply HEAD deploys what is pending and committed, viewsync apply worktree the files as they are.
      viewsync diff shows a conflict; --overwrite VIEW decides it: with apply git wins, with export the warehouse."
    `);
  });

  test('names what cannot be read', () => {
    const status = {
      ...clean,
      unreadable: [{ name: { schema: 'hr', name: 'pay' }, reason: 'no right' }],
      broken: [{ path: 'x.sql', message: 'x.sql:3 is broken.' }],
    };
    expect(isClean(status)).toBe(false);
    expect(renderStatus(status, noColors)).toMatchInlineSnapshot(`
      "prod (PostgreSQL 18.4, 312 views):

      Warning: hr.pay cannot be read: no right
      Warning: x.sql:3 is broken."
    `);
  });

  test('says that nothing was exported yet', () => {
    expect(renderStatus({ ...clean, isRecorded: false }, noColors)).toBe('prod (PostgreSQL 18.4, 312 views): never exported.\n\nNext: viewsync export');
  });

  test('names an interrupted run, what the warehouse holds, and what ends it', () => {
    const run = { id: 'r', command: 'apply', revision: 'HEAD', before: 'b', started: 's', startedAt: '2025-01-01T00:00:00Z' };
    const status = { ...clean, run: { ...run, isRunning: false, holds: 'the state before' as const } };
    expect(renderStatus(status, noColors)).toMatchInlineSnapshot(`
      "prod (PostgreSQL 18.4, 312 views):

      A run was interrupted: "apply HEAD", started 2025-01-01T00:00:00Z. The warehouse holds the state before.

      Next: viewsync rollback or viewsync apply HEAD ends it."
    `);
    const migration = { ...status, run: { ...status.run, command: 'migrate', revision: '--on shop.a -- dbt' } };
    expect(renderStatus(migration, noColors)).toContain('Next: viewsync migrate --continue');
  });
});
