import { type Cursor, expectEnd, expectMark, expectWords, failExpected, readList, take } from '../../core/cursor.ts';
import type { ParsedCreate } from '../../core/dialect.ts';
import type { Attachment } from '../../core/view.ts';
import { expectRelation, readName } from '../postgres-family/grammar.ts';
import { spellGrantee } from './names.ts';
import { maskingAttachment, rowPolicyAttachment, rowSecurityAttachment, sharedRowSecurityAttachment } from './policy-attachments.ts';

function readGrantee(cursor: Cursor): string {
  if (take(cursor, 'PUBLIC')) return spellGrantee('public', '');
  return spellGrantee(take(cursor, 'ROLE') ? 'role' : 'user', readName(cursor, 'the name of a user, ROLE with a name, or PUBLIC'));
}

function readColumns(cursor: Cursor): readonly string[] {
  expectMark(cursor, '(');
  const columns = readList(cursor, (at) => readName(at, 'the name of a column'));
  expectMark(cursor, ')');
  return columns;
}

/** Reads on behind `ATTACH RLS POLICY`. */
export function readRowPolicy(cursor: Cursor, view: ParsedCreate): readonly Attachment[] {
  const policy = readName(cursor, 'the name of a policy');
  expectWords(cursor, 'ON');
  take(cursor, 'TABLE');
  expectRelation(cursor, view);
  expectWords(cursor, 'TO');
  const grantees = readList(cursor, readGrantee);
  expectEnd(cursor);
  return grantees.map((grantee) => rowPolicyAttachment(view, policy, grantee));
}

function readPriority(cursor: Cursor): number {
  if (!take(cursor, 'PRIORITY')) return 0;
  const token = cursor.tokens[cursor.next];
  if (token?.kind !== 'number' || !/^\d+$/.test(token.text)) return failExpected(cursor, 'a whole number');
  cursor.next += 1;
  return Number(token.text);
}

/** Reads on behind `ATTACH MASKING POLICY`. */
export function readMasking(cursor: Cursor, view: ParsedCreate): Attachment {
  const policy = readName(cursor, 'the name of a policy');
  expectWords(cursor, 'ON');
  expectRelation(cursor, view);
  const outputs = readColumns(cursor);
  const inputs = take(cursor, 'USING') ? readColumns(cursor) : outputs;
  expectWords(cursor, 'TO');
  const grantee = readGrantee(cursor);
  const priority = readPriority(cursor);
  expectEnd(cursor);
  return maskingAttachment(view, { policy, grantee, outputs, inputs, priority });
}

/** Reads on behind `ALTER TABLE name ROW LEVEL SECURITY`. */
export function readRowSecurity(cursor: Cursor, view: ParsedCreate): Attachment {
  expectWords(cursor, 'ON');
  if (take(cursor, 'FOR DATASHARES')) {
    expectEnd(cursor);
    return sharedRowSecurityAttachment(view);
  }
  const conjunction = take(cursor, 'CONJUNCTION TYPE') && !take(cursor, 'AND') ? 'OR' : 'AND';
  if (conjunction === 'OR') expectWords(cursor, 'OR');
  expectEnd(cursor);
  return rowSecurityAttachment(view, conjunction);
}
