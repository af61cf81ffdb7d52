/** A command that a user would type, or a script that somebody runs in the database. */
export type Scene =
  | { readonly tell: string; readonly command: readonly [string, ...string[]] }
  | { readonly tell: string; readonly script: string; readonly shows: 'statements' | 'nothing' }
  | { readonly tell: string; readonly proof: 'remember' | 'differs' | 'same' };

/** The story of the demo, in order. */
export const scenes: readonly Scene[] = [
  { tell: 'A shop with four tables, three views and a materialized view, with owners, grants, comments and an index.', script: 'shop.sql', shows: 'nothing' },
  { tell: 'A folder for the backup; any git repository will do.', command: ['git', 'init', '--quiet'] },
  {
    tell: 'Say where the database is. This writes viewsync.yaml and a nightly workflow.',
    command: ['viewsync', 'init', '--target', 'shop', '--url', '${DATABASE_URL}', '--yes'],
  },
  { tell: 'Commit those two files as any others.', command: ['git', 'add', '--all'] },
  { tell: '', command: ['git', 'commit', '--quiet', '--message', 'Back up the views with viewsync'] },
  { tell: 'The backup: one SQL file per view, committed.', command: ['viewsync', 'export'] },
  { tell: 'Later, somebody changes a view in the database: a new column, and returned orders no longer count.', script: 'edit.sql', shows: 'statements' },
  { tell: 'What is different from git?', command: ['viewsync', 'status'] },
  { tell: 'Record it. In real life the nightly workflow does this.', command: ['viewsync', 'export'] },
  { tell: 'The history of that view:', command: ['viewsync', 'log', 'shop.customer_value'] },
  { tell: 'Remember everything that the server says about the views.', proof: 'remember' },
  { tell: 'Then a migration goes wrong: it drops one view, and with it all that depend on it.', script: 'migration.sql', shows: 'statements' },
  { tell: 'How bad is it?', proof: 'differs' },
  { tell: '', command: ['viewsync', 'status'] },
  { tell: 'What would bring it back?', command: ['viewsync', 'plan', 'HEAD'] },
  { tell: 'Do it.', command: ['viewsync', 'apply', 'HEAD', '--yes'] },
  { tell: 'Is everything back? The server is asked, not viewsync:', proof: 'same' },
  { tell: 'And git tells the story:', command: ['git', '--no-pager', 'log', '--oneline'] },
];
