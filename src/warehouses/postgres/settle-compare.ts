import type { RenamedColumn } from '../../core/dialect.ts';
import { sameTokens } from '../../core/tokens.ts';
import type { Column } from '../../core/view.ts';
import type { Connection } from '../postgres-family/connection.ts';
import type { Rewritten } from '../postgres-family/rewrite.ts';
import type { Settled, SettleRequest } from '../warehouse.ts';
import { postgresDialect } from './dialect.ts';
import { quoteIdentifier } from './names.ts';
import { type Created, createAll, createTemporary, type TemporaryView } from './settle-sql.ts';

/** A request with what is needed to create it aside. */
export interface Question extends SettleRequest {
  /** `relationKey` of the view. */
  readonly key: string;
  /** Keys of the other questions, and perhaps its own, that the wanted text names. */
  readonly reads: readonly string[];
  readonly isCircular: boolean;
  /** Name of the temporary view of the wanted text. */
  readonly temporary: string;
}

/** Both texts of a question as temporary views. */
export interface Made {
  readonly question: Question;
  readonly wanted: Created;
  readonly live: Created | undefined;
  readonly wantedText: Rewritten;
  readonly liveText: Rewritten | undefined;
}

/** Whether the server prints both texts alike. A live text that cannot be created again is compared as it is. */
export function isSamePrint({ question, wanted, live, wantedText, liveText }: Made): boolean {
  if ('failure' in wanted || live === undefined || liveText === undefined) return false;
  if (wantedText.replaced.join() !== liveText.replaced.join()) return false;
  const print = 'view' in live ? live.view.definition : wantedText.replaced.length === 0 ? `${question.live?.definition ?? ''};` : undefined;
  return print !== undefined && sameTokens(wanted.view.definition, print, postgresDialect);
}

/** Whether two lists of columns are equal, in order. */
export function hasColumns(left: readonly Column[], right: readonly Column[]): boolean {
  return left.length === right.length && left.every(({ name, type }, index) => name === right[index]?.name && type === right[index].type);
}

interface Candidate extends Made {
  readonly settled: Settled & { readonly outcome: 'different' };
  readonly view: TemporaryView;
  readonly liveText: Rewritten;
  /** Empty when all columns are the same. */
  readonly renamed: readonly RenamedColumn[];
}

/**
 * A second look at what differs in the print alone. The server prints some views in another way once they have been created from its own text
 * (`IN` over varchar, nested BETWEEN), and after that never again: so the wanted text's print is created too. Where only names of columns differ,
 * the live text under the new names must print alike.
 */
export async function lookAgain(connection: Connection, made: readonly Made[], answers: ReadonlyMap<string, Settled>): Promise<ReadonlyMap<string, Settled>> {
  const candidates = made.flatMap((each) => toCandidate(each, answers.get(each.question.key)));
  if (candidates.length === 0) return new Map();
  const create = await createAll(connection, candidates.flatMap(toStatements));
  const isProven = (each: Candidate): boolean => {
    const live = each.renamed.length === 0 ? each.live : create(renamedName(each));
    return [each.wanted, create(againName(each))].some((wanted) => isSamePrint({ ...each, wanted, live }));
  };
  return new Map(
    candidates
      .filter(isProven)
      .map(({ question, settled, renamed }) => [question.key, renamed.length === 0 ? { ...settled, outcome: 'same' } : { ...settled, renamed }]),
  );
}

const againName = ({ question }: Made): string => `${question.temporary}_again`;
const renamedName = ({ question }: Made): string => `${question.temporary}_renamed`;

function toCandidate(made: Made, settled: Settled | undefined): readonly Candidate[] {
  const { question, wanted, live, liveText } = made;
  if (settled?.outcome !== 'different' || question.live === undefined || liveText === undefined || live === undefined) return [];
  if ('failure' in wanted || 'failure' in live) return [];
  const renamed = listRenamed(question.live.columns, settled.columns);
  const isOpen = renamed.length > 0 || hasColumns(settled.columns, question.live.columns);
  return isOpen ? [{ ...made, settled, view: wanted.view, liveText, renamed }] : [];
}

function toStatements(candidate: Candidate): readonly { readonly name: string; readonly sql: string }[] {
  const { settled, view, liveText, renamed } = candidate;
  const names = ` (${settled.columns.map((column) => quoteIdentifier(column.name)).join(', ')})`;
  return [
    { name: againName(candidate), sql: createTemporary(againName(candidate), view.definition) },
    ...(renamed.length === 0 ? [] : [{ name: renamedName(candidate), sql: createTemporary(renamedName(candidate), liveText.text, names) }]),
  ];
}

/** Which columns would have to be renamed; none when something else differs, or when a new name is still taken by another column. */
function listRenamed(from: readonly Column[], to: readonly Column[]): readonly RenamedColumn[] {
  if (from.length !== to.length || from.some(({ type }, index) => type !== to[index]?.type)) return [];
  const renamed = from.map(({ name }, index) => ({ from: name, to: to[index]?.name ?? '' })).filter((each) => each.from !== each.to);
  return renamed.some((each) => from.some(({ name }) => name === each.to)) ? [] : renamed;
}
