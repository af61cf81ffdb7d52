import type { ScriptRules } from '../../core/dialect.ts';
import type { Token } from '../../core/lexer.ts';
import { nameParts } from '../../core/name-tokens.ts';
import { refuseBy, type ScriptRule, spellWords } from '../../core/script-words.ts';

const controls = 'This statement controls transactions, and the whole script is run in one transaction of viewsync: take it out.';
const outside = 'Redshift does not run this statement inside a transaction.';

// https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_commands.html, the pages of the single commands
const rules: readonly ScriptRule[] = [
  { matches: /^(BEGIN|START TRANSACTION|COMMIT|END|ROLLBACK|ABORT) /, because: controls },
  { matches: /^(VACUUM|(CREATE|DROP|ALTER) (DATABASE|EXTERNAL TABLE|LIBRARY)|ALTER TABLE .*APPEND|TRUNCATE) /, because: outside },
  { matches: /^ALTER TABLE .*ALTER COLUMN .*TYPE /, because: `${outside} Change the type on a connection of its own: viewsync migrate --on TABLE -- COMMAND.` },
];

function readList(tokens: readonly Token[], index: number): readonly (readonly string[])[] {
  const chain = nameParts(tokens, index, { folds: 'lower' });
  if (chain === undefined) return [];
  return [chain.parts, ...(tokens[chain.next]?.text === ',' ? readList(tokens, chain.next + 1) : [])];
}

const drop = /^DROP (?:MATERIALIZED )?(VIEW|SCHEMA) (?:IF EXISTS )?/;

/** How the statements of a migration are read. */
export const scriptRules: ScriptRules = {
  refuse: (statement) => refuseBy(rules, statement),
  dropsByName: ({ tokens }) => {
    const [words, kind] = drop.exec(spellWords(tokens)) ?? [];
    if (words === undefined) return { views: [], schemas: [] };
    const names = readList(tokens, words.trim().split(' ').length);
    return kind === 'VIEW' ? { views: names, schemas: [] } : { views: [], schemas: names.map(([name = '']) => name) };
  },
  concernsAll: ({ tokens }) => (/^ALTER .*(RENAME|SET SCHEMA) /.test(spellWords(tokens)) ? 'renames' : undefined),
};
