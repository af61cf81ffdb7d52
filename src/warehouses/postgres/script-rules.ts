import type { ScriptRules, Statement } from '../../core/dialect.ts';
import type { Token } from '../../core/lexer.ts';
import { nameParts } from '../../core/name-tokens.ts';
import { insideOf } from '../../core/script.ts';
import { refuseBy, type ScriptRule, spellWords } from '../../core/script-words.ts';
import { splitStatements } from '../../core/statements.ts';
import { lexicalRules } from './lexical-rules.ts';

const folds = 'lower';

const controls = 'This statement controls transactions, and the whole script is run in one transaction of viewsync: take it out.';
const psql = 'A backslash begins a command of psql, which the server does not understand.';
const outside = 'PostgreSQL does not run this statement inside a transaction.';
const streams = 'COPY between the server and its client needs the client that the data belongs to.';

// https://www.postgresql.org/docs/current/sql-commands.html, the pages of the single commands
const rules: readonly ScriptRule[] = [
  { matches: /^(BEGIN|START TRANSACTION|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE TRANSACTION) /, because: controls },
  { matches: /^(VACUUM|ALTER SYSTEM|DISCARD) /, because: outside },
  { matches: /^(CREATE|DROP) (DATABASE|TABLESPACE|SUBSCRIPTION) /, because: outside },
  { matches: /^ALTER (DATABASE .* SET TABLESPACE|SUBSCRIPTION) /, because: outside },
  { matches: /^REINDEX .*?(DATABASE|SYSTEM|SCHEMA) /, because: outside },
  { matches: /^CLUSTER (VERBOSE )?$/, because: outside },
  { matches: /^(CREATE (UNIQUE )?INDEX|DROP INDEX|REINDEX .*|ALTER TABLE .* DETACH PARTITION .*) CONCURRENTLY /, because: outside },
  { matches: /^COPY .* (FROM STDIN|TO STDOUT) /, because: streams },
  { matches: /^SET (LOCAL |SESSION )?SESSION AUTHORIZATION /, because: 'The transaction has to come back to its own role; use SET ROLE.' },
];

/** The names of a list at `index`: `a, b.c`. */
function readList(tokens: readonly Token[], index: number): readonly (readonly string[])[] {
  const chain = nameParts(tokens, index, { folds });
  if (chain === undefined) return [];
  return [chain.parts, ...(tokens[chain.next]?.text === ',' ? readList(tokens, chain.next + 1) : [])];
}

const drop = /^DROP (?:MATERIALIZED )?(VIEW|SCHEMA) (?:IF EXISTS )?/;

type Dropped = ReturnType<ScriptRules['dropsByName']>;

// The one word that may stand behind the names, but for RESTRICT, lets the schema be dropped with all that it holds.
const dropWhole = /^DROP SCHEMA (?:IF EXISTS )?\S+ (?:, \S+ )*(?!RESTRICT )\w+ (?:; |$)/;

function readDrop(tokens: readonly Token[]): Dropped {
  const [words, kind] = drop.exec(spellWords(tokens)) ?? [];
  if (words === undefined) return { views: [], schemas: [] };
  const names = readList(tokens, words.trim().split(' ').length);
  if (kind === 'VIEW') return { views: names, schemas: [] };
  return { views: [], schemas: dropWhole.test(spellWords(tokens)) ? names.map(([name = '']) => name) : [] };
}

/** Drops in the code of a DO block: wherever the words stand. */
function readDropsInside(token: Token): readonly Dropped[] {
  try {
    return splitStatements(insideOf(token), lexicalRules).flatMap(({ tokens }) => {
      const starts = tokens.flatMap((each, index) => (each.text.toUpperCase() === 'DROP' ? [index] : []));
      const strings = tokens.filter(({ kind }) => kind === 'string');
      return [...starts.map((start) => readDrop(tokens.slice(start))), ...strings.flatMap(readDropsInside)];
    });
  } catch {
    return [];
  }
}

function dropsByName({ tokens }: Statement): Dropped {
  const isBlock = /^DO /.test(spellWords(tokens.slice(0, 1)));
  const all = [readDrop(tokens), ...(isBlock ? tokens.filter(({ kind }) => kind === 'string').flatMap(readDropsInside) : [])];
  return { views: all.flatMap(({ views }) => views), schemas: all.flatMap(({ schemas }) => schemas) };
}

/** Statements about views that they do not name, and what they do. */
const aboutAll: readonly (readonly [RegExp, string])[] = [
  [/^ALTER .*(RENAME|SET SCHEMA) /, 'renames'],
  [/^(GRANT|REVOKE) .*ON ALL (TABLES|FUNCTIONS|PROCEDURES|ROUTINES) IN /, 'is about all that a schema holds'],
  [/^(REASSIGN|DROP) OWNED /, 'is about all that a role owns'],
  [/^(ALTER|DROP) (ROLE|USER|GROUP) /, 'changes a role'],
  [/^(ALTER|DROP) EXTENSION /, 'changes an extension'],
  [/^DROP SCHEMA /, 'drops a schema'],
  [/^ALTER .*ALL IN TABLESPACE /, 'is about all that a tablespace holds'],
  [/^(CREATE|ALTER) EVENT TRIGGER /, 'changes what watches statements'],
  [/^(DO|CALL|EXECUTE) /, 'runs code'],
];

// What scripts call that looks at no view.
const harmless = new Set(['set_config', 'setval', 'nextval', 'currval', 'pg_get_serial_sequence', 'coalesce', 'max', 'min', 'count', 'current_setting', 'now']);

/** Whether a query calls what may run any code. */
function callsCode(tokens: readonly Token[]): boolean {
  return tokens.some((token, index) => {
    const [before, after] = [tokens[index - 1]?.text, tokens[index + 1]?.text];
    if (token.kind !== 'word' || after !== '(' || reserved.has(token.text.toUpperCase())) return false;
    return !harmless.has(token.text.toLowerCase()) && !(before === '.' && tokens[index - 2]?.text.toLowerCase() === 'pg_catalog');
  });
}

const reserved = new Set([
  'SELECT',
  'FROM',
  'WHERE',
  'AND',
  'OR',
  'NOT',
  'IN',
  'ANY',
  'ALL',
  'SOME',
  'EXISTS',
  'AS',
  'VALUES',
  'WITH',
  'ON',
  'USING',
  'WHEN',
  'THEN',
  'ELSE',
]);

function concernsAll({ tokens }: Statement): string | undefined {
  const words = spellWords(tokens);
  const [, found] = aboutAll.find(([pattern]) => pattern.test(words)) ?? [];
  return found ?? (/^(SELECT|WITH|VALUES) /.test(words) && callsCode(tokens) ? 'runs code' : undefined);
}

/** How the statements of a migration are read. */
export const scriptRules: ScriptRules = {
  refuse: (statement) => {
    const backslash = statement.tokens.find(({ text }) => text === '\\');
    return backslash ? { because: psql, at: backslash.start } : refuseBy(rules, statement);
  },
  dropsByName,
  concernsAll,
};
