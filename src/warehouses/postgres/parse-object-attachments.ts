import { type Cursor, expectEnd, expectWords, fail, failExpected, isAt, startAt, take } from '../../core/cursor.ts';
import type { ParsedCreate, Statement } from '../../core/dialect.ts';
import { isRoutineName } from '../../core/relation.ts';
import type { Attachment } from '../../core/view.ts';
import { readName } from '../postgres-family/grammar.ts';
import { readText } from '../postgres-family/string-constants.ts';
import { commentAttachment, ownerAttachment } from './attachments.ts';
import { expectTokens, takeTokens } from './exact-tokens.ts';
import { labelAttachment } from './label-attachments.ts';
import { type DefaultPrivilege, defaultPrivilegeAttachment, markedKinds, stateAttachment } from './object-attachments.ts';
import { setState, typedObject } from './object-names.ts';
import { parseGrant, parseRevoke, readGrantee, readRole } from './parse-grants.ts';
import { extensionAttachment } from './storage-attachments.ts';

const allowed = 'Behind the statement that makes it, this file holds its owner, GRANT, REVOKE and COMMENT ON, and nothing about anything else';

/** Kinds of objects that have an owner of their own. */
const owned = ['function', 'procedure', 'aggregate', 'operator', 'schema'];

/** The owner, or an extension without which it does not stay. */
function readChange(cursor: Cursor, view: ParsedCreate): Attachment {
  const kind = view.name.object?.kind ?? '';
  expectWords(cursor, 'ALTER');
  expectTokens(cursor, typedObject(view.name));
  const isDependent = markedKinds.extension.includes(kind) && take(cursor, 'DEPENDS ON EXTENSION');
  if (!isDependent && !owned.includes(kind)) return failExpected(cursor, 'DEPENDS ON EXTENSION');
  if (!isDependent) expectWords(cursor, 'OWNER TO');
  const attachment = isDependent
    ? extensionAttachment(view, { on: 'relation' }, readName(cursor, 'the name of an extension'))
    : ownerAttachment(view, readRole(cursor));
  expectEnd(cursor);
  return attachment;
}

function readLabel(cursor: Cursor, view: ParsedCreate): Attachment {
  expectWords(cursor, 'SECURITY LABEL FOR');
  const provider = readName(cursor, 'the name of a provider');
  expectWords(cursor, 'ON');
  expectTokens(cursor, typedObject(view.name));
  expectWords(cursor, 'IS');
  const label = readText(cursor);
  expectEnd(cursor);
  return labelAttachment(view, { on: 'relation' }, { provider, label });
}

function readComment(cursor: Cursor, view: ParsedCreate): Attachment {
  expectWords(cursor, 'COMMENT ON');
  expectTokens(cursor, typedObject(view.name));
  expectWords(cursor, 'IS');
  if (isAt(cursor, 'NULL')) return fail(cursor, 'A file says what there is: leave a comment that is NULL out.');
  const text = readText(cursor);
  if (text === '') return fail(cursor, 'An empty comment is none: leave it out.');
  expectEnd(cursor);
  return commentAttachment(view, { on: 'relation' }, text);
}

function readState(cursor: Cursor, view: ParsedCreate): Attachment {
  const state = ['D', 'R', 'A'].find((each) => takeTokens(cursor, setState(view.name, each)));
  if (state === undefined) return failExpected(cursor, `${setState(view.name, 'D')}, or ENABLE REPLICA or ENABLE ALWAYS`);
  expectEnd(cursor);
  return stateAttachment(view, state);
}

/** What ALTER DEFAULT PRIVILEGES gives in a schema. */
export function readDefaultPrivilege(cursor: Cursor, { name }: Pick<ParsedCreate, 'name'>): DefaultPrivilege {
  expectWords(cursor, 'ALTER DEFAULT PRIVILEGES FOR ROLE');
  const role = readRole(cursor);
  expectWords(cursor, 'IN SCHEMA');
  expectTokens(cursor, typedObject(name).slice('SCHEMA '.length));
  expectWords(cursor, 'GRANT');
  const privileges = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN', 'USAGE', 'EXECUTE'];
  const privilege = privileges.find((word) => take(cursor, word)) ?? failExpected(cursor, privileges.join(', '));
  expectWords(cursor, 'ON');
  const types = ['TABLES', 'SEQUENCES', 'FUNCTIONS', 'TYPES'];
  const type = types.find((word) => take(cursor, word)) ?? failExpected(cursor, types.join(', '));
  expectWords(cursor, 'TO');
  const grantee = readGrantee(cursor);
  const grantable = take(cursor, 'WITH GRANT OPTION');
  expectEnd(cursor);
  return { role, type, privilege, grantee, grantable };
}

/** Reads a statement that follows the one that makes a bystander or a schema. */
export function parseObjectAttachments(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  const cursor = startAt(statement);
  const kind = view.name.object?.kind ?? '';
  const hasRights = isRoutineName(view.name) || kind === 'schema';
  if (isAt(cursor, 'ALTER DEFAULT PRIVILEGES') && kind === 'schema') return [defaultPrivilegeAttachment(view, readDefaultPrivilege(cursor, view))];
  if (isAt(cursor, 'ALTER TABLE') && (kind === 'rule' || kind === 'trigger')) return [readState(cursor, view)];
  if (isAt(cursor, 'ALTER') && (owned.includes(kind) || markedKinds.extension.includes(kind))) return [readChange(cursor, view)];
  if (isAt(cursor, 'SECURITY LABEL') && markedKinds.label.includes(kind)) return [readLabel(cursor, view)];
  if (isAt(cursor, 'COMMENT ON') && kind !== 'default') return [readComment(cursor, view)];
  if (isAt(cursor, 'REVOKE') && hasRights) return parseRevoke(statement, view);
  if ((isAt(cursor, 'GRANT') || isAt(cursor, 'SET ROLE')) && hasRights) return parseGrant(statement, view);
  return fail(cursor, `${allowed}; this statement is none of them.`);
}
