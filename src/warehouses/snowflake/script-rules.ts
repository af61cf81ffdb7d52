import type { ScriptRules } from '../../core/dialect.ts';
import { nameParts } from '../../core/name-tokens.ts';
import { refuseBy, type ScriptRule, spellWords } from '../../core/script-words.ts';

const controls = 'This statement begins or ends a transaction, and viewsync runs statement by statement: take it out.';
const scripting = 'This belongs to a script that Snowflake runs as a whole, and viewsync runs statements.';
const session = 'This changes the session in which viewsync itself works: sign in with the role that the migration needs, or set it in viewsync.yaml.';
const wholeDatabase = 'This takes every view of a database along. Run it by yourself, and bring the views back with viewsync apply.';

// https://docs.snowflake.com/en/developer-guide/snowflake-scripting/blocks https://docs.snowflake.com/en/sql-reference/transactions
const rules: readonly ScriptRule[] = [
  { matches: /^(BEGIN (?:TRANSACTION |WORK |NAME .*)?$|START TRANSACTION|COMMIT|ROLLBACK)/, because: controls },
  { matches: /^(BEGIN|DECLARE|LET|IF|ELSE|ELSEIF|CASE|FOR|WHILE|REPEAT|LOOP|UNTIL|END|EXCEPTION|RETURN|RAISE|BREAK|CONTINUE) /, because: scripting },
  { matches: /^(USE (ROLE|SECONDARY ROLES)|ALTER SESSION) /, because: session },
  { matches: /^(DROP|CREATE OR REPLACE(?: TRANSIENT)?) DATABASE /, because: wholeDatabase },
];

const drop = /^DROP (VIEW|MATERIALIZED VIEW|DYNAMIC TABLE|SCHEMA) (?:IF EXISTS )?/;

/** How the statements of a migration are read. */
export const scriptRules: ScriptRules = {
  refuse: (statement) => refuseBy(rules, statement),
  dropsByName: ({ tokens }) => {
    const [words, kind] = drop.exec(spellWords(tokens)) ?? [];
    const chain = words === undefined ? undefined : nameParts(tokens, words.trim().split(' ').length, { folds: 'upper' });
    if (chain === undefined) return { views: [], schemas: [] };
    return kind === 'SCHEMA' ? { views: [], schemas: chain.parts.slice(-1) } : { views: [chain.parts], schemas: [] };
  },
  concernsAll: ({ tokens }) => (/^ALTER .*RENAME /.test(spellWords(tokens)) ? 'renames' : undefined),
};
