import { isRoutineName, isSchemaName } from '../../core/relation.ts';
import type { Container } from '../../core/snapshot.ts';
import { isView, type View } from '../../core/view.ts';
import { ownerOf } from './changes.ts';
import { quoteGrantee, quoteIdentifier, quoteRelation } from './names.ts';
import { grantedObject, typedObject } from './object-names.ts';

/** Everybody may call a routine at first, and its owner, who may not pass that on, whatever our default privileges say. */
function reopenRoutine({ name }: View, { owner, grantees }: { readonly owner: string | undefined; readonly grantees: readonly string[] }): readonly string[] {
  const on = `ON ${grantedObject(name)}`;
  const revoked = grantees.filter((grantee) => grantee !== owner).map((grantee) => `REVOKE ALL ${on} FROM ${quoteGrantee(grantee)}`);
  const own =
    owner === undefined ? [] : [`GRANT EXECUTE ${on} TO ${quoteIdentifier(owner)}`, `REVOKE GRANT OPTION FOR EXECUTE ${on} FROM ${quoteIdentifier(owner)}`];
  return [...own, ...revoked, `GRANT EXECUTE ${on} TO PUBLIC`];
}

/** Its owner has all rights on a schema at first, of which he may pass none on, and nobody else has any. */
function closeSchema({ name }: View, { owner, grantees }: { readonly owner: string | undefined; readonly grantees: readonly string[] }): readonly string[] {
  const on = `ON ${typedObject(name)}`;
  const revoked = grantees.filter((grantee) => grantee !== owner).map((grantee) => `REVOKE ALL ${on} FROM ${quoteGrantee(grantee)}`);
  const own = owner === undefined ? [] : [`GRANT ALL ${on} TO ${quoteIdentifier(owner)}`, `REVOKE GRANT OPTION FOR ALL ${on} FROM ${quoteIdentifier(owner)}`];
  return [...own, ...revoked];
}

/**
 * Statements that bring the rights on what our role has just made to those that the server gives by itself. Whoever makes a view has all rights
 * on it and may pass none of them on, and so has the owner afterwards, unless default privileges of whoever made it, or given to the owner, say
 * otherwise.
 */
export function revokeDefaults(view: View, { defaultGrantees, routineGrantees, containerGrantees, ownerRights }: Container): readonly string[] {
  const owner = ownerOf(view);
  if (isRoutineName(view.name)) return routineGrantees === undefined ? [] : reopenRoutine(view, { owner, grantees: routineGrantees });
  if (isSchemaName(view.name)) return containerGrantees === undefined ? [] : closeSchema(view, { owner, grantees: containerGrantees });
  if (!isView(view)) return [];
  const on = `ON ${quoteRelation(view.name)}`;
  const revoked = defaultGrantees.filter((grantee) => grantee !== owner).map((grantee) => `REVOKE ALL ${on} FROM ${quoteGrantee(grantee)}`);
  if (owner === undefined || (ownerRights === undefined && !defaultGrantees.includes(owner))) return revoked;
  const restored = ownerRights === undefined ? [] : [`GRANT ALL ${on} TO ${quoteIdentifier(owner)}`];
  return [...restored, `REVOKE GRANT OPTION FOR ALL ${on} FROM ${quoteIdentifier(owner)}`, ...revoked];
}
