import { parseArgs } from 'node:util';
import type { Row } from './pairs.ts';
import { measureReferences } from './references.ts';
import { measureRoundTrips } from './round-trips.ts';
import { allRows, measureRows, readRows } from './rows.ts';
import { measureSnowflake } from './snowflake.ts';
import { openStage } from './stage.ts';
import { renderTable } from './table.ts';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '500,5000,10000' },
    runs: { type: 'string', default: '5' },
    rows: { type: 'string', default: allRows.join(',') },
    json: { type: 'boolean', default: false },
    references: { type: 'boolean', default: false },
    snowflake: { type: 'boolean', default: false },
    'round-trips': { type: 'boolean', default: false },
  },
});

const rows: Row[] = [];
const wanted = readRows(values.rows);
if (values.references) process.stdout.write(`${measureReferences()}\n`);
if (values['round-trips']) process.stdout.write(`${await measureRoundTrips()}\n`);
if (values.snowflake) process.stdout.write(`${await measureSnowflake([10, 1000, 20_000])}\n`);
for (const size of (values.references || values.snowflake || values['round-trips'] ? '' : values.size).split(',').filter(Boolean).map(Number)) {
  const stage = await openStage(size);
  try {
    const measured = await measureRows(stage, { runs: Number(values.runs), wanted });
    if (!values.json) process.stdout.write(`${renderTable(measured)}\n`);
    rows.push(...measured);
  } finally {
    await stage.close();
  }
}
if (values.json) process.stdout.write(`${JSON.stringify({ rows }, null, 2)}\n`);
