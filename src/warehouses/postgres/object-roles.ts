import { expectWords, isAt, readList, startAt, takeToken } from '../../core/cursor.ts';
import { splitStatements } from '../../core/statements.ts';
import type { View } from '../../core/view.ts';
import { lexicalRules } from './lexical-rules.ts';
import { readGrantee } from './parse-grants.ts';
import { readDefaultPrivilege } from './parse-object-attachments.ts';

/** The roles that a policy is for, `everybody` among them. */
function rolesOfPolicy(definition: string): readonly string[] {
  const [statement] = splitStatements(definition, lexicalRules);
  if (!statement) return [];
  const cursor = startAt(statement);
  while (!isAt(cursor, 'TO')) {
    if (cursor.next >= cursor.tokens.length || isAt(cursor, 'USING')) return [];
    takeToken(cursor, 'TO');
  }
  expectWords(cursor, 'TO');
  return readList(cursor, readGrantee);
}

/** Roles that a policy or the default privileges of a schema name, `everybody` among them. */
export function rolesOfObject({ name, definition, attachments }: View): readonly string[] {
  if (name.object?.kind === 'policy') return rolesOfPolicy(definition);
  if (name.object?.kind !== 'schema') return [];
  const defaults = attachments.filter(({ kind }) => kind === 'default privilege');
  return defaults.flatMap(({ make }) => {
    const [statement] = splitStatements(make, lexicalRules);
    const given = statement && readDefaultPrivilege(startAt(statement), { name });
    return given ? [given.role, given.grantee] : [];
  });
}
