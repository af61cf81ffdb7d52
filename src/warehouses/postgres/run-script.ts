import { openClient } from '../postgres-family/connection.ts';

/** Runs a script on a connection of its own; resolves to the rows of its last statement. Raises what the driver raises. */
export async function runScript<Row>(url: string, script: string): Promise<readonly Row[]> {
  const client = await openClient({ connectionString: url });
  try {
    const result: unknown = await client.query(script);
    const last = Array.isArray(result) ? result.at(-1) : result;
    return (last as { readonly rows: readonly Row[] }).rows;
  } finally {
    await client.end();
  }
}
