import { compareText } from '../../core/relation.ts';
import type { Container } from '../../core/snapshot.ts';
import type { View } from '../../core/view.ts';
import { commentAttachment, ownerAttachment, sortAttachments } from './attachments.ts';
import type { SchemaPrivilegeRow, SchemaRow } from './bystander-rows.ts';
import { everybody } from './names.ts';
import { defaultPrivilegeAttachment } from './object-attachments.ts';
import { typedObject } from './object-names.ts';
import { aclAttachments } from './privileges.ts';

function toState({ name, owner, comment }: SchemaRow, privileges: readonly SchemaPrivilegeRow[]): View {
  const relation = { name: { schema: name, name, object: { kind: 'schema' } }, kind: 'container' as const };
  const entries = privileges.filter(({ type }) => type === null);
  const defaults = privileges.flatMap(({ type, grantor, grantee, privilege, grantable }) =>
    type === null ? [] : [defaultPrivilegeAttachment(relation, { role: grantor, type, privilege, grantee: grantee ?? everybody, grantable })],
  );
  const attachments = sortAttachments([
    ownerAttachment(relation, owner),
    ...aclAttachments(relation, { owner, entries, serverPrivileges: ['CREATE', 'USAGE'] }),
    ...defaults,
    ...(comment === null ? [] : [commentAttachment(relation, { on: 'relation' }, comment)]),
  ]);
  return { ...relation, definition: `CREATE ${typedObject(relation.name)}`, columns: [], reads: [], attachments, unrestorable: [] };
}

/** All schemas, sorted by name. */
export function toContainers({
  schemas,
  schemaPrivileges,
}: {
  readonly schemas: readonly SchemaRow[];
  readonly schemaPrivileges: readonly SchemaPrivilegeRow[];
}): readonly Container[] {
  const rights = Map.groupBy(schemaPrivileges, ({ view }) => view);
  const containers = schemas.map((row): Container => {
    const { name, grantees, routineGrantees, schemaGrantees, altered } = row;
    return {
      name,
      defaultGrantees: [...grantees].sort(compareText),
      ...(routineGrantees === null ? {} : { routineGrantees: [...routineGrantees].sort(compareText) }),
      ...(schemaGrantees === null ? {} : { containerGrantees: [...schemaGrantees].sort(compareText) }),
      ...(altered ? { ownerRights: 'altered' } : {}),
      state: toState(row, rights.get(row.oid) ?? []),
    };
  });
  return containers.sort((left, right) => compareText(left.name, right.name));
}
