import { orderByReads } from '../../core/graph.ts';
import { readTokens } from '../../core/lexer.ts';
import { relationKey } from '../../core/relation.ts';
import { foldWord, sameTokens } from '../../core/tokens.ts';
import type { Column } from '../../core/view.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';
import { findKnownReads, type RewriteDialect, rewriteReferences } from '../postgres-family/rewrite.ts';
import { retry } from '../retry.ts';
import type { Settled, SettleRequest } from '../warehouse.ts';
import { isLateBinding } from './attachments.ts';
import { isConflict } from './conflicts.ts';
import { redshiftDialect } from './dialect.ts';
import { inspectNames, referencesOn } from './inspect.ts';
import type { Journal } from './journal.ts';
import { quoteIdentifier, quoteRelation } from './names.ts';
import type { ServerFacts } from './server.ts';

/** A request and the name under which its text is tried: beside the view, since Redshift has no temporary views. */
interface Question extends SettleRequest {
  readonly key: string;
  readonly trial: { readonly schema: string; readonly name: string };
}

// Redshift has no savepoints: every text that is refused costs a transaction of its own.
const mostRefusals = 25;
const insufficientPrivilege = '42501';
const patience = 30_000;

type Answers = Map<string, Settled>;

/** See `Warehouse.settle`: views are made under other names in a transaction that is rolled back. */
export async function settle(connection: Connection, server: ServerFacts, requests: readonly SettleRequest[]): Promise<ReadonlyMap<string, Settled>> {
  const questions = toQuestions(requests, server);
  const answers: Answers = new Map();
  for (let refusals = 0; refusals <= mostRefusals; refusals++) {
    const open = questions.filter(({ key }) => !answers.has(key));
    const round = await retry(() => tryAside(connection, server, open), { deadline: patience, isRetryable: isConflict });
    for (const [key, answer] of round.answers) answers.set(key, answer);
    if (round.isDone) return answers;
  }
  const because = `more than ${mostRefusals} other texts do not fit the warehouse as it is now`;
  for (const { key } of questions) if (!answers.has(key)) answers.set(key, { outcome: 'unproven', because });
  return answers;
}

/** The same inside the open transaction, of which nothing stays behind: what was done before is done again once the texts were tried. */
export async function settleInside(journal: Journal, server: ServerFacts, requests: readonly SettleRequest[]): Promise<ReadonlyMap<string, Settled>> {
  const questions = toQuestions(requests, server);
  const position = journal.position();
  const answers: Answers = new Map();
  for (let open = questions; open.length > 0; open = questions.filter(({ key }) => !answers.has(key))) {
    const round = await tryTexts(journal.connection, server, open);
    if (round.isDone) for (const { trial } of open.toReversed()) await journal.connection.run(`DROP VIEW ${quoteRelation(trial)}`);
    else await journal.returnTo(position);
    for (const [key, answer] of round.answers) answers.set(key, answer);
  }
  return answers;
}

interface Round {
  readonly answers: ReadonlyMap<string, Settled>;
  /** Whether every question was answered. */
  readonly isDone: boolean;
}

async function tryAside(connection: Connection, server: ServerFacts, questions: readonly Question[]): Promise<Round> {
  if (questions.length === 0) return { answers: new Map(), isDone: true };
  await connection.run('BEGIN');
  try {
    return await tryTexts(connection, server, questions);
  } finally {
    await connection.run('ROLLBACK');
  }
}

/** Makes each view under its trial name up to the first that is refused, which voids the transaction. */
async function tryTexts(connection: Connection, server: ServerFacts, questions: readonly Question[]): Promise<Round> {
  for (const question of questions) {
    const refusal = await refusalOf(connection, createTrial(question, questions, server));
    if (refusal !== undefined) return { answers: new Map([[question.key, toRefused(question, refusal)]]), isDone: false };
  }
  return { answers: await readTrials(connection, server, questions), isDone: true };
}

interface Refusal {
  readonly code: string;
  readonly message: string;
}

async function refusalOf(connection: Connection, sql: string): Promise<Refusal | undefined> {
  try {
    await connection.run(sql);
    return undefined;
  } catch (error) {
    if (!isServerError(error) || isConflict(error)) throw error;
    return error;
  }
}

