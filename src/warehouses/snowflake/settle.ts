import { isSameDefinition } from '../../core/compare.ts';
import { relationKey } from '../../core/relation.ts';
import type { View } from '../../core/view.ts';
import type { Settled, SettleRequest } from '../warehouse.ts';
import { columnNames } from './attachments.ts';
import type { Connection } from './connection.ts';
import { snowflakeDialect } from './dialect.ts';
import { inlineViews } from './inline.ts';
import { quoteSchema } from './names.ts';
import { isServerError } from './server-error.ts';

/** The columns under the names that the view gives them. */
function renamed(columns: View['columns'], { attachments }: View): View['columns'] {
  const list = attachments.find(({ kind }) => kind === 'columns');
  const names = list ? columnNames(list) : [];
  return names.length === columns.length ? columns.map(({ type }, index) => ({ name: names[index] ?? '', type })) : columns;
}

/** https://docs.snowflake.com/en/sql-reference/sql/create-view: the list and the query must have as many columns. */
function findMisfit({ length }: View['columns'], { attachments }: View): string | undefined {
  const list = attachments.find(({ kind }) => kind === 'columns');
  const count = list ? columnNames(list).length : length;
  return count === length ? undefined : `the list behind its name has ${count} columns and its query has ${length}; leave the list out, or let it fit.`;
}

async function settleOne(connection: Connection, { wanted, live }: SettleRequest, inlined: string | undefined): Promise<Settled> {
  try {
    const columns = await connection.describe(inlined ?? `${wanted.definition}\n`);
    const misfit = findMisfit(columns, wanted);
    if (misfit !== undefined) return { outcome: 'refused', because: misfit };
    return { outcome: live && isSameDefinition(live, wanted, snowflakeDialect) ? 'same' : 'different', columns: renamed(columns, wanted) };
  } catch (error) {
    if (!isServerError(error)) throw error;
    const because = error.message.replaceAll(/\s+/g, ' ').trim();
    return inlined === undefined ? { outcome: 'refused', because } : { outcome: 'unproven', because };
  }
}

/** Requests by the schema in which the view's own unqualified names lie. */
function bySchema(requests: readonly SettleRequest[]): ReadonlyMap<string, readonly SettleRequest[]> {
  return Map.groupBy(requests, ({ wanted }) => quoteSchema(wanted.name));
}

/** Views that will be another way than the server knows them: with another text, or with columns that nobody is sure of. */
function findChanging(requests: readonly SettleRequest[]): ReadonlyMap<string, View> {
  const changing = requests.filter(({ wanted, live }) => !live || live.columns.length === 0 || !isSameDefinition(live, wanted, snowflakeDialect));
  return new Map(changing.map(({ wanted }) => [relationKey(wanted.name), wanted]));
}

function without<Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> {
  return new Map([...map].filter(([other]) => other !== key));
}

/**
 * Compiles each definition without running it. https://docs.snowflake.com/en/developer-guide/node-js/nodejs-driver-execute
 * Where it reads another view of the same question, that one's query stands in front of it.
 */
export async function settle(connection: Connection, requests: readonly SettleRequest[]): Promise<ReadonlyMap<string, Settled>> {
  const changing = findChanging(requests);
  const answers = new Map<string, Settled>();
  for (const [schema, group] of bySchema(requests)) {
    await connection.query(`USE SCHEMA ${schema}`);
    for (const request of group) {
      const key = relationKey(request.wanted.name);
      answers.set(key, await settleOne(connection, request, inlineViews(request.wanted, without(changing, key))));
    }
  }
  return answers;
}
