import {
  type Cursor,
  expectEnd,
  expectMark,
  expectWords,
  fail,
  failExpected,
  isAt,
  offsetOf,
  readList,
  startAt,
  take,
  takeMark,
  takeToken,
} from '../../core/cursor.ts';
import type { ParsedCreate, Statement } from '../../core/dialect.ts';
import { isRoutineName } from '../../core/relation.ts';
import type { Attachment } from '../../core/view.ts';
import { ownerKind } from '../../core/view.ts';
import { expectRelation, readName } from '../postgres-family/grammar.ts';
import { expectTokens } from './exact-tokens.ts';
import { type Grant, grantAttachment, revokeAttachment, typePrivilege } from './grant-attachments.ts';
import { everybody } from './names.ts';
import { grantedObject } from './object-names.ts';

const columnPrivileges = ['SELECT', 'INSERT', 'UPDATE', 'REFERENCES'];
/** What ALL stands for: what every supported version knows. */
const allPrivileges = [...columnPrivileges, 'DELETE', 'TRUNCATE', 'TRIGGER'];
/** What stands for ALL on something that is no relation. */
const objectPrivileges: Readonly<Record<string, readonly string[]>> = { schema: ['CREATE', 'USAGE'] };

/** What can be granted on a view or on an object; MAINTAIN exists since version 17. */
function privilegesOn(view: ParsedCreate | undefined): { readonly known: readonly string[]; readonly all: readonly string[] } {
  const onViews = [...allPrivileges, 'MAINTAIN', typePrivilege];
  if (view === undefined) return { known: [...onViews, 'CREATE', 'EXECUTE'], all: allPrivileges };
  const kind = view.name.object?.kind;
  if (kind === undefined) return { known: onViews, all: allPrivileges };
  const all = objectPrivileges[kind] ?? ['EXECUTE'];
  return { known: all, all };
}

type Right = Pick<Grant, 'privilege' | 'column'>;

function ownerIn(view: ParsedCreate | undefined): string | undefined {
  return view?.attachments.find(({ kind }) => kind === ownerKind)?.value;
}

/** Reads `SELECT`, `SELECT (a, b)`, `ALL PRIVILEGES`: one right for each column. */
function readRights(cursor: Cursor, view: ParsedCreate | undefined): readonly Right[] {
  const at = offsetOf(cursor);
  const { known, all } = privilegesOn(view);
  const named = readPrivilege(cursor, known);
  if (view?.name.object !== undefined || !takeMark(cursor, '(')) return (named === undefined ? all : [named]).map((privilege) => ({ privilege }));
  if (named !== undefined && !columnPrivileges.includes(named)) fail(cursor, `${named} cannot be granted on a column.`, at);
  const columns = readList(cursor, (next) => readName(next, 'the name of a column'));
  expectMark(cursor, ')');
  const each = named === undefined ? columnPrivileges : [named];
  return each.flatMap((privilege) => columns.map((column) => ({ privilege, column })));
}

/** A privilege; undefined for ALL. */
function readPrivilege(cursor: Cursor, privileges: readonly string[]): string | undefined {
  if (take(cursor, 'ALL PRIVILEGES') || take(cursor, 'ALL')) return undefined;
  const privilege = privileges.find((word) => take(cursor, word));
  return privilege ?? failExpected(cursor, `a privilege (${privileges.join(', ')} or ALL)`);
}

/** A role, or everybody. */
export function readGrantee(cursor: Cursor): string {
  take(cursor, 'GROUP');
  return readName(cursor, 'the name of a role, or PUBLIC');
}

/** A role that can own, grant or be set: the server reserves the names of everybody and of nobody. */
export function readRole(cursor: Cursor): string {
  const at = offsetOf(cursor);
  const role = readName(cursor, 'the name of a role');
  return role === everybody || role === 'none' ? fail(cursor, `${role.toUpperCase()} is no role here. Write the name of a role.`, at) : role;
}

function isTypeRight(rights: readonly Right[], view: ParsedCreate | undefined): boolean {
  return view?.name.object === undefined && rights.some(({ privilege }) => privilege === typePrivilege);
}

/** Passes what the rights are on: the view, its row type, or the object; without a view anything. */
function expectTarget(cursor: Cursor, rights: readonly Right[], view: ParsedCreate | undefined): void {
  const isOnType = isTypeRight(rights, view);
  if (isOnType && rights.length > 1) fail(cursor, `${typePrivilege} is a right on the row type and stands in a statement of its own.`);
  expectWords(cursor, 'ON');
  if (view === undefined) skipTarget(cursor);
  else if (view.name.object !== undefined) expectTokens(cursor, grantedObject(view.name));
  else expectView(cursor, isOnType ? 'TYPE' : 'TABLE', view);
}

