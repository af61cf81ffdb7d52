import { findMentions } from '../../core/references.ts';
import { bareKey, isRoutineName, type RelationName, relationKey } from '../../core/relation.ts';
import { sameTokens } from '../../core/tokens.ts';
import type { View } from '../../core/view.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';
import type { Settled, SettleRequest } from '../warehouse.ts';
import { isDenied } from './brief-wait.ts';
import { bystanderTextQueries } from './bystander-texts.ts';
import { textQueries } from './catalog-queries.ts';
import { amongComparisons } from './comparison-path.ts';
import { postgresDialect } from './dialect.ts';
import { quoteRelation, quoteText } from './names.ts';

type Printing = Readonly<Record<string, { readonly query: string; readonly oids: string }>>;

/** For each kind on a table the query that prints, and where the oid of what stands on `$table` is. */
const onTables: Printing = {
  policy: { query: bystanderTextQueries.policy, oids: 'oid) FROM pg_policy WHERE polrelid = $table' },
  check: { query: bystanderTextQueries.check, oids: "oid) FROM pg_constraint WHERE contype = 'c' AND conrelid = $table" },
  default: { query: bystanderTextQueries.tableDefault, oids: 'oid) FROM pg_attrdef WHERE adrelid = $table' },
  rule: { query: textQueries.rule, oids: 'oid) FROM pg_rewrite WHERE ev_class = $table' },
  trigger: { query: textQueries.trigger, oids: 'oid) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = $table' },
  index: { query: textQueries.index, oids: 'indexrelid) FROM pg_index WHERE indrelid = $table' },
};

/** The same for routines. What is in neither list is written by us, and always printed alike. */
const routines: Printing = Object.fromEntries(
  ['function', 'procedure'].map((kind) => [
    kind,
    { query: bystanderTextQueries.routine, oids: 'oid) FROM pg_proc WHERE pronamespace = pg_my_temp_schema() AND proname = $name' },
  ]),
);

function tableOf({ schema, object }: RelationName): RelationName {
  return { schema, name: object?.on ?? '' };
}

/** What stands for the table or routine that a statement is about: one of the same name, by which its columns or arguments may be called. */
function temporaryOf({ name, object }: RelationName): RelationName {
  return { schema: 'pg_temp', name: object?.on ?? name };
}

/** The statement with a temporary name in place of the routine's, or of the table's that it is about, which it says first. */
function renamed({ name, definition }: View): string | undefined {
  const key = isRoutineName(name) ? bareKey(name) : relationKey(tableOf(name));
  const [mention] = findMentions(definition, postgresDialect, new Set([key]));
  return mention && `${definition.slice(0, mention.start)}${quoteRelation(temporaryOf(name))}${definition.slice(mention.end)}`;
}

/** How the kind of a name is printed. */
function findQuery(name: RelationName): string | undefined {
  const kind = name.object?.kind ?? '';
  const found = onTables[kind] ?? routines[kind];
  const temporary = temporaryOf(name);
  const oids = found?.oids.replace('$table', () => `${quoteText(quoteRelation(temporary))}::regclass`).replace('$name', () => quoteText(temporary.name));
  return found?.query.replaceAll('$1', () => `(SELECT array_agg(${oids})`);
}

// Not LIKE, for which our role would have to be allowed to read the table.
const columnsQuery = `
SELECT coalesce(string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
         || CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || a.attcollation::regcollation::text ELSE '' END, ', ' ORDER BY a.attnum), '') AS columns
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`;

async function makeTable(connection: Connection, name: RelationName): Promise<void> {
  const [row] = await connection.query<{ columns: string }>(columnsQuery, [quoteRelation(tableOf(name))]);
  await connection.run(`CREATE TEMP TABLE ${quoteRelation(temporaryOf(name))} (${row?.columns ?? ''})`);
}

type Print = { readonly text: string } | { readonly failure: string };

/** How the server prints what a statement makes; nothing of it stays. */
async function print(connection: Connection, sql: string, query: string): Promise<Print> {
  const results = await Promise.allSettled([
    connection.run('SAVEPOINT viewsync_print'),
    connection.run(amongComparisons(sql)),
    connection.query<{ text: string }>(query).then(([row]) => row?.text),
    connection.run('ROLLBACK TO SAVEPOINT viewsync_print; RELEASE SAVEPOINT viewsync_print'),
  ]);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed && (!isServerError(failed.reason) || isDenied(failed.reason))) throw failed.reason;
  const [, , text] = results;
  if (failed || text.status === 'rejected' || text.value === undefined) return { failure: failed ? String(failed.reason.message) : 'it was not made' };
  return { text: text.value };
}

const isSame = (left: Print, right: Print) => 'text' in left && 'text' in right && sameTokens(left.text, right.text, postgresDialect);

/** A text is printed in another way once it was loaded, and after that never again: so where the prints of two differ, those of their prints are compared. */
async function comparePrints(connection: Connection, texts: readonly [wanted: string, live: string], query: string): Promise<Settled> {
  const [wanted, live] = [await print(connection, texts[0], query), await print(connection, texts[1], query)];
  if ('failure' in wanted) return { outcome: 'unproven', because: wanted.failure };
  if (isSame(wanted, live)) return { outcome: 'same', columns: [] };
  if ('failure' in live) return { outcome: 'different', columns: [] };
  const again = [await print(connection, wanted.text, query), await print(connection, live.text, query)] as const;
  return { outcome: isSame(...again) ? 'same' : 'different', columns: [] };
}

async function settleOne(connection: Connection, { wanted, live }: SettleRequest): Promise<Settled> {
  if (live === undefined) return { outcome: 'different', columns: [] };
  const [ours, theirs, query] = [renamed(wanted), renamed(live), findQuery(wanted.name)];
  if (ours === undefined || theirs === undefined || query === undefined) return { outcome: 'unproven', because: 'only the server could tell' };
  await connection.run('SAVEPOINT viewsync_object');
  try {
    if (wanted.name.object?.on !== undefined) await makeTable(connection, wanted.name);
    return await comparePrints(connection, [ours, theirs], query);
  } catch (error) {
    if (!isServerError(error) || isDenied(error)) throw error;
    return { outcome: 'unproven', because: error.message };
  } finally {
    await connection.run('ROLLBACK TO SAVEPOINT viewsync_object; RELEASE SAVEPOINT viewsync_object');
  }
}

/** Whether texts of bystanders are the same to the server, in the open transaction, under temporary names of which nothing stays. */
export async function settleBystanders(connection: Connection, requests: readonly SettleRequest[]): Promise<ReadonlyMap<string, Settled>> {
  const settled = new Map<string, Settled>();
  for (const request of requests) settled.set(relationKey(request.wanted.name), await settleOne(connection, request));
  return settled;
}
