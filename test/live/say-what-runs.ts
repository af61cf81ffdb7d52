/** The variables that let the checks of a warehouse run. */
const needed: Readonly<Record<string, readonly string[]>> = {
  bigquery: ['VIEWSYNC_LIVE_BIGQUERY_PROJECT', 'VIEWSYNC_LIVE_BIGQUERY_MEMBER'],
  snowflake: ['VIEWSYNC_LIVE_SNOWFLAKE_DATABASE'],
  redshift: ['VIEWSYNC_LIVE_REDSHIFT_URL'],
};

/** Says what runs and what does not: nobody is to take silence for success. */
export default function sayWhatRuns(): void {
  for (const [warehouse, variables] of Object.entries(needed)) {
    const missing = variables.filter((variable) => !process.env[variable]);
    process.stdout.write(missing.length === 0 ? `${warehouse}: checked.\n` : `${warehouse}: NOT checked, since ${missing.join(', ')} is not set.\n`);
  }
}