function skipTarget(cursor: Cursor): void {
  while (!isAt(cursor, 'TO')) takeToken(cursor, 'TO');
}

function expectView(cursor: Cursor, what: 'TYPE' | 'TABLE', view: ParsedCreate): void {
  if (what === 'TYPE') expectWords(cursor, what);
  else take(cursor, what);
  expectRelation(cursor, view);
}

function readGrants(cursor: Cursor, view: ParsedCreate | undefined, setRole?: string): readonly Grant[] {
  expectWords(cursor, 'GRANT');
  const rights = readList(cursor, (at) => readRights(at, view)).flat();
  expectTarget(cursor, rights, view);
  expectWords(cursor, 'TO');
  const grantees = readList(cursor, readGrantee);
  const grantable = take(cursor, 'WITH GRANT OPTION');
  const named = take(cursor, 'GRANTED BY') ? readRole(cursor) : setRole;
  expectEnd(cursor);
  const grantor = named === ownerIn(view) ? undefined : named;
  return grantees.flatMap((grantee) => rights.map((right) => ({ ...right, grantee, grantor, grantable })));
}

/** Whether a grant says no more than what is so at first: that the owner is the owner, and that everybody may use a type. */
function isBuiltIn({ privilege, grantee, grantor, column, grantable }: Grant, view: ParsedCreate): boolean {
  const isOnType = view.name.object === undefined && privilege === typePrivilege;
  const isFirst = grantee === ownerIn(view) || (isOnType && grantee === everybody);
  return isFirst && grantor === undefined && column === undefined && !grantable;
}

/** Reads `GRANT …`, or `SET ROLE grantor; GRANT …; RESET ROLE`: one grant for each right and grantee. Without a view: on any one. */
export function parseGrants(statement: Statement, view?: ParsedCreate): readonly Grant[] {
  const [first = startAt(statement), ...others] = splitRun(statement);
  if (!take(first, 'SET ROLE')) return readGrants(first, view);
  const role = readRole(first);
  expectEnd(first);
  const reset = others.pop();
  if (reset === undefined || others.length === 0) return fail(first, 'SET ROLE stands before GRANT, and RESET ROLE behind it.');
  expectWords(reset, 'RESET ROLE');
  expectEnd(reset);
  return others.flatMap((grant) => readGrants(grant, view, role));
}

/** Reads the same: one attachment for each. What the owner has anyway makes none. */
export function parseGrant(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  const owner = ownerIn(view);
  const grants = parseGrants(statement, view).filter((grant) => !isBuiltIn(grant, view));
  return grants.map((grant) => grantAttachment(view, grant, owner));
}

function splitRun(statement: Statement): Cursor[] {
  const { tokens } = statement;
  const marks = tokens.flatMap(({ text }, index) => (text === ';' ? [index] : []));
  return [...marks, tokens.length].map((mark, index) => startAt(statement, tokens.slice(index === 0 ? 0 : (marks[index - 1] ?? 0) + 1, mark)));
}

/** Reads REVOKE, which only takes away what is so at first: from the owner, and the use of the row type from everybody. */
export function parseRevoke(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  const cursor = startAt(statement);
  expectWords(cursor, 'REVOKE');
  if (isAt(cursor, 'GRANT OPTION FOR')) return fail(cursor, 'A file says what is granted: leave the REVOKE out, and WITH GRANT OPTION in the GRANT.');
  const rights = readList(cursor, (at) => readRights(at, view)).flat();
  expectTarget(cursor, rights, view);
  expectWords(cursor, 'FROM');
  const at = offsetOf(cursor);
  const role = readName(cursor, 'the name of the owner');
  // Everybody has these at first.
  const isOpen = isRoutineName(view.name) || isTypeRight(rights, view);
  expectEnd(cursor);
  if (rights.some(({ column }) => column !== undefined))
    return fail(cursor, 'A file says what is granted: leave the REVOKE out, and the columns in the GRANT.', statement.start);
  if (role !== (ownerIn(view) ?? role) && !(isOpen && role === everybody))
    return fail(cursor, 'Only the owner has a right that was not granted. Leave the REVOKE out, and the GRANT.', at);
  return rights.map(({ privilege }) => revokeAttachment(view, { privilege, from: role }));
}
