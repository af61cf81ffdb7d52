import { isSameDefinition } from '../../core/compare.ts';
import { findMentions, readsOf } from '../../core/references.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import type { View } from '../../core/view.ts';
import type { Settled, SettleRequest } from '../warehouse.ts';
import { columnNames } from './attachments.ts';
import { type Connection, isServerError } from './connection.ts';
import { snowflakeDialect } from './dialect.ts';
import { quoteSchema } from './names.ts';

/** Views asked about that this one reads: the server knows them only as they are now. */
function readsAsked({ name, definition }: View, asked: ReadonlySet<string>): string | undefined {
  const reads = readsOf(definition, snowflakeDialect, name).map(relationKey);
  const mentions = findMentions(definition, snowflakeDialect, asked).map((mention) => relationKey(mention.name));
  return [...reads, ...mentions].find((key) => asked.has(key) && key !== relationKey(name));
}

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

async function settleOne(connection: Connection, { wanted, live }: SettleRequest): Promise<Settled> {
  try {
    const columns = await connection.describe(`${wanted.definition}\n`);
    const misfit = findMisfit(columns, wanted);
    if (misfit !== undefined) return { outcome: 'refused', because: misfit };
    return { outcome: live && isSameDefinition(live, wanted, snowflakeDialect) ? 'same' : 'different', columns: renamed(columns, wanted) };
  } catch (error) {
    if (!isServerError(error)) throw error;
    return { outcome: 'refused', because: error.message.replaceAll(/\s+/g, ' ').trim() };
  }
}

/** Requests by the schema in which the view's own unqualified names lie. */
function bySchema(requests: readonly SettleRequest[]): ReadonlyMap<string, readonly SettleRequest[]> {
  return Map.groupBy(requests, ({ wanted }) => quoteSchema(wanted.name));
}

/**
 * Compiles each definition without running it. https://docs.snowflake.com/en/developer-guide/node-js/nodejs-driver-execute
 * One that reads another view of the same question cannot be compiled before that is there.
 */
export async function settle(connection: Connection, requests: readonly SettleRequest[]): Promise<ReadonlyMap<string, Settled>> {
  const changing = requests.filter(({ wanted, live }) => !live || !isSameDefinition(live, wanted, snowflakeDialect));
  const asked = new Set(changing.map(({ wanted }) => relationKey(wanted.name)));
  const answers = new Map<string, Settled>();
  for (const [schema, group] of bySchema(requests)) {
    const set = (name: RelationName, answer: Settled) => answers.set(relationKey(name), answer);
    const open = group.filter(({ wanted }) => {
      const read = readsAsked(wanted, asked);
      if (read !== undefined) set(wanted.name, { outcome: 'unproven', because: `it reads ${read}, which changes in the same plan` });
      return read === undefined;
    });
    if (open.length > 0) await connection.query(`USE SCHEMA ${schema}`);
    for (const request of open) set(request.wanted.name, await settleOne(connection, request));
  }
  return answers;
}
