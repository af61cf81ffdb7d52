import { startAt, take } from '../../core/cursor.ts';
import { findMentions } from '../../core/references.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import { splitStatements } from '../../core/statements.ts';
import { sameTokens } from '../../core/tokens.ts';
import type { Attachment, View } from '../../core/view.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';
import { rewriteReferences } from '../postgres-family/rewrite.ts';
import type { SettleRequest } from '../warehouse.ts';
import { isDenied } from './brief-wait.ts';
import { createPlaceholder } from './create-statements.ts';
import { postgresDialect } from './dialect.ts';
import { quoteIdentifier, quoteRelation } from './names.ts';
import { createRunner, runStatements } from './settle-sql.ts';

/** Two texts of one thing that belongs to a view; the server may hold them for the same. */
interface Pair {
  readonly live: Attachment;
  readonly wanted: Attachment;
  readonly view: View;
  /** Temporary relation of the same columns on which they are tried. */
  readonly temporary: string;
}

/** Texts that are one thing, as `Settled.equivalents` tells them. */
type Equivalents = readonly (readonly [wanted: string, live: string])[];

/**
 * Has the server print rules, triggers, defaults, indexes and statistics of which it holds another text, and tells which are the same: it prints some
 * in another way once they have been created from its own text. Everything is made on temporary relations and rolled back.
 */
export async function settleParts(connection: Connection, requests: readonly SettleRequest[]): Promise<ReadonlyMap<string, Equivalents>> {
  const pairs = requests.flatMap(findPairs).map((pair, index): Pair => ({ ...pair, temporary: `viewsync_part_${index}` }));
  if (pairs.length === 0) return new Map();
  const [live, wanted] = [await printAll(connection, pairs, 'live'), await printAll(connection, pairs, 'wanted')];
  const same = pairs.filter(({ temporary }) => {
    const [one, other] = [live.get(temporary), wanted.get(temporary)];
    return one !== undefined && other !== undefined && sameTokens(one, other, postgresDialect);
  });
  const byView = Map.groupBy(same, ({ view }) => relationKey(view.name));
  return new Map([...byView].map(([key, own]) => [key, own.map((pair) => [pair.wanted.make, pair.live.make] as const)]));
}

function findPairs({ wanted, live }: SettleRequest): readonly Omit<Pair, 'temporary'>[] {
  if (live === undefined || live.kind !== wanted.kind || live.columns.length === 0) return [];
  const texts = live.attachments.filter(({ kind }) => postgresDialect.printedKinds?.includes(kind));
  return texts.flatMap((attachment) => {
    const other = wanted.attachments.find(({ kind, key }) => kind === attachment.kind && key === attachment.key);
    const isOpen = other !== undefined && !sameTokens(other.make, attachment.make, postgresDialect);
    return isOpen ? [{ live: attachment, wanted: other, view: live }] : [];
  });
}

/** What the server prints of one side, by temporary relation; nothing for what it refuses. */
async function printAll(connection: Connection, pairs: readonly Pair[], side: 'live' | 'wanted'): Promise<ReadonlyMap<string, string>> {
  await connection.run('SAVEPOINT viewsync_parts');
  try {
    await createRunner(connection);
    await runStatements(
      connection,
      pairs.flatMap((pair) => [createTemporary(pair), rewritePart(pair, pair[side])]),
    );
    const rows = await connection.query<{ relation: string; text: string }>(printsQuery, [pairs.map(({ temporary }) => temporary)]);
    return new Map(rows.map(({ relation, text }) => [relation, text]));
  } catch (error) {
    if (!isServerError(error) || isDenied(error)) throw error;
    return new Map();
  } finally {
    await connection.run('ROLLBACK TO SAVEPOINT viewsync_parts; RELEASE SAVEPOINT viewsync_parts');
  }
}

const temporaryName = (name: string): RelationName => ({ schema: 'pg_temp', name });

/** A materialized view's indexes and statistics are tried on a table, a view's rules, triggers and defaults on a view. */
function createTemporary({ view, temporary }: Pair): string {
  if (view.kind === 'view') return createPlaceholder({ ...view, name: temporaryName(temporary), attachments: [] }) ?? '';
  const columns = view.columns.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`);
  return `CREATE TEMPORARY TABLE ${quoteIdentifier(temporary)} (${columns.join(', ')})`;
}

function rewritePart({ view, temporary }: Pair, { kind, make }: Attachment): string {
  const replacements = new Map([[relationKey(view.name), temporaryName(temporary)]]);
  if (kind !== 'index' && kind !== 'statistics') return rewriteReferences(make, replacements, { ...postgresDialect, quoteIdentifier }).text;
  const mentions = findMentions(make, postgresDialect, new Set(replacements.keys())).map(({ start, end }) => ({
    start,
    end,
    text: quoteRelation(temporaryName(temporary)),
  }));
  return [...mentions, nameEdit(make, temporary)]
    .sort((left, right) => right.start - left.start)
    .reduce((text, edit) => text.slice(0, edit.start) + edit.text + text.slice(edit.end), make);
}

/** Gives an index or statistics a name of its own, which others of that name do not have. */
function nameEdit(make: string, temporary: string): { readonly start: number; readonly end: number; readonly text: string } {
  const [statement] = splitStatements(make, postgresDialect.lexicalRules);
  if (statement === undefined) return { start: 0, end: 0, text: '' };
  const cursor = startAt(statement);
  const isIndex = take(cursor, 'CREATE UNIQUE INDEX') || take(cursor, 'CREATE INDEX');
  const [first, last] = isIndex ? [cursor.next, cursor.next] : [2, 4];
  const name = `${temporary}_name`;
  return {
    start: statement.tokens[first]?.start ?? 0,
    end: statement.tokens[last]?.end ?? 0,
    text: isIndex ? name : quoteRelation(temporaryName(name)),
  };
}

const printsQuery = `
WITH made AS (SELECT c.oid, c.relname::text AS relation FROM pg_class c WHERE c.relnamespace = pg_my_temp_schema() AND c.relname = ANY ($1::text[]))
SELECT relation, pg_get_indexdef(i.indexrelid) AS text FROM made JOIN pg_index i ON i.indrelid = made.oid
UNION ALL SELECT relation, pg_get_ruledef(r.oid) FROM made JOIN pg_rewrite r ON r.ev_class = made.oid AND r.rulename <> '_RETURN'
UNION ALL SELECT relation, pg_get_triggerdef(t.oid) FROM made JOIN pg_trigger t ON t.tgrelid = made.oid AND NOT t.tgisinternal
UNION ALL SELECT relation, pg_get_expr(d.adbin, d.adrelid) FROM made JOIN pg_attrdef d ON d.adrelid = made.oid
UNION ALL SELECT relation, pg_get_statisticsobjdef(s.oid) FROM made JOIN pg_statistic_ext s ON s.stxrelid = made.oid`;
