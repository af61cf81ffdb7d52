import { diffColumns, hasColumnChange } from '../../core/compare.ts';
import { findReaders, reach } from '../../core/graph.ts';
import { readTokens, type Token } from '../../core/lexer.ts';
import { readsOf } from '../../core/rebuild.ts';
import { findReferences, type Reference, resolveReference } from '../../core/references.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import { hasStar } from '../../core/stale.ts';
import type { Column, View } from '../../core/view.ts';
import type { StaleViews } from '../standing.ts';
import type { Client } from './client.ts';
import { isReplacedByStatement } from './create-statements.ts';
import { bigqueryDialect } from './dialect.ts';
import { lexicalRules } from './lexical-rules.ts';
import { reservedWords } from './reserved-words.ts';
import { type PlaceOf, settle } from './settle.ts';

/** Whether the view takes over columns of what it reads, and finds them anew when it is put over itself. */
function isFollower(view: View): boolean {
  const isLegacy = view.attachments.some(({ kind }) => kind === 'legacy SQL');
  return view.kind === 'view' && !isLegacy && !isReplacedByStatement(view) && hasStar(view.definition, bigqueryDialect);
}

/** Relations whose columns decide which views may have gone stale; of views among them these are known already. */
export function findSources(views: readonly View[]): readonly RelationName[] {
  const known = new Set(views.map(({ name }) => relationKey(name)));
  const reads = views.filter(isFollower).flatMap((view) => view.reads.filter((read) => !known.has(relationKey(read))));
  return [...new Map(reads.map((read) => [relationKey(read), read])).values()];
}

const startsColumn: ReadonlySet<string> = new Set(['SELECT', 'DISTINCT', 'ALL', ',', '.']);

const nameOf = (token: Token) => (token.text.startsWith('`') ? token.text.slice(1, -1) : token.text).toLowerCase();

/** Names in the lists behind a star, whose columns are left out or are others: `* EXCEPT (a) REPLACE (1 AS b)`. https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#select_except */
function findLeftOut(tokens: readonly Token[]): ReadonlySet<string> {
  const names = new Set<string>();
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    const opens = token.text === '(' && /^(?:EXCEPT|REPLACE)$/i.test(tokens[index - 1]?.text ?? '');
    if (depth > 0 || opens) depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0;
    if (depth > 0 && token.kind !== 'punctuation') names.add(nameOf(token));
  }
  return names;
}

/** What a query calls the relation that ends there: its alias, or the last part of its name. */
function callAt(tokens: readonly Token[], { name, end }: Reference): string {
  const [next, after] = tokens.slice(tokens.findIndex(({ start }) => start >= end));
  const alias = next?.text.toUpperCase() === 'AS' ? after : next;
  const isAlias =
    alias !== undefined &&
    alias.start >= end &&
    (alias.kind === 'quoted identifier' || (alias.kind === 'word' && !reservedWords.has(alias.text.toUpperCase())));
  return isAlias ? nameOf(alias) : name.name.toLowerCase();
}

/** The relations whose columns the stars stand for: of `o.*` those that are called so, of a plain `*` any that the view reads. */
function findStarred(view: View, tokens: readonly Token[]): readonly RelationName[] {
  const stars = tokens.flatMap(({ text }, index) => (text === '*' && startsColumn.has(tokens[index - 1]?.text.toUpperCase() ?? '') ? [index] : []));
  if (stars.some((index) => tokens[index - 1]?.text !== '.')) return view.reads;
  const called = new Set(stars.flatMap((index) => tokens[index - 2] ?? []).map(nameOf));
  const references = findReferences(view.definition, bigqueryDialect).filter((reference) => called.has(callAt(tokens, reference)));
  return references.flatMap(({ name }) => resolveReference(name, view.name, bigqueryDialect) ?? []);
}

/** Types as a column of a view has them, which keeps no length or precision. https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#parameterized_data_types */
const bareType = (type: string) => type.replaceAll(/\s*\([^()]*\)/g, '');

/** Whether the columns that a view shows can no longer be those that its query gives. A view of which a query shows only a part of a star is suspected for ever, and asked about. */
function isSuspect(view: View, sources: ReadonlyMap<string, readonly Column[]>): boolean {
  const tokens = readTokens(view.definition, lexicalRules).filter(({ kind }) => kind !== 'comment');
  const columnsOf = (names: readonly RelationName[]) => names.flatMap((name) => sources.get(relationKey(name)) ?? []);
  const shown = new Map(view.columns.map(({ name, type }) => [name.toLowerCase(), bareType(type)]));
  const leftOut = findLeftOut(tokens);
  const isTaken = ({ name, type }: Column) => leftOut.has(name.toLowerCase()) || shown.get(name.toLowerCase()) === bareType(type);
  if (!columnsOf(findStarred(view, tokens)).every(isTaken)) return true;
  if (!view.reads.every((name) => sources.has(relationKey(name)))) return false;
  const known = new Set([...columnsOf(view.reads).map(({ name }) => name.toLowerCase()), ...tokens.map(nameOf)]);
  return [...shown.keys()].some((name) => !known.has(name));
}

/** `Inspection.suspects`: a view shows the columns that it was made with until it is updated. https://cloud.google.com/bigquery/docs/views#limitations */
export function findSuspects(views: readonly View[], tables: ReadonlyMap<string, readonly Column[]>): readonly View[] {
  const followers = views.filter(isFollower);
  const sources = new Map([...tables, ...views.map(({ name, columns }) => [relationKey(name), columns] as const)]);
  const first = followers.filter((view) => isSuspect(view, sources)).map(({ name }) => relationKey(name));
  const reached = reach(first, findReaders(readsOf(followers)));
  return followers.filter(({ name }) => reached.has(relationKey(name)));
}

/** `Warehouse.findStale`: each view is asked about by a dry run of its query. */
export async function findStale(client: Client, views: readonly View[], placeOf: PlaceOf): Promise<StaleViews> {
  // With its columns unknown, a view is asked about although its definition is the one that is there.
  const answers = await settle(
    client,
    views.map((wanted) => ({ wanted, live: { ...wanted, columns: [] } })),
    placeOf,
  );
  const answerOf = ({ name }: View) => answers.get(relationKey(name));
  return {
    stale: views.flatMap((view) => {
      const answer = answerOf(view);
      const columns = answer && 'columns' in answer && !isReplacedByStatement(view) ? answer.columns : [];
      return hasColumnChange(diffColumns(view.columns, columns)) ? [{ view, columns }] : [];
    }),
    broken: views.flatMap((view) => {
      const answer = answerOf(view);
      return answer?.outcome === 'refused' ? [{ name: view.name, reason: answer.because }] : [];
    }),
  };
}
