import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { timeFormatter } from './formatter.ts';
import { readFiles, timeFastImport, timeRecord } from './git-write.ts';
import { watchLocks } from './locks.ts';
import { measureMigration } from './migrate.ts';
import { measurePairs, median, type Pair, type Row, toLimitRow, toRow } from './pairs.ts';
import { runCommand, runProgram } from './processes.ts';
import type { Stage } from './stage.ts';
import { writeChanges } from './views.ts';

const megabyte = 1024 * 1024;

/** Start-up counts from here on; in a smaller database it would be all that is measured. */
const judgedSize = 5000;

/** What all rows of one database share. */
export interface Bench {
  readonly stage: Stage;
  readonly runs: number;
  /** The repository whose branch holds everything. */
  readonly directory: string;
  /** Milliseconds that our process takes to do nothing. */
  readonly startUp: number;
  /** Peak memory of each measured command, in bytes, by its name. */
  readonly memory: Map<string, number>;
}

async function timeCommand({ stage, startUp, memory }: Bench, parameters: readonly string[], directory: string): Promise<number> {
  const run = await runCommand(parameters, { directory, environment: stage.environment });
  const command = parameters[0] ?? '';
  memory.set(command, Math.max(memory.get(command) ?? 0, run.peakMemory));
  return stage.size < judgedSize ? run.milliseconds - startUp : run.milliseconds;
}

function timeDump({ binaries, url, folder, environment }: Stage): Promise<number> {
  return runProgram(join(binaries, 'pg_dump'), ['--schema-only', '--dbname', url], { directory: folder, environment });
}

const rowOf = ({ stage }: Bench, name: string, reference: string, goal: number) => ({ name, reference, size: stage.size, goal });

const definitionsQuery = `SELECT pg_get_viewdef(oid) AS text FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace::regnamespace::text LIKE 'area%'`;

async function measureFirstExport(bench: Bench): Promise<readonly Row[]> {
  const { stage } = bench;
  const texts = (await stage.query<{ text: string }>(definitionsQuery)).map(({ text }) => text);
  const [toFormatter, toDump]: Pair[][] = [[], []];
  for (let run = 0; run < Math.min(bench.runs, 3); run++) {
    const formatter = await timeFormatter(texts);
    const ours = await timeCommand(bench, ['export'], stage.createRepository('first'));
    const dump = await timeDump(stage);
    toFormatter?.push({ ours, reference: formatter });
    toDump?.push({ ours, reference: dump });
  }
  return [
    toRow(rowOf(bench, 'first export', 'formatter alone', 1.3), toFormatter ?? []),
    toRow(rowOf(bench, 'first export', 'pg_dump --schema-only', 6), toDump ?? []),
  ];
}

async function measureUnchangedExport(bench: Bench): Promise<readonly Row[]> {
  const { stage, directory, runs } = bench;
  const exportAgain = () => timeCommand(bench, ['export'], directory);
  const toDump = await measurePairs(runs, exportAgain, () => timeDump(stage));
  const toExport = await measurePairs(runs, () => timeCommand(bench, ['plan'], directory), exportAgain);
  return [
    toRow(rowOf(bench, 'export, nothing changed', 'pg_dump --schema-only', 0.6), toDump),
    toRow(rowOf(bench, 'plan when nothing differs', 'export, nothing changed', 1), toExport),
  ];
}

async function measureChangedExport(bench: Bench): Promise<Row> {
  const { stage, directory, runs } = bench;
  let constant = 0;
  const exportChanges = async () => {
    constant += 1;
    await stage.query(writeChanges(stage.size, -constant));
    return timeCommand(bench, ['export'], directory);
  };
  const pairs = await measurePairs(runs, exportChanges, () => timeDump(stage));
  return toRow(rowOf(bench, `export, 10 changed of ${stage.size}`, 'pg_dump --schema-only', 0.7), pairs);
}

async function measureGitWrite(bench: Bench): Promise<readonly Row[]> {
  const { stage, directory, runs } = bench;
  const files = await readFiles(stage, directory);
  const reference = () => timeFastImport(stage, files);
  const bare = await measurePairs(runs, () => timeRecord(stage, 'bare', files), reference);
  const withFiles = await measurePairs(runs, () => timeRecord(stage, 'with files', files), reference);
  return [
    toRow(rowOf(bench, 'git write, bare', 'git fast-import', 1.5), bare),
    toRow(rowOf(bench, 'git write, with a work tree', 'git fast-import', 2), withFiles),
  ];
}

/** The steps of the plan, for psql to run in its own transaction. */
async function writeScript({ stage, directory }: Bench): Promise<string> {
  await stage.dropViews();
  const { output } = await runCommand(['plan', '--sql'], { directory, environment: stage.environment });
  const script = join(stage.folder, 'script.sql');
  writeFileSync(script, output.replace(/^(BEGIN|COMMIT);$/gm, ''));
  return script;
}

async function measureApply(bench: Bench): Promise<Row> {
  const { stage, directory } = bench;
  const script = await writeScript(bench);
  const parameters = ['-X', '-q', '-1', '-v', 'ON_ERROR_STOP=1', '-d', stage.url, '-f', script];
  const runScript = async () => {
    await stage.dropViews();
    return runProgram(join(stage.binaries, 'psql'), parameters, { directory, environment: stage.environment });
  };
  const apply = async () => {
    await stage.dropViews();
    return timeCommand(bench, ['apply', 'HEAD', '--yes'], directory);
  };
  return toRow(rowOf(bench, 'apply of everything after a drop', 'psql -1 -f', 1.3), await measurePairs(Math.min(bench.runs, 3), apply, runScript));
}

