/** What takes minutes of its own: deaths at many moments, races, lost answers, stories of the command line, and every command of the documents. */
export const longSuites: readonly string[] = [
  'test/commands/demo.test.ts',
  'test/commands/story.test.ts',
  'test/docs.test.ts',
  'test/faults/interrupted.test.ts',
  'test/faults/killed.test.ts',
  'test/faults/restless.test.ts',
  'test/faults/server-gone.test.ts',
  'test/faults/server-stopped.test.ts',
  'test/faults/two-at-once.test.ts',
  'test/fuzz/fuzz.test.ts',
  'test/operations/push-races.test.ts',
  'test/warehouses/bigquery/faults.test.ts',
  'test/warehouses/bigquery/killed.test.ts',
  'test/warehouses/redshift/killed.test.ts',
  'test/warehouses/snowflake/killed.test.ts',
  'test/warehouses/snowflake/lost-answers.test.ts',
];

/** `npm test` leaves the long ones out, `VIEWSYNC_TESTS=long` takes them alone, and `all`, as naming suites does, leaves out none. */
export function whichSuites(): 'short' | 'long' | 'all' {
  const chosen = process.env['VIEWSYNC_TESTS'];
  if (chosen === 'long' || chosen === 'all') return chosen;
  const named = process.argv.slice(process.argv.indexOf('run') + 1).some((argument) => !argument.startsWith('-'));
  return named ? 'all' : 'short';
}
