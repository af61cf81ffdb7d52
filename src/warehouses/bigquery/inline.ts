import { orderByReads } from '../../core/graph.ts';
import { readTokens, type Token } from '../../core/lexer.ts';
import { findReferences, readsOf, resolveReference } from '../../core/references.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import type { View } from '../../core/view.ts';
import { bigqueryDialect } from './dialect.ts';
import { lexicalRules } from './lexical-rules.ts';
import { quoteIdentifier } from './names.ts';
import { reservedWords } from './reserved-words.ts';

function hasAlias(tokens: readonly Token[], end: number): boolean {
  const next = tokens.find((token) => token.start >= end);
  if (next?.kind === 'quoted identifier') return true;
  return next?.kind === 'word' && (next.text.toUpperCase() === 'AS' || !reservedWords.has(next.text.toUpperCase()));
}

/** Puts other names in the place of the relations that `names` holds by `relationKey`. Columns are still found under the former ones. */
function replaceReferences({ name: reader, definition }: Pick<View, 'name' | 'definition'>, names: ReadonlyMap<string, string>): string {
  const tokens = readTokens(definition, lexicalRules).filter(({ kind }) => kind !== 'comment');
  return findReferences(definition, bigqueryDialect).reduceRight((text, { name, start, end }) => {
    const full = resolveReference(name, reader, bigqueryDialect);
    const other = full && names.get(relationKey(full));
    if (full === undefined || other === undefined) return text;
    const alias = hasAlias(tokens, end) ? '' : ` AS ${quoteIdentifier(full.name)}`;
    return `${text.slice(0, start)}${quoteIdentifier(other)}${alias}${text.slice(end)}`;
  }, definition);
}

/** The keys of the views among `others` that a view reads, directly or not. */
function findNeeded(view: View, others: ReadonlyMap<string, View>): ReadonlyMap<string, View> {
  const needed = new Map<string, View>();
  const queue: View[] = [view];
  for (const reader of queue) {
    for (const read of readsOf(reader.definition, bigqueryDialect, reader.name)) {
      const found = others.get(relationKey(read));
      if (found === undefined || needed.has(relationKey(read))) continue;
      needed.set(relationKey(read), found);
      queue.push(found);
    }
  }
  return needed;
}

const readKeys = ({ definition, name }: { definition: string; name: RelationName }) => readsOf(definition, bigqueryDialect, name).map(relationKey);

/**
 * A query that gives what a view would give if the views among `others` were as these say: they stand in front of it as WITH queries, so that
 * nothing has to be made to ask about a chain of views. Undefined where the view reads none of them, or reads in a circle.
 */
export function inlineViews(view: View, others: ReadonlyMap<string, View>): string | undefined {
  const needed = findNeeded(view, others);
  if (needed.size === 0 || needed.has(relationKey(view.name))) return undefined;
  const order = orderByReads(new Map([...needed].map(([key, each]) => [key, readKeys(each)])));
  if (order.some(({ isCircular }) => isCircular)) return undefined;
  const names = new Map([...needed.keys()].map((key, index) => [key, `viewsync_${index}`]));
  const queries = order
    .flatMap(({ members }) => members)
    .flatMap((key) => {
      const each = needed.get(key);
      return each === undefined ? [] : [`${quoteIdentifier(names.get(key) ?? '')} AS (\n${replaceReferences(each, names)}\n)`];
    });
  return `WITH ${queries.join(',\n')}\nSELECT * FROM (\n${replaceReferences(view, names)}\n)`;
}
