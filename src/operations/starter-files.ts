import { Scalar, stringify } from 'yaml';

/** What the files of a new project say. */
export interface StarterContent {
  readonly target: string;
  readonly warehouse: string;
  /** The adapter's own keys, as they are to stand there: with `${VARIABLE}` instead of a secret. */
  readonly options: Readonly<Record<string, string>>;
  /** Packages that the nightly workflow installs beside viewsync. */
  readonly drivers: readonly string[];
  readonly schemas: readonly string[];
  readonly version: string;
  /** Folder of `viewsync.yaml` relative to the root of the repository; empty at the root. */
  readonly prefix: string;
}

const commentColumn = 36;

function explain(line: string, comment: string): string {
  return `${line.padEnd(commentColumn - 1)} # ${comment}`;
}

function quoteList(texts: readonly string[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(', ')}]`;
}

function quoteText(text: string): string {
  const scalar = new Scalar(text);
  return stringify(scalar, { lineWidth: 0 }).trimEnd();
}

function optionLine([key, value]: readonly [string, string]): string {
  const line = `    ${key}: ${quoteText(value)}`;
  return key === 'url' ? explain(line, 'libpq variables, ~/.pgpass and service files fill what is missing') : line;
}

export function configurationText({ target, warehouse, options, schemas }: Pick<StarterContent, 'target' | 'warehouse' | 'options' | 'schemas'>): string {
  const lines = [
    '# viewsync.yaml',
    'targets:',
    `  ${target}:`,
    `    warehouse: ${quoteText(warehouse)}`,
    ...Object.entries(options).map(optionLine),
    explain(`    schemas: ${quoteList(schemas)}`, 'globs; system schemas never; default: all'),
    explain('views: views', 'the folder of the exported files, anywhere in a repository'),
  ];
  return `${lines.join('\n')}\n`;
}

/** Git must not touch a byte of the exported files: a CR LF inside a literal would be "modified" for ever. */
export const attributesLine = 'views/** -text';

/** How the workflow runs viewsync, with the drivers of its warehouse beside it. */
function command({ version, drivers }: Pick<StarterContent, 'version' | 'drivers'>): string {
  if (drivers.length === 0) return `npx --yes viewsync@${version}`;
  return `npx --yes ${[`viewsync@${version}`, ...drivers].map((name) => `--package ${name}`).join(' ')} viewsync`;
}

const workflow = (
  { version, prefix, drivers }: StarterContent,
  secrets: string,
) => `# Written by viewsync init: exports the views of every target every night, and on demand.
name: viewsync

on:
  schedule:
    - cron: '17 2 * * *'
  workflow_dispatch:

permissions: {}

concurrency:
  group: viewsync

env:
  VIEWSYNC_DIRECTORY: ${quoteText(prefix === '' ? '.' : prefix)}

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
          matrix=$(npx --yes viewsync@${version} targets --json)
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
      - run: ${command({ version, drivers })} export --push
        env:
          VIEWSYNC_TARGET: \${{ matrix.target }}
${secrets}`;

/** The nightly workflow, one job for each target. Every `${VARIABLE}` of the options becomes a secret of the same name. */
export function workflowText(content: StarterContent): string {
  const names = [
    ...new Set(
      [
        ...Object.values(content.options)
          .join(' ')
          .matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g),
      ].map((match) => match[1]),
    ),
  ];
  return workflow(content, names.map((name) => `          ${name}: \${{ secrets.${name} }}\n`).join(''));
}
