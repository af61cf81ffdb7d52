import { orderByReads } from '../../core/graph.ts';
import { readTokens, type Token } from '../../core/lexer.ts';
import { findReferences, readsOf, resolveReference } from '../../core/references.ts';
import { relationKey } from '../../core/relation.ts';
import type { View } from '../../core/view.ts';
import { columnNames } from './attachments.ts';
import { snowflakeDialect } from './dialect.ts';
import { lexicalRules } from './lexical-rules.ts';
import { quoteIdentifier, quoteRelation } from './names.ts';

type Views = ReadonlyMap<string, View>;

/** Words behind a relation in FROM that are no alias of it. https://docs.snowflake.com/en/sql-reference/reserved-keywords */
const noAlias: ReadonlySet<string> = new Set([
  ...['WHERE', 'GROUP', 'HAVING', 'QUALIFY', 'ORDER', 'LIMIT', 'OFFSET', 'FETCH', 'UNION', 'INTERSECT', 'EXCEPT', 'MINUS', 'START', 'CONNECT', 'ON', 'USING'],
  ...['JOIN', 'LEFT', 'RIGHT', 'FULL', 'INNER', 'OUTER', 'CROSS', 'NATURAL', 'ASOF', 'LATERAL', 'SAMPLE', 'TABLESAMPLE', 'PIVOT', 'UNPIVOT', 'AT', 'BEFORE'],
  ...['CHANGES', 'MATCH_RECOGNIZE', 'MATCH_CONDITION', 'FOR'],
]);

function hasAlias(tokens: readonly Token[], end: number): boolean {
  const next = tokens.find((token) => token.start >= end);
  return next?.kind === 'quoted identifier' || (next?.kind === 'word' && !noAlias.has(next.text.toUpperCase()));
}

/** The query with other names in the place of some relations, and every other one named in full, so that it can stand in another view's schema. */
function replaceReferences({ name: reader, definition }: Pick<View, 'name' | 'definition'>, names: ReadonlyMap<string, string>): string {
  const tokens = readTokens(definition, lexicalRules).filter(({ kind }) => kind !== 'comment');
  return findReferences(definition, snowflakeDialect).reduceRight((text, { name, start, end }) => {
    const full = resolveReference(name, reader, snowflakeDialect);
    if (full === undefined) return text;
    const other = names.get(relationKey(full));
    const alias = hasAlias(tokens, end) ? '' : ` AS ${quoteIdentifier(full.name)}`;
    return `${text.slice(0, start)}${other ?? quoteRelation(full)}${other === undefined ? '' : alias}${text.slice(end)}`;
  }, definition);
}

const readKeys = ({ definition, name }: View) => readsOf(definition, snowflakeDialect, name).map(relationKey);

/** The views among `others` that a view reads, directly or not. */
function findNeeded(view: View, others: Views): Views {
  const needed = new Map<string, View>();
  const queue: View[] = [view];
  for (const reader of queue) {
    for (const key of readKeys(reader)) {
      const found = others.get(key);
      if (found === undefined || needed.has(key)) continue;
      needed.set(key, found);
      queue.push(found);
    }
  }
  return needed;
}

function listOf({ attachments }: View): string {
  const list = attachments.find(({ kind }) => kind === 'columns');
  return list ? ` (${columnNames(list).map(quoteIdentifier).join(', ')})` : '';
}

/**
 * A query that gives what a view would give if the views among `others` were as these say: they stand in front of it as WITH queries, since the server
 * knows them only as they are now. Undefined where the view reads none of them, or reads in a circle.
 */
export function inlineViews(view: View, others: Views): string | undefined {
  const needed = findNeeded(view, others);
  if (needed.size === 0 || needed.has(relationKey(view.name))) return undefined;
  const order = orderByReads(new Map([...needed].map(([key, each]) => [key, readKeys(each)])));
  if (order.some(({ isCircular }) => isCircular)) return undefined;
  const names = new Map([...needed.keys()].map((key, index) => [key, `VIEWSYNC_${index}`]));
  const queries = order.flatMap(({ members }) =>
    members.flatMap((key) => {
      const each = needed.get(key);
      return each === undefined ? [] : [`${names.get(key)}${listOf(each)} AS (\n${replaceReferences(each, names)}\n)`];
    }),
  );
  return `WITH ${queries.join(',\n')}\nSELECT * FROM (\n${replaceReferences(view, names)}\n)`;
}