async function exportForQueries({ stage }: Bench, directory: string): Promise<number> {
  const { output } = await runCommand(['export', '--json', '--dry-run'], { directory, environment: stage.environment });
  return JSON.parse(output).queries;
}

const countQuery = `SELECT count(*)::int AS definitions FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace::regnamespace::text LIKE 'area%'
  OR oid IN (SELECT i.indexrelid FROM pg_index i JOIN pg_class m ON m.oid = i.indrelid WHERE m.relkind = 'm')`;

/** What a database of one view costs is the constant; the rest is judged by the definitions. Leaves the database without views. */
async function measureInspection(bench: Bench): Promise<readonly Row[]> {
  const { stage, directory } = bench;
  const row = (name: string, reference: string) => ({ name, reference, size: stage.size });
  const locks = await watchLocks(stage.url, runCommand(['export'], { directory, environment: stage.environment }));
  const queries = await exportForQueries(bench, directory);
  const [counted] = await stage.query<{ definitions: number }>(countQuery);
  await stage.dropViews();
  await stage.query('CREATE VIEW area_0.only AS SELECT 1 AS one');
  const constant = await exportForQueries(bench, stage.createRepository('one-view'));
  await stage.dropViews();
  return [
    toLimitRow(row('locks held while inspecting', '500 locks'), { value: locks, limit: 500, unit: 'locks' }),
    toLimitRow(row('queries while inspecting', 'a database of one view, and one per 100 definitions'), {
      value: queries,
      limit: constant + Math.ceil((counted?.definitions ?? 0) / 100),
      unit: `queries, ${constant} of them constant`,
    }),
  ];
}

/** `--version` beside an empty script on the same Node; and the milliseconds of our start-up, which are those of `--help`, for which nearly all loads that a command needs. */
export async function measureStartUp(stage: Stage, runs: number): Promise<{ readonly row: Row; readonly startUp: number }> {
  const script = join(stage.folder, 'empty.mjs');
  writeFileSync(script, '');
  const launch = { directory: stage.folder, environment: stage.environment };
  const command = new URL('../bin/run.js', import.meta.url).pathname;
  const run = (flag: string) => runProgram(process.execPath, [command, flag], launch);
  const version = () => run('--version');
  await version();
  await run('--help');
  const pairs = await measurePairs(runs * 3, version, () => runProgram(process.execPath, [script], launch));
  return {
    row: toRow({ name: 'viewsync --version', reference: 'empty script', size: stage.size, goal: 3.5 }, pairs),
    startUp: median((await measurePairs(runs, () => run('--help'), version)).map(({ ours }) => ours)),
  };
}

/** What can be measured by itself: `unchanged` is also the plan, `inspection` the locks and queries. */
export const allRows = ['version', 'unchanged', 'changed', 'first', 'git', 'inspection', 'apply', 'migrate'] as const;

export type RowGroup = (typeof allRows)[number];

/** The groups of rows that `--rows` names. Fails for a name that is none. */
export function readRows(names: string): ReadonlySet<RowGroup> {
  const wanted = names.split(',').filter(Boolean);
  const unknown = wanted.filter((name) => !allRows.some((row) => row === name));
  if (unknown.length > 0) throw new Error(`There is no row "${unknown.join('", "')}" but: ${allRows.join(', ')}.`);
  return new Set(allRows.filter((row) => wanted.includes(row)));
}

/** The highest peak is judged; the others stand beside it. */
function toMemoryRow({ memory, stage }: Bench): Row {
  const peaks = [...memory].map(([command, bytes]) => `${command} ${Math.round(bytes / megabyte)} MB`);
  const value = Math.max(...memory.values()) / megabyte;
  const row = toLimitRow({ name: 'peak memory of our process', reference: '300 MB', size: stage.size }, { value, limit: 300, unit: 'MB' });
  return { ...row, measured: peaks.join(', ') };
}

/** The wanted rows of one database, in the order in which the database allows it. */
export async function measureRows(stage: Stage, { runs, wanted }: { readonly runs: number; readonly wanted: ReadonlySet<RowGroup> }): Promise<readonly Row[]> {
  const { row: version, startUp } = await measureStartUp(stage, runs);
  const directory = stage.createRepository('repository');
  const bench: Bench = { stage, runs, directory, startUp, memory: new Map() };
  await timeCommand(bench, ['export'], directory);
  const groups: readonly (readonly [RowGroup, () => Promise<readonly Row[]>])[] = [
    ['version', async () => [version]],
    ['unchanged', () => measureUnchangedExport(bench)],
    ['changed', async () => [await measureChangedExport(bench)]],
    ['first', () => measureFirstExport(bench)],
    ['git', () => measureGitWrite(bench)],
    ['inspection', () => measureInspection(bench)],
    ['apply', async () => [await measureApply(bench)]],
    ['migrate', async () => [await measureMigration(bench)]],
  ];
  const rows: Row[] = [];
  for (const [group, measure] of groups) if (wanted.has(group)) rows.push(...(await measure()));
  return [...rows, toMemoryRow(bench)];
}
