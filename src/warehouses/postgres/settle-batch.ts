import { reach } from '../../core/graph.ts';
import type { RelationName } from '../../core/relation.ts';
import type { Connection } from '../postgres-family/connection.ts';
import { type Rewritten, rewriteReferences } from '../postgres-family/rewrite.ts';
import type { Settled } from '../warehouse.ts';
import { postgresDialect } from './dialect.ts';
import { quoteIdentifier, quoteRelation } from './names.ts';
import { hasColumns, isSamePrint, lookAgain, type Made, type Question } from './settle-compare.ts';
import { createAll, createTemporary, type NamedStatement, type StatementOutcome } from './settle-sql.ts';

export interface BatchOptions {
  readonly questions: readonly Question[];
  readonly earlier: readonly Question[];
  /** Answers to the earlier questions. */
  readonly settled: ReadonlyMap<string, Settled>;
}

/** Creates the wanted and the live texts of a batch as temporary views and compares what the server prints. */
export async function settleBatch(connection: Connection, options: BatchOptions): Promise<ReadonlyMap<string, Settled>> {
  const helpers = findHelpers(options);
  const replacements = new Map([...helpers, ...options.questions].map(({ key, temporary }) => [key, { schema: 'pg_temp', name: temporary }]));
  const made = await make(connection, { ...options, helpers, replacements });
  const answers = new Map(options.settled);
  const restore = restoreNames([...helpers, ...options.questions]);
  for (const each of made) answers.set(each.question.key, answer(each, answers, restore));
  for (const [key, settled] of await lookAgain(connection, made, answers)) answers.set(key, settled);
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
  const rewrite = (sql: string): Rewritten => rewriteReferences(sql, replacements, { ...postgresDialect, quoteIdentifier });
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

// Resources, an operator, the system, concurrency, a fault of the server, what an event trigger raises, or a right that we lack: they say nothing about the text.
const notAboutTheText = /^(?:53|57|58|40|55|XX|P0|42501)/;

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
  return { outcome: failure.isOfCode || notAboutTheText.test(failure.code) ? 'unproven' : 'refused', because };
}
