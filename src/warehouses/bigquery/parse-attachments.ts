import type { ParsedCreate, Statement } from '../../core/dialect.ts';
import { isReservedLine, type ReservedLine, readReservedLine } from '../../core/reserved-line.ts';
import type { Attachment } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import { authorizationAttachment, columnCommentAttachment, grantAttachment, policyTagAttachment } from './attachments.ts';
import { type Cursor, expectEnd, expectMark, expectRelation, expectWords, fail, isAt, readList, readName, readText, startAt, take } from './grammar.ts';
import { plainName } from './names.ts';

const allowed =
  'Behind the CREATE of a view, a file holds ALTER VIEW ... ALTER COLUMN ... SET OPTIONS, GRANT ... ON VIEW, and lines "-- viewsync: {...}"; this is none of them.';

/** Reads a statement, or a line, that follows the CREATE statement of a view file. */
export function parseAttachments(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  if (statement.text.startsWith('-- viewsync:')) return [parseLine(statement, view)];
  const cursor = startAt(statement);
  if (isAt(cursor, 'ALTER VIEW')) return [parseColumn(cursor, view)];
  if (isAt(cursor, 'GRANT')) return parseGrant(cursor, view);
  return fail(cursor, allowed);
}

function parseColumn(cursor: Cursor, view: ParsedCreate): Attachment {
  expectWords(cursor, 'ALTER VIEW');
  expectRelation(cursor, view);
  if (isAt(cursor, 'SET OPTIONS')) return fail(cursor, 'Options stand in the CREATE statement: CREATE ... OPTIONS (name = value) AS.');
  expectWords(cursor, 'ALTER COLUMN');
  const column = readName(cursor, 'the name of a column');
  expectWords(cursor, 'SET OPTIONS');
  expectMark(cursor, '(');
  expectWords(cursor, 'DESCRIPTION');
  expectMark(cursor, '=');
  const text = readText(cursor);
  expectMark(cursor, ')');
  expectEnd(cursor);
  return columnCommentAttachment(view, column, text);
}

const specialGroup = 'specialGroup:';

/** Reads `GRANT role, ... ON VIEW name TO user, ...`. https://cloud.google.com/bigquery/docs/reference/standard-sql/data-control-language */
function parseGrant(cursor: Cursor, view: ParsedCreate): readonly Attachment[] {
  expectWords(cursor, 'GRANT');
  const roles = readList(cursor, (at) => readName(at, 'a role'));
  expectWords(cursor, 'ON');
  if (!take(cursor, 'VIEW')) expectWords(cursor, 'TABLE');
  expectRelation(cursor, view);
  expectWords(cursor, 'TO');
  const users = readList(cursor, readText);
  expectEnd(cursor);
  const members = users.map((user) => (user.startsWith(specialGroup) ? user.slice(specialGroup.length) : user));
  return roles.flatMap((role) => members.map((member) => grantAttachment(view, role, member)));
}

function failLine({ start }: Statement): never {
  const message = 'This line holds something that this version of viewsync does not know. Use a newer version, or correct it.';
  throw new ViewsyncError('FORMAT_TOO_NEW', { message, details: { offset: start } });
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
}

/** What a line says, where its keys are exactly these. */
function makeFromLine({ view: _, ...content }: ReservedLine, view: ParsedCreate): Attachment | undefined {
  const { column, description, policyTags, authorizedBy } = content;
  switch (Object.keys(content).sort().join(' ')) {
    case 'authorizedBy':
      return typeof authorizedBy === 'string' ? authorizationAttachment(view, authorizedBy) : undefined;
    case 'column description':
      return typeof column === 'string' && typeof description === 'string' ? columnCommentAttachment(view, column, description) : undefined;
    case 'column policyTags':
      return typeof column === 'string' && isTexts(policyTags) ? policyTagAttachment(view, column, policyTags) : undefined;
    default:
      return undefined;
  }
}

function parseLine(statement: Statement, view: ParsedCreate): Attachment {
  const line = isReservedLine(statement.text) ? readReservedLine(statement.text) : undefined;
  if (line === undefined) return failLine(statement);
  const about = line['view'];
  if (about !== plainName(view.name)) return fail(startAt(statement), `This line is about ${String(about)}, but the file is about ${plainName(view.name)}.`);
  return makeFromLine(line, view) ?? failLine(statement);
}
