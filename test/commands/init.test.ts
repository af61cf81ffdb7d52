import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { git, temporaryFolder, writeFiles } from '../support/repository.ts';
import { runViewsync } from './command-line.ts';
import { createShop } from './shop.ts';

const read = (directory: string, path: string) => readFileSync(join(directory, path), 'utf8');

describe('viewsync init', () => {
  test('writes viewsync.yaml, the attributes and the nightly workflow', async () => {
    await using shop = await createShop();
    const ending = await shop.viewsync('init', '--target', 'prod', '--warehouse', 'postgres', '--url', '${DATABASE_URL}', '--yes');
    expect(ending).toMatchObject({ exitCode: 0, stderr: '' });
    expect(read(shop.directory, 'viewsync.yaml')).toMatchInlineSnapshot(`
      "# viewsync.yaml
      targets:
        prod:
          warehouse: postgres
          url: \${DATABASE_URL}            # libpq variables, ~/.pgpass and service files fill what is missing
          schemas: ["*", "!scratch_*"]    # globs; system schemas never; default: all
      views: views                        # the folder of the exported files, anywhere in a repository
      "
    `);
    expect(read(shop.directory, '.gitattributes')).toBe('views/** -text\n');
    expect(read(shop.directory, '.github/workflows/viewsync.yml')).toMatchInlineSnapshot(`
      "# Written by viewsync init: exports the views of every target every night, and on demand.
      name: viewsync

      on:
        schedule:
          - cron: '17 2 * * *'
        workflow_dispatch:

      permissions: {}

      concurrency:
        group: viewsync

      env:
        VIEWSYNC_DIRECTORY: .

      jobs:
        targets:
          runs-on: ubuntu-latest
          permissions:
            contents: read
          outputs:
            matrix: \${{ steps.list.outputs.matrix }}
          steps:
            - uses: actions/checkout@v4
            - uses: actions/setup-node@v4
              with:
                node-version: 24
            - id: list
              run: |
                matrix=$(npx --yes viewsync@0.1.0 targets --json)
                echo "matrix=$(tr -d '\\n' <<<"$matrix")" >>"$GITHUB_OUTPUT"
        export:
          needs: targets
          runs-on: ubuntu-latest
          permissions:
            contents: write # to push the commits
          strategy:
            fail-fast: false
            matrix: \${{ fromJSON(needs.targets.outputs.matrix) }}
          steps:
            - uses: actions/checkout@v4
              with:
                fetch-depth: 0 # a shallow clone lacks the state that changes are compared with
            - uses: actions/setup-node@v4
              with:
                node-version: 24
            - run: |
                git config user.name 'github-actions[bot]'
                git config user.email '41898282+github-actions[bot]@users.noreply.github.com'
            - run: npx --yes viewsync@0.1.0 export --push
              env:
                VIEWSYNC_TARGET: \${{ matrix.target }}
                DATABASE_URL: \${{ secrets.DATABASE_URL }}
      "
    `);
  });

  test('makes a git repository where there is none', async () => {
    await using shop = await createShop();
    const directory = temporaryFolder();
    const { exitCode, stdout } = await runViewsync(['init', '--yes'], { directory, environment: { DATABASE_URL: shop.database.url } });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Made a git repository.');
    expect(git(directory, 'rev-parse', '--show-toplevel')).toBe(directory);
  });

  test('in a folder of a larger repository, the workflow goes to the root and names the folder', async () => {
    await using shop = await createShop();
    writeFiles(shop.directory, { 'data/warehouse/README.md': '' });
    const { exitCode } = await shop.viewsync('init', '--yes', '--directory', 'data/warehouse');
    expect(exitCode).toBe(0);
    expect(read(shop.directory, '.github/workflows/viewsync.yml')).toContain('VIEWSYNC_DIRECTORY: data/warehouse');
    expect(read(shop.directory, 'data/warehouse/.gitattributes')).toBe('views/** -text\n');
  });

  test('appends to attributes that are there, once, and keeps a workflow that is there', async () => {
    await using shop = await createShop();
    writeFiles(shop.directory, { '.gitattributes': '*.png binary', '.github/workflows/viewsync.yml': 'mine\n' });
    const { stdout } = await shop.viewsync('init', '--yes', '--json');
    expect(JSON.parse(stdout).files).toEqual([
      { path: 'viewsync.yaml', outcome: 'written' },
      { path: '.gitattributes', outcome: 'appended' },
      { path: '.github/workflows/viewsync.yml', outcome: 'kept' },
    ]);
    expect(read(shop.directory, '.gitattributes')).toBe('*.png binary\nviews/** -text\n');
    expect(read(shop.directory, '.github/workflows/viewsync.yml')).toBe('mine\n');
  });

  test('never overwrites a viewsync.yaml', async () => {
    await using shop = await createShop();
    writeFiles(shop.directory, { 'viewsync.yaml': 'mine\n' });
    expect(await shop.viewsync('init', '--yes')).toMatchObject({ exitCode: 64 });
    expect(read(shop.directory, 'viewsync.yaml')).toBe('mine\n');
  });

  test('writes nothing when the connection fails', async () => {
    const directory = temporaryFolder();
    const ending = await runViewsync(['init', '--yes'], { directory, environment: { DATABASE_URL: 'postgresql://ada@127.0.0.1:1/shop' } });
    expect(ending.exitCode).toBe(69);
    expect(existsSync(join(directory, 'viewsync.yaml'))).toBe(false);
    expect(existsSync(join(directory, '.git'))).toBe(false);
  });

  test('refuses to write a password into a file that will be committed', async () => {
    const directory = temporaryFolder();
    const { exitCode, stderr } = await runViewsync(['init', '--yes', '--url', 'postgresql://ada:topsecret@db/shop'], { directory });
    expect(exitCode).toBe(64);
    expect(stderr).not.toContain('topsecret');
    expect(existsSync(join(directory, 'viewsync.yaml'))).toBe(false);
  });

  test('refuses a bad name before it connects', async () => {
    const { exitCode, stderr } = await runViewsync(['init', '--yes', '--target', 'Prod!'], { directory: temporaryFolder() });
    expect(exitCode).toBe(78);
    expect(stderr).toContain('lower-case letters');
  });
});
