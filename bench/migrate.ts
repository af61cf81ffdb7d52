import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measurePairs, type Row, toRow } from './pairs.ts';
import { runCommand, runProgram } from './processes.ts';
import type { Bench } from './rows.ts';
import type { Stage } from './stage.ts';

const dependents = 1280;
const chainLength = 10;
const table = 'area_0.source_0';

const nameOf = (index: number) => `area_1.dependent_${index}`;

/** Chains of ten views on one table, each with a comment and a right. */
function writeDependents(): string {
  const views = Array.from({ length: dependents }, (_, index) => {
    const source = index % chainLength === 0 ? table : nameOf(index - 1);
    const query = `SELECT id, customer_id, status, amount * ${index % 7} + 1 AS amount, upper(country) AS country FROM ${source} WHERE amount > ${index}`;
    return `CREATE VIEW ${nameOf(index)} AS ${query}; COMMENT ON VIEW ${nameOf(index)} IS 'Number ${index}'; GRANT SELECT ON ${nameOf(index)} TO bench_reader;`;
  });
  return views.join('\n');
}

const types = ['numeric(14,2)', 'numeric(12,2)'] as const;

/** A migration of one statement for each of the two types, and all that ours runs for it, for psql. */
async function writeScripts({ folder, environment }: Stage, directory: string): Promise<readonly { readonly file: string; readonly whole: string }[]> {
  const scripts = types.map((type, index) => {
    const file = join(folder, `migration-${index}.sql`);
    writeFileSync(file, `ALTER TABLE ${table} ALTER COLUMN amount TYPE ${type};\n`);
    return { file, whole: join(folder, `whole-${index}.sql`) };
  });
  for (const { file, whole } of scripts) {
    const { output } = await runCommand(['migrate', '--sql', file, '--dry-run', '--json'], { directory, environment });
    const { acts } = JSON.parse(output) as { readonly acts: readonly { readonly sql: string }[] };
    writeFileSync(whole, acts.map(({ sql }) => `${sql};\n`).join(''));
  }
  return scripts;
}

/** No server has the rows that all migrations of a day have left behind. Whoever reads the catalogs would pay for the runs before it. */
const leaveAsAutovacuum = ({ query }: Stage) => query('VACUUM');

/** `migrate` of a table with 1,280 dependent views, beside psql with the same statements. Leaves these views behind. */
export async function measureMigration({ stage, runs, memory }: Bench): Promise<Row> {
  const { environment, folder, binaries, url } = stage;
  await stage.dropViews();
  await stage.query(writeDependents());
  const directory = stage.createRepository('migration');
  await runCommand(['export'], { directory, environment });
  const scripts = await writeScripts(stage, directory);
  let turn = 0;
  const next = () => scripts[turn++ % scripts.length] ?? { file: '', whole: '' };
  const ours = async () => {
    await leaveAsAutovacuum(stage);
    const { milliseconds, peakMemory } = await runCommand(['migrate', '--sql', next().file, '--yes'], { directory, environment });
    memory.set('migrate', Math.max(memory.get('migrate') ?? 0, peakMemory));
    return milliseconds;
  };
  const parameters = (file: string) => ['-X', '-q', '-1', '-v', 'ON_ERROR_STOP=1', '-d', url, '-f', file];
  const reference = async () => {
    await leaveAsAutovacuum(stage);
    return runProgram(join(binaries, 'psql'), parameters(next().whole), { directory: folder, environment });
  };
  const row = { name: 'migrate with dependent views', reference: 'psql -1 -f, the same statements', size: dependents, goal: 2 };
  return toRow(row, await measurePairs(Math.min(runs, 3), ours, reference));
}
