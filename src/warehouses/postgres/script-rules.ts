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

function readDrop(tokens: readonly Token[]): Dropped {
  const [words, kind] = drop.exec(spellWords(tokens)) ?? [];
  if (words === undefined) return { views: [], schemas: [] };
  const names = readList(tokens, words.trim().split(' ').length);
  return kind === 'VIEW' ? { views: names, schemas: [] } : { views: [], schemas: names.map(([name = '']) => name) };
}

/** Drops in the code of a DO block: wherever the words stand. */
function readDropsInside(token: Token): readonly Dropped[] {
  try {
    const tokens = splitStatements(insideOf(token), lexicalRules).flatMap((statement) => [...statement.tokens]);
    const starts = tokens.flatMap((each, index) => (each.text.toUpperCase() === 'DROP' ? [index] : []));
    const strings = tokens.filter(({ kind }) => kind === 'string');
    return [...starts.map((start) => readDrop(tokens.slice(start))), ...strings.flatMap(readDropsInside)];
  } catch {
    return [];
  }
}

function dropsByName({ tokens }: Statement): Dropped {
  const isBlock = /^DO /.test(spellWords(tokens.slice(0, 1)));
  const all = [readDrop(tokens), ...(isBlock ? tokens.filter(({ kind }) => kind === 'string').flatMap(readDropsInside) : [])];
  return { views: all.flatMap(({ views }) => views), schemas: all.flatMap(({ schemas }) => schemas) };
}

/** How the statements of a migration are read. */
export const scriptRules: ScriptRules = {
  refuse: (statement) => {
    const backslash = statement.tokens.find(({ text }) => text === '\\');
    return backslash ? { because: psql, at: backslash.start } : refuseBy(rules, statement);
  },
  dropsByName,
  isRenaming: ({ tokens }) => /^ALTER .*(RENAME|SET SCHEMA) /.test(spellWords(tokens)),
};
