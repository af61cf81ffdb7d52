import { type Cursor, expectEnd, expectMark, expectWords, fail, failExpected, isAt, readList, startAt, take, takeMark } from '../../core/cursor.ts';
import type { ParsedCreate, Statement } from '../../core/dialect.ts';
import { type Attachment, ownerKind } from '../../core/view.ts';
import { expectRelation, readName } from '../postgres-family/grammar.ts';
import { readConstant } from '../postgres-family/string-constants.ts';
import { autoRefreshAttachment, commentAttachment, type Grant, grantAttachment, isLateBinding, ownerAttachment } from './attachments.ts';
import { quoteIdentifier, spellGrantee } from './names.ts';
import { readMasking, readRowPolicy, readRowSecurity } from './parse-policies.ts';

/** Every right that Redshift knows on a view. https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html */
export const viewPrivileges = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'DROP', 'REFERENCES', 'ALTER', 'TRUNCATE', 'TRIGGER', 'RULE'] as const;

const columnPrivileges: readonly string[] = ['SELECT', 'UPDATE'];

const allowed =
  'Behind the CREATE of a view, a file holds ALTER TABLE ... OWNER TO or ROW LEVEL SECURITY, ALTER MATERIALIZED VIEW ... AUTO REFRESH, ATTACH, GRANT and COMMENT ON';

/** Reads a statement that follows the CREATE statement of a view file. */
export function parseAttachments(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  const cursor = startAt(statement);
  if (take(cursor, 'ALTER TABLE') || take(cursor, 'ALTER VIEW')) return [readAlterTable(cursor, view)];
  if (take(cursor, 'ALTER MATERIALIZED VIEW')) return [readAlter(cursor, view)];
  if (take(cursor, 'ATTACH RLS POLICY')) return readRowPolicy(cursor, view);
  if (take(cursor, 'ATTACH MASKING POLICY')) return [readMasking(cursor, view)];
  if (take(cursor, 'GRANT')) return readGrants(cursor, view);
  if (take(cursor, 'COMMENT ON')) return [readComment(cursor, view)];
  return fail(cursor, `${allowed}; this statement is none of them.`);
}

function readAlterTable(cursor: Cursor, view: ParsedCreate): Attachment {
  expectRelation(cursor, view);
  if (take(cursor, 'ROW LEVEL SECURITY')) return readRowSecurity(cursor, view);
  expectWords(cursor, 'OWNER TO');
  const owner = readName(cursor, 'the name of a user');
  expectEnd(cursor);
  return ownerAttachment(view, owner);
}

function readAlter(cursor: Cursor, view: ParsedCreate): Attachment {
  if (view.kind === 'view') return fail(cursor, 'This is a plain view, and not a materialized one.');
  expectRelation(cursor, view);
  expectWords(cursor, 'AUTO REFRESH');
  if (isAt(cursor, 'NO')) return fail(cursor, 'No automatic refresh is what there is without this statement: leave it out.');
  expectWords(cursor, 'YES');
  expectEnd(cursor);
  return autoRefreshAttachment(view);
}

type Right = Pick<Grant, 'privilege' | 'column'>;

function readRights(cursor: Cursor): readonly Right[] {
  const privilege = viewPrivileges.find((word) => take(cursor, word)) ?? failExpected(cursor, `a privilege (${viewPrivileges.join(', ')})`);
  if (!takeMark(cursor, '(')) return [{ privilege }];
  if (!columnPrivileges.includes(privilege)) fail(cursor, `${privilege} cannot be granted on a column.`);
  const columns = readList(cursor, (at) => readName(at, 'the name of a column'));
  expectMark(cursor, ')');
  return columns.map((column) => ({ privilege, column }));
}

function readGrantee(cursor: Cursor): string {
  if (take(cursor, 'PUBLIC')) return spellGrantee('public', '');
  const kind = take(cursor, 'GROUP') ? 'group' : take(cursor, 'ROLE') ? 'role' : 'user';
  return spellGrantee(kind, readName(cursor, 'the name of a user, GROUP or ROLE with a name, or PUBLIC'));
}

/** One attachment for each right and grantee. What the owner has anyway makes none. */
function readGrants(cursor: Cursor, view: ParsedCreate): readonly Attachment[] {
  const rights = readList(cursor, readRights).flat();
  expectWords(cursor, 'ON');
  take(cursor, 'TABLE');
  expectRelation(cursor, view);
  expectWords(cursor, 'TO');
  const grantees = readList(cursor, readGrantee);
  const grantable = take(cursor, 'WITH GRANT OPTION');
  expectEnd(cursor);
  const owner = view.attachments.find(({ kind }) => kind === ownerKind)?.value;
  const others = grantees.filter((grantee) => owner === undefined || grantee !== quoteIdentifier(owner));
  return others.flatMap((grantee) => rights.map((right) => grantAttachment(view, { ...right, grantee, grantable })));
}

/** A string constant; a backslash escapes in every one, as behind E on PostgreSQL. */
function readText(cursor: Cursor): string {
  const token = cursor.tokens[cursor.next];
  if (token?.kind !== 'string') return failExpected(cursor, "a text in quotes: '...' or $$...$$");
  const text = readConstant(token.text.startsWith("'") ? `e${token.text}` : token.text);
  if (text === undefined) return fail(cursor, "A text is written as '...' or $$...$$ in a view file.");
  cursor.next += 1;
  return text;
}

function readCommentedColumn(cursor: Cursor, view: ParsedCreate): string {
  if (isLateBinding(view)) fail(cursor, 'The columns of a late-binding view take no comments.');
  expectRelation(cursor, view);
  expectMark(cursor, '.');
  return readName(cursor, 'the name of a column');
}

function readComment(cursor: Cursor, view: ParsedCreate): Attachment {
  const column = take(cursor, 'COLUMN') ? readCommentedColumn(cursor, view) : undefined;
  if (column === undefined) {
    expectWords(cursor, 'VIEW');
    expectRelation(cursor, view);
  }
  expectWords(cursor, 'IS');
  if (isAt(cursor, 'NULL')) return fail(cursor, 'A file says what there is: leave a comment that is NULL out.');
  const text = readText(cursor);
  if (text === '') return fail(cursor, 'An empty comment is none: leave it out.');
  expectEnd(cursor);
  return commentAttachment(view, column, text);
}
