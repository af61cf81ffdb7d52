import { type Cursor, expectEnd, expectMark, expectWords, fail, failExpected, isAt, offsetOf, startAt, take, takeMark, takeToken } from '../../core/cursor.ts';
import type { ParsedCreate, Statement } from '../../core/dialect.ts';
import type { Attachment } from '../../core/view.ts';
import { commentAttachment, type Grantee, grantAttachment, ownerAttachment, suspendedAttachment } from './attachments.ts';
import { expectRelation, readName, readNames, readText } from './grammar.ts';
import { kindWords } from './names.ts';

type Parser = (cursor: Cursor, view: ParsedCreate) => readonly Attachment[];

const parsers: readonly (readonly [words: string, parse: Parser])[] = [
  ['GRANT OWNERSHIP ON', parseOwner],
  ['GRANT', parseGrant],
  ['COMMENT ON', parseComment],
  ['ALTER', parseAlter],
];

const allowed =
  'Behind the CREATE of a view, a file holds GRANT OWNERSHIP ON ... COPY CURRENT GRANTS, GRANT, ALTER ... SET COMMENT and COMMENT ON; everything else stands in the CREATE';

/** Reads a statement that follows the CREATE statement of a view file. */
export function parseAttachments(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  const cursor = startAt(statement);
  const parser = parsers.find(([words]) => take(cursor, words));
  if (!parser) return fail(cursor, `${allowed}; this statement is none of them.`);
  const attachments = parser[1](cursor, view);
  expectEnd(cursor);
  return attachments;
}

/** Passes `VIEW`, `MATERIALIZED VIEW`, `DYNAMIC TABLE` or `TABLE`, which all name the file's view. */
function expectTyped(cursor: Cursor, view: ParsedCreate): void {
  if (!take(cursor, kindWords(view)) && !take(cursor, 'VIEW')) expectWords(cursor, 'TABLE');
  expectRelation(cursor, view);
}

function parseOwner(cursor: Cursor, view: ParsedCreate): readonly Attachment[] {
  expectTyped(cursor, view);
  expectWords(cursor, 'TO ROLE');
  const role = readName(cursor, 'the name of a role');
  if (!take(cursor, 'COPY CURRENT GRANTS')) return failExpected(cursor, 'COPY CURRENT GRANTS, without which the grants would be lost');
  return [ownerAttachment(view, role)];
}

const granteeTypes = ['DATABASE ROLE', 'APPLICATION ROLE', 'APPLICATION', 'SHARE', 'ROLE'];

function readGrantee(cursor: Cursor): Grantee {
  const type = granteeTypes.find((words) => take(cursor, words));
  return { type: type ?? 'ROLE', name: readNames(cursor, 'the name of a role') };
}

/** One privilege, of one word or two, such as SELECT or APPLY BUDGET. */
function readPrivilege(cursor: Cursor): string {
  const words: string[] = [];
  while (!isAt(cursor, 'ON') && cursor.tokens[cursor.next]?.text !== ',') words.push(takeToken(cursor, 'a privilege').text.toUpperCase());
  return words.join(' ');
}

function parseGrant(cursor: Cursor, view: ParsedCreate): readonly Attachment[] {
  const at = offsetOf(cursor);
  const privileges = [readPrivilege(cursor)];
  while (takeMark(cursor, ',')) privileges.push(readPrivilege(cursor));
  if (privileges.some((privilege) => privilege === '' || privilege.startsWith('ALL'))) return fail(cursor, 'Name each privilege: what ALL means changes.', at);
  expectWords(cursor, 'ON');
  expectTyped(cursor, view);
  expectWords(cursor, 'TO');
  const grantee = readGrantee(cursor);
  const isGrantable = take(cursor, 'WITH GRANT OPTION');
  return privileges.map((privilege) => grantAttachment(view, { privilege, grantee, isGrantable }));
}

function asComment(cursor: Cursor, view: ParsedCreate, column?: string): readonly Attachment[] {
  const text = readText(cursor);
  return text === '' ? fail(cursor, 'A file says what there is: leave an empty comment out.') : [commentAttachment(view, column, text)];
}

function parseComment(cursor: Cursor, view: ParsedCreate): readonly Attachment[] {
  if (!take(cursor, 'COLUMN')) {
    expectTyped(cursor, view);
    expectWords(cursor, 'IS');
    return asComment(cursor, view);
  }
  expectColumnsRelation(cursor, view);
  const column = readName(cursor, 'the name of a column');
  expectWords(cursor, 'IS');
  return asComment(cursor, view, column);
}

/** The view's name in front of a column's: the last part is not its own. */
function expectColumnsRelation(cursor: Cursor, view: ParsedCreate): void {
  const end = cursor.tokens.findIndex((_, index) => isAt({ ...cursor, next: index }, 'IS'));
  const inner: Cursor = { ...cursor, tokens: cursor.tokens.slice(0, Math.max(0, end - 2)) };
  expectRelation(inner, view);
  cursor.next = inner.next;
  expectMark(cursor, '.');
}

function parseAlter(cursor: Cursor, view: ParsedCreate): readonly Attachment[] {
  expectTyped(cursor, view);
  if (view.kind === 'dynamic table' && take(cursor, 'SUSPEND')) return [suspendedAttachment(view)];
  if (!take(cursor, 'SET COMMENT')) return fail(cursor, `${allowed}; of ALTER only SET COMMENT.`);
  expectMark(cursor, '=');
  return asComment(cursor, view);
}
