import type { RenamedColumn } from '../../core/dialect.ts';
import { reach } from '../../core/graph.ts';
import type { RelationName } from '../../core/relation.ts';
import { sameTokens } from '../../core/tokens.ts';
import type { Column } from '../../core/view.ts';
import type { Settled, SettleRequest } from '../warehouse.ts';
import type { Connection } from './connection.ts';
import { postgresDialect } from './dialect.ts';
import { quoteIdentifier, quoteRelation } from './names.ts';
import { type Rewritten, rewriteReferences } from './rewrite.ts';
import { createTemporary, readTemporaryViews, runStatements, type StatementOutcome, type TemporaryView } from './settle-sql.ts';

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

export interface BatchOptions {
  readonly questions: readonly Question[];
  readonly earlier: readonly Question[];
  /** Answers to the earlier questions. */
  readonly settled: ReadonlyMap<string, Settled>;
}

/** A temporary view that failed, or how it came out. */
type Created = { readonly view: TemporaryView } | { readonly failure: StatementOutcome };

interface Made {
  readonly question: Question;
  readonly wanted: Created;
  readonly live: Created | undefined;
  readonly wantedText: Rewritten;
  readonly liveText: Rewritten | undefined;
}

/** Creates the wanted and the live texts of a batch as temporary views and compares what the server prints. */
export async function settleBatch(connection: Connection, options: BatchOptions): Promise<ReadonlyMap<string, Settled>> {
  const helpers = findHelpers(options);
  const replacements = new Map([...helpers, ...options.questions].map(({ key, temporary }) => [key, { schema: 'pg_temp', name: temporary }]));
  const made = await make(connection, { ...options, helpers, replacements });
  const answers = new Map(options.settled);
  const restore = restoreNames([...helpers, ...options.questions]);
  for (const each of made) answers.set(each.question.key, answer(each, answers, restore));
  for (const [key, renamed] of await findRenamed(connection, made, answers)) answers.set(key, renamed);
  return new Map(options.questions.flatMap(({ key }) => (answers.has(key) ? [[key, answers.get(key) as Settled] as const] : [])));
}

/** Earlier views that differ from the live ones and that views of this batch read: these have to be there again. */
function findHelpers({ questions, earlier, settled }: BatchOptions): readonly Question[] {
  const reads = new Map([...earlier, ...questions].map((question) => [question.key, question.reads]));
  const reached = reach(
    questions.map(({ key }) => key),
    reads,
  );
  return earlier.filter(({ key }) => reached.has(key) && settled.get(key)?.outcome === 'different');
}

interface MakeOptions {
  readonly questions: readonly Question[];
  readonly helpers: readonly Question[];
  readonly replacements: ReadonlyMap<string, RelationName>;
}

async function make(connection: Connection, { questions, helpers, replacements }: MakeOptions): Promise<readonly Made[]> {
  const rewrite = (sql: string): Rewritten => rewriteReferences(sql, replacements, postgresDialect);
  const texts = questions.map((question) => ({
    question,
    wantedText: rewrite(question.wanted.definition),
    liveText: question.live === undefined ? undefined : rewrite(question.live.definition),
  }));
  const statements = [
    ...[...helpers, ...questions].flatMap(toPlaceholder),
    ...helpers.map(({ temporary, wanted }) => ({ name: temporary, sql: createTemporary(temporary, rewrite(wanted.definition).text) })),
    ...texts.flatMap(({ question: { temporary }, wantedText, liveText }) => [
      { name: temporary, sql: createTemporary(temporary, wantedText.text) },
      ...(liveText === undefined ? [] : [{ name: liveName(temporary), sql: createTemporary(liveName(temporary), liveText.text) }]),
    ]),
  ];
  const create = await createAll(connection, statements);
  return texts.map(({ question, wantedText, liveText }) => ({
    question,
    wantedText,
    liveText,
    wanted: create(question.temporary),
    live: liveText === undefined ? undefined : create(liveName(question.temporary)),
  }));
}

const liveName = (temporary: string): string => `${temporary}_live`;

interface NamedStatement {
  readonly name: string;
  readonly sql: string;
}

/** Runs the statements and tells what became of each name; the last statement of a name counts. */
async function createAll(connection: Connection, statements: readonly NamedStatement[]): Promise<(name: string) => Created> {
  const names = [...new Set(statements.map(({ name }) => name))];
  const [failures, views] = await Promise.all([
    runStatements(
      connection,
      statements.map(({ sql }) => sql),
    ),
    readTemporaryViews(connection, names),
  ]);
  const lastPositions = new Map(statements.map(({ name }, position) => [name, position]));
  const byPosition = new Map(failures.map((failure) => [failure.position, failure]));
  return (name) => {
    const failure = byPosition.get(lastPositions.get(name) ?? -1);
    const view = views.get(name);
    if (failure !== undefined || view === undefined) return { failure: failure ?? { position: -1, code: 'XX000', message: 'it was not created', hint: null } };
    return { view };
  };
}

