import type { Connection } from '../postgres-family/connection.ts';
import type { StandIn } from '../scratch.ts';
import { maskingPolicyFormsQuery, rowPolicyFormsQuery } from './catalog-queries.ts';
import { quoteIdentifier } from './names.ts';
import { readIfAllowed } from './read-catalog.ts';

/** What a policy takes and gives, as JSON. */
interface PolicyForm {
  readonly name: string;
  /** `[{"colname":"id","type":"integer"}]` */
  readonly columns: string | null;
  /** `[{"expr":"...","type":"integer"}]` */
  readonly expressions?: string;
}

interface Typed {
  readonly colname?: unknown;
  readonly type?: unknown;
}

/** Undefined where it is written otherwise than the documentation shows. */
function readTyped(text: string): readonly Typed[] | undefined {
  try {
    const items: unknown = JSON.parse(text);
    return Array.isArray(items) && items.every((item: Typed | null) => typeof item?.type === 'string') ? items : undefined;
  } catch {
    return undefined;
  }
}

const writeColumns = (columns: readonly Typed[]) => columns.map(({ colname, type }) => `${quoteIdentifier(String(colname))} ${type}`).join(', ');

function standInRowPolicy({ name, columns }: PolicyForm): readonly StandIn[] {
  const taken = readTyped(columns ?? '[]');
  if (taken === undefined) return [];
  const list = taken.length === 0 ? '' : ` WITH (${writeColumns(taken)})`;
  return [{ what: `row-level security policy ${name}`, sql: `CREATE RLS POLICY ${quoteIdentifier(name)}${list} USING (true)` }];
}

/** It masks nothing that is there: only what it takes and gives decides whether it can be attached. */
function standInMasking({ name, columns, expressions = '' }: PolicyForm): readonly StandIn[] {
  const [taken, given] = [readTyped(columns ?? ''), readTyped(expressions)];
  if (taken === undefined || given === undefined) return [];
  const values = given.map(({ type }) => `CAST(NULL AS ${type})`).join(', ');
  return [{ what: `masking policy ${name}`, sql: `CREATE MASKING POLICY ${quoteIdentifier(name)} WITH (${writeColumns(taken)}) USING (${values})` }];
}

/** Stand-ins for the policies of the database that our user may see. One that is lacking is named by the views to which it is attached. */
export async function listPolicies(connection: Connection): Promise<readonly StandIn[]> {
  const rows = (await readIfAllowed<PolicyForm>(connection, rowPolicyFormsQuery)) ?? [];
  const masking = (await readIfAllowed<PolicyForm>(connection, maskingPolicyFormsQuery)) ?? [];
  return [...rows.flatMap(standInRowPolicy), ...masking.flatMap(standInMasking)];
}
