import type { Attachment } from '../../core/view.ts';
import type { Relation } from './attachments.ts';
import { quoteGrantee, quoteIdentifier } from './names.ts';
import { setState } from './object-names.ts';

/** Kinds that ALTER ... DEPENDS ON EXTENSION and SECURITY LABEL take. */
export const markedKinds: Readonly<Record<'extension' | 'label', readonly string[]>> = {
  extension: ['function', 'procedure', 'trigger', 'index'],
  label: ['function', 'procedure', 'aggregate'],
};

/** The state of a table's rule or trigger that is not the usual one: `D`, `R` or `A`. */
export function stateAttachment({ name }: Relation, state: string): Attachment {
  return { kind: 'state', key: '', value: state, make: setState(name, state), unmake: setState(name, 'O') };
}

/** One right that ALTER DEFAULT PRIVILEGES gives on what a role makes in a schema. */
export interface DefaultPrivilege {
  readonly role: string;
  /** `TABLES`, `SEQUENCES`, `FUNCTIONS`, `TYPES`. */
  readonly type: string;
  readonly privilege: string;
  readonly grantee: string;
  readonly grantable: boolean;
}

/** https://www.postgresql.org/docs/current/sql-alterdefaultprivileges.html */
export function defaultPrivilegeAttachment({ name }: Relation, { role, type, privilege, grantee, grantable }: DefaultPrivilege): Attachment {
  const alter = `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteIdentifier(role)} IN SCHEMA ${quoteIdentifier(name.schema)}`;
  return {
    kind: 'default privilege',
    key: `${privilege} ON ${type} TO ${quoteGrantee(grantee)} BY ${quoteIdentifier(role)}`,
    value: grantable ? 'WITH GRANT OPTION' : '',
    make: `${alter} GRANT ${privilege} ON ${type} TO ${quoteGrantee(grantee)}${grantable ? ' WITH GRANT OPTION' : ''}`,
    unmake: `${alter} REVOKE ${privilege} ON ${type} FROM ${quoteGrantee(grantee)}`,
  };
}