/** Stands for a view of a circle until its own text can be read, when its columns are known. */
function toPlaceholder({ isCircular, wanted, live, temporary }: Question): readonly NamedStatement[] {
  if (!isCircular) return [];
  const columns = wanted.columns.length > 0 ? wanted.columns : (live?.columns ?? []);
  const sql = postgresDialect.createPlaceholder({ ...wanted, kind: 'view', name: { schema: 'pg_temp', name: temporary }, columns, attachments: [] });
  return sql === undefined ? [] : [{ name: temporary, sql }];
}

type Restore = (text: string) => string;

/** Gives temporary views the names of the views that they stand for. */
function restoreNames(questions: readonly Question[]): Restore {
  const names = new Map(questions.map(({ temporary, wanted }) => [temporary, quoteRelation(wanted.name)]));
  return (text) => text.replaceAll(/(?:pg_temp(?:_\d+)?\.)?(viewsync_settle_\d+)(?:_live)?/g, (found, temporary: string) => names.get(temporary) ?? found);
}

function answer(made: Made, answers: ReadonlyMap<string, Settled>, restore: Restore): Settled {
  const { question, wanted, live } = made;
  if ('failure' in wanted) return explainFailure(question, wanted.failure, { answers, restore });
  const columns = wanted.view.columns.map(({ name, type }) => ({ name, type: restore(type) }));
  if (question.live === undefined || live === undefined || !hasColumns(columns, question.live.columns)) return { outcome: 'different', columns };
  return { outcome: isSamePrint(made) ? 'same' : 'different', columns };
}

/** A live text that cannot be created again is compared as it is. */
function isSamePrint({ question, wanted, live, wantedText, liveText }: Made): boolean {
  if ('failure' in wanted || live === undefined || liveText === undefined) return false;
  if (wantedText.replaced.join() !== liveText.replaced.join()) return false;
  const print = 'view' in live ? live.view.definition : wantedText.replaced.length === 0 ? `${question.live?.definition ?? ''};` : undefined;
  return print !== undefined && sameTokens(wanted.view.definition, print, postgresDialect);
}

function hasColumns(left: readonly Column[], right: readonly Column[]): boolean {
  return left.length === right.length && left.every(({ name, type }, index) => name === right[index]?.name && type === right[index].type);
}

// Resources, an operator, the system, concurrency or a fault of the server: they say nothing about the text.
const notAboutTheText = /^(?:53|57|58|40|55|XX)/;

function explainFailure(
  question: Question,
  failure: StatementOutcome,
  { answers, restore }: { readonly answers: ReadonlyMap<string, Settled>; readonly restore: Restore },
): Settled {
  const because = restore([failure.message, failure.hint].filter((text) => text !== null && text !== '').join('. '));
  for (const read of question.reads) {
    const cause = read === question.key ? undefined : answers.get(read);
    if (cause?.outcome === 'refused' || cause?.outcome === 'unproven') return { outcome: cause.outcome, because: `it reads "${read}": ${cause.because}` };
  }
  if (question.isCircular) return { outcome: 'unproven', because: `it is part of a circle of views: ${because}` };
  return { outcome: notAboutTheText.test(failure.code) ? 'unproven' : 'refused', because };
}

/** Where only the names of columns differ: the live text under the new names must print as the wanted one does. */
async function findRenamed(connection: Connection, made: readonly Made[], answers: ReadonlyMap<string, Settled>): Promise<ReadonlyMap<string, Settled>> {
  const candidates = made.flatMap((each) => {
    const settled = answers.get(each.question.key);
    const renamed = settled?.outcome === 'different' ? listRenamed(each.question.live?.columns ?? [], settled.columns) : [];
    return settled?.outcome === 'different' && renamed.length > 0 && each.liveText !== undefined
      ? [{ ...each, settled, renamed, text: each.liveText.text }]
      : [];
  });
  if (candidates.length === 0) return new Map();
  const create = await createAll(
    connection,
    candidates.map(({ question: { temporary }, settled, text }) => {
      const name = `${temporary}_renamed`;
      return { name, sql: createTemporary(name, text, ` (${settled.columns.map((column) => quoteIdentifier(column.name)).join(', ')})`) };
    }),
  );
  const proven = candidates.filter((each) => isSamePrint({ ...each, live: create(`${each.question.temporary}_renamed`) }));
  return new Map(proven.map(({ question, settled, renamed }) => [question.key, { ...settled, renamed }]));
}

/** Which columns would have to be renamed; none when something else differs, or when a new name is still taken by another column. */
function listRenamed(from: readonly Column[], to: readonly Column[]): readonly RenamedColumn[] {
  if (from.length !== to.length || from.some(({ type }, index) => type !== to[index]?.type)) return [];
  const renamed = from.map(({ name }, index) => ({ from: name, to: to[index]?.name ?? '' })).filter((each) => each.from !== each.to);
  return renamed.some((each) => from.some(({ name }) => name === each.to)) ? [] : renamed;
}
