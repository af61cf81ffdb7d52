import { type Cursor, fail, failExpected, offsetOf, takeMark } from '../../core/cursor.ts';
import { nameOf } from '../../core/name-tokens.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import { reservedWords } from './reserved-words.ts';

/** A name, unquoted. A keyword needs quotes. */
export function readName(cursor: Cursor, expected: string): string {
  const token = cursor.tokens[cursor.next];
  const isName = token?.kind === 'quoted identifier' || (token?.kind === 'word' && !reservedWords.has(token.text.toLowerCase()));
  if (token === undefined || !isName) return failExpected(cursor, expected);
  if (token.kind === 'quoted identifier' && !token.text.startsWith('"'))
    return fail(cursor, 'A name cannot be written with U& in a view file. Write it in plain quotes.');
  cursor.next += 1;
  return nameOf(token, 'lower');
}

/** A name with its schema. */
export function readQualifiedName(cursor: Cursor, expected: string): RelationName {
  const at = offsetOf(cursor);
  const schema = readName(cursor, expected);
  if (!takeMark(cursor, '.')) return fail(cursor, `${expected} needs its schema: write schema.${JSON.stringify(schema)}.`, at);
  const name = readName(cursor, expected);
  return { schema, name };
}

/** Reads the name of the file's own view; any other one is an error. */
export function expectRelation(cursor: Cursor, relation: { readonly name: RelationName }): void {
  const at = offsetOf(cursor);
  const name = readQualifiedName(cursor, 'The name of the view');
  if (relationKey(name) === relationKey(relation.name)) return;
  fail(cursor, `This is about ${relationKey(name)}, but the file is about ${relationKey(relation.name)}. A view file holds one view.`, at);
}