/** A materialized view may read what a plain one cannot, so that only its text can be compared. */
function toRefused({ wanted, live }: Question, { code, message }: Refusal): Settled {
  if (code === insufficientPrivilege) return { outcome: 'unproven', because: `this user may not create views in the schema ${wanted.name.schema}: ${message}` };
  if (wanted.kind === 'view') return { outcome: 'refused', because: message };
  const isSame = live !== undefined && sameTokens(live.definition, wanted.definition, redshiftDialect);
  return { outcome: isSame ? 'same' : 'different', columns: isSame ? live.columns : [] };
}

/** In the order in which the wanted views can be created. */
function toQuestions(requests: readonly SettleRequest[], server: ServerFacts): readonly Question[] {
  const byKey = new Map(requests.map((request) => [relationKey(request.wanted.name), request]));
  const known = new Set(byKey.keys());
  const reads = new Map([...byKey].map(([key, { wanted }]) => [key, findKnownReads(wanted.definition, known, referencesOn(server))]));
  const order = orderByReads(reads).flatMap(({ members }) => members);
  return order.flatMap((key, position) => {
    const request = byKey.get(key);
    return request === undefined ? [] : [{ ...request, key, trial: { schema: request.wanted.name.schema, name: `viewsync_trial_${position}` } }];
  });
}

function rewriteDialect(server: ServerFacts): RewriteDialect {
  return { ...referencesOn(server), quoteRelation, quoteIdentifier };
}

/** The text with the other views that are tried in the place of those that it reads. */
function rewrite(text: string, questions: readonly Question[], server: ServerFacts): { readonly text: string; readonly isRewritten: boolean } {
  const replacements = new Map(questions.map(({ key, trial }) => [key, trial]));
  const { text: rewritten, replaced } = rewriteReferences(text, replacements, rewriteDialect(server));
  return { text: rewritten, isRewritten: replaced.length > 0 };
}

function createTrial({ wanted, trial }: Question, questions: readonly Question[], server: ServerFacts): string {
  const attachments = wanted.attachments.filter(({ kind }) => kind === 'column list' || kind === 'binding');
  const definition = rewrite(wanted.definition, questions, server).text;
  return redshiftDialect.createView({ ...wanted, kind: 'view', name: trial, definition, attachments }, 'create');
}

async function readTrials(connection: Connection, server: ServerFacts, questions: readonly Question[]): Promise<ReadonlyMap<string, Settled>> {
  const made = await inspectNames(
    connection,
    server,
    questions.map(({ trial }) => trial),
  );
  const byKey = new Map(made.map((view) => [relationKey(view.name), view]));
  return new Map(
    questions.map((question) => {
      const view = byKey.get(relationKey(question.trial));
      const columns: readonly Column[] = view?.columns ?? [];
      const isSame = question.live !== undefined && isSameText(question, { print: view?.definition ?? '', questions, server });
      return [question.key, { outcome: isSame ? 'same' : 'different', columns }];
    }),
  );
}

/** The tokens without AS, which the server leaves out before an alias. */
function withoutAs(sql: string): readonly string[] {
  const tokens = readTokens(sql, redshiftDialect.lexicalRules).filter(
    ({ kind, text }) => kind !== 'comment' && !(kind === 'word' && foldWord(text, 'upper') === 'AS'),
  );
  return tokens.map(({ kind, text }) => (kind === 'word' ? foldWord(text, 'lower') : text));
}

interface Comparing {
  /** How the server prints the wanted text under its trial name. */
  readonly print: string;
  readonly questions: readonly Question[];
  readonly server: ServerFacts;
}

/** Of a bound view the prints are compared, of the others the texts, which the server keeps as they are. */
function isSameText({ wanted, live }: Question, { print, questions, server }: Comparing): boolean {
  if (live === undefined) return false;
  if (wanted.kind === 'materialized view' || isLateBinding(wanted) || isLateBinding(live))
    return sameTokens(live.definition, wanted.definition, redshiftDialect);
  const before = rewrite(live.definition, questions, server);
  if (!before.isRewritten) return sameTokens(live.definition, print, redshiftDialect);
  return withoutAs(before.text).join('\0') === withoutAs(print).join('\0');
}
