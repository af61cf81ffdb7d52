import type { ScriptRules, Statement } from '../../core/dialect.ts';
import { ViewsyncError } from '../../errors.ts';
import { readList, readRelation, startAt, take, takeMark } from './grammar.ts';

/** What belongs together and is run as one job. https://cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language */
const scripting = new Set([
  'BEGIN',
  'BREAK',
  'COMMIT',
  'CONTINUE',
  'DECLARE',
  'ELSE',
  'ELSEIF',
  'END',
  'FOR',
  'IF',
  'LOOP',
  'REPEAT',
  'ROLLBACK',
  'SET',
  'WHILE',
]);

type Dropped = ReturnType<ScriptRules['dropsByName']>;

const nothing: Dropped = { views: [], schemas: [] };

function readViews(statement: Statement): readonly (readonly string[])[] {
  const cursor = startAt(statement);
  take(cursor, 'DROP');
  take(cursor, 'MATERIALIZED');
  take(cursor, 'VIEW');
  take(cursor, 'IF EXISTS');
  return readList(cursor, readRelation).map(({ catalog = '', schema, name }) => [catalog, schema, name]);
}

/** The last part of the dataset's name behind DROP SCHEMA. */
function readSchema(statement: Statement): string {
  const cursor = startAt(statement);
  take(cursor, 'DROP SCHEMA');
  take(cursor, 'IF EXISTS');
  let last = '';
  do {
    last = statement.tokens[cursor.next]?.text.replaceAll('`', '') ?? '';
    cursor.next += 1;
  } while (takeMark(cursor, '.'));
  return last.split('.').at(-1) ?? last;
}

function dropsByName(statement: Statement): Dropped {
  try {
    if (/^DROP\s+(?:MATERIALIZED\s+)?VIEW\b/i.test(statement.text)) return { views: readViews(statement), schemas: [] };
    return /^DROP\s+SCHEMA\b/i.test(statement.text) ? { views: [], schemas: [readSchema(statement)] } : nothing;
  } catch (error) {
    if (error instanceof ViewsyncError) return nothing;
    throw error;
  }
}

/** How the statements of a migration are read. */
export const scriptRules: ScriptRules = {
  refuse: ({ tokens, start }) => {
    const word = tokens[0]?.text.toUpperCase() ?? '';
    return scripting.has(word) ? { because: `${word} belongs to a script that BigQuery runs as a whole, and viewsync runs statements.`, at: start } : undefined;
  },
  dropsByName,
  concernsAll: ({ text }) => (/^ALTER\s+TABLE\b[\s\S]*\bRENAME\s+TO\b/i.test(text) ? 'renames' : undefined),
};
