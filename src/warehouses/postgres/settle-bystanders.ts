import { findMentions } from '../../core/references.ts';
import { bareKey, isRoutineName, type RelationName, relationKey } from '../../core/relation.ts';
import type { View } from '../../core/view.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';
import type { Settled, SettleRequest } from '../warehouse.ts';
import { bystanderTextQueries } from './bystander-texts.ts';
import { textQueries } from './catalog-queries.ts';
import { postgresDialect } from './dialect.ts';
import { quoteRelation } from './names.ts';

const temporary = 'pg_temp.viewsync_object';
const onTable = (column: string) => `${column} = '${temporary}'::regclass`;

/** For each kind the query that prints, and where the temporary object's oid is. The others are written by us and always print alike. */
const printed: Readonly<Record<string, { readonly query: string; readonly oids: string }>> = {
  policy: { query: bystanderTextQueries.policy, oids: `oid) FROM pg_policy WHERE ${onTable('polrelid')}` },
  check: { query: bystanderTextQueries.check, oids: `oid) FROM pg_constraint WHERE contype = 'c' AND ${onTable('conrelid')}` },
  default: { query: bystanderTextQueries.tableDefault, oids: `oid) FROM pg_attrdef WHERE ${onTable('adrelid')}` },
  rule: { query: textQueries.rule, oids: `oid) FROM pg_rewrite WHERE ${onTable('ev_class')}` },
  trigger: { query: textQueries.trigger, oids: `oid) FROM pg_trigger WHERE ${onTable('tgrelid')}` },
  index: { query: textQueries.index, oids: `indexrelid) FROM pg_index WHERE ${onTable('indrelid')}` },
  function: { query: bystanderTextQueries.routine, oids: `oid) FROM pg_proc WHERE pronamespace = pg_my_temp_schema() AND proname = 'viewsync_object'` },
  procedure: { query: bystanderTextQueries.routine, oids: `oid) FROM pg_proc WHERE pronamespace = pg_my_temp_schema() AND proname = 'viewsync_object'` },
};

function tableOf({ schema, object }: RelationName): RelationName {
  return { schema, name: object?.on ?? '' };
}

/** The statement with a temporary name in place of the routine's, or of the table's that it is about, which it says first. */
function renamed({ name, definition }: View): string | undefined {
  const key = isRoutineName(name) ? bareKey(name) : relationKey(tableOf(name));
  const [mention] = findMentions(definition, postgresDialect, new Set([key]));
  return mention && `${definition.slice(0, mention.start)}${temporary}${definition.slice(mention.end)}`;
}

type Print = { readonly text: string } | { readonly failure: string };

/** How the server prints a text once it has made something of it: under a temporary name, of which nothing stays. */
async function print(connection: Connection, view: View): Promise<Print> {
  const kind = printed[view.name.object?.kind ?? ''];
  const sql = renamed(view);
  if (!kind || sql === undefined) return { failure: 'only the server could tell' };
  const query = kind.query.replaceAll('$1', `(SELECT array_agg(${kind.oids})`);
  const isOnTable = view.name.object?.on !== undefined;
  const results = await Promise.allSettled([
    connection.run('SAVEPOINT viewsync_object'),
    isOnTable ? connection.run(`CREATE TEMP TABLE viewsync_object (LIKE ${quoteRelation(tableOf(view.name))})`) : undefined,
    connection.run(sql),
    connection.query<{ text: string }>(query).then(([row]) => row?.text),
    connection.run('ROLLBACK TO SAVEPOINT viewsync_object; RELEASE SAVEPOINT viewsync_object'),
  ]);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed && !isServerError(failed.reason)) throw failed.reason;
  const [, , , text] = results;
  if (failed || text.status === 'rejected' || text.value === undefined) return { failure: failed ? String(failed.reason.message) : 'it was not made' };
  return { text: text.value };
}

async function settleOne(connection: Connection, { wanted, live }: SettleRequest): Promise<Settled> {
  if (live === undefined) return { outcome: 'different', columns: [] };
  const [ours, theirs] = [await print(connection, wanted), await print(connection, live)];
  if ('failure' in ours) return { outcome: 'unproven', because: ours.failure };
  return { outcome: 'text' in theirs && ours.text === theirs.text ? 'same' : 'different', columns: [] };
}

/** Whether texts of bystanders are the same to the server, in the open transaction. Takes shared locks on their tables. */
export async function settleBystanders(connection: Connection, requests: readonly SettleRequest[]): Promise<ReadonlyMap<string, Settled>> {
  const settled = new Map<string, Settled>();
  for (const request of requests) settled.set(relationKey(request.wanted.name), await settleOne(connection, request));
  return settled;
}
