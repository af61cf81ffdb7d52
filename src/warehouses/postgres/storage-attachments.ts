import type { RelationName } from '../../core/relation.ts';
import type { Attachment } from '../../core/view.ts';
import { optionAssignment, quoteOption, type Relation, typedRelation } from './attachments.ts';
import { quoteIdentifier, quoteRelation } from './names.ts';

/** Where a table of the database comes to lie by default, unless the catalogs say something else. */
const defaultTablespace = 'pg_default';

/** The method that stores a materialized view's rows, when it is not the usual one. */
export function accessMethodAttachment(relation: Relation, method: string): Attachment {
  const set = `ALTER ${typedRelation(relation)} SET ACCESS METHOD`;
  return { kind: 'access method', key: '', value: method, make: `${set} ${quoteIdentifier(method)}`, unmake: `${set} heap` };
}

/** The tablespace of a materialized view, when it is not the database's own, which is `usual`. */
export function tablespaceAttachment(relation: Relation, tablespace: string, usual = defaultTablespace): Attachment {
  const set = `ALTER ${typedRelation(relation)} SET TABLESPACE`;
  return { kind: 'tablespace', key: '', value: tablespace, make: `${set} ${quoteIdentifier(tablespace)}`, unmake: `${set} ${quoteIdentifier(usual)}` };
}

/** The tablespace of an index, likewise. */
export function indexTablespaceAttachment(index: RelationName, tablespace: string, usual = defaultTablespace): Attachment {
  const set = `ALTER INDEX ${quoteRelation(index)} SET TABLESPACE`;
  return {
    kind: 'index tablespace',
    key: index.name,
    value: tablespace,
    make: `${set} ${quoteIdentifier(tablespace)}`,
    unmake: `${set} ${quoteIdentifier(usual)}`,
  };
}

/** The index in whose order CLUSTER sorts the rows. */
export function clusterAttachment(relation: Relation, index: string): Attachment {
  const alter = `ALTER ${typedRelation(relation)}`;
  return { kind: 'cluster', key: '', value: index, make: `${alter} CLUSTER ON ${quoteIdentifier(index)}`, unmake: `${alter} SET WITHOUT CLUSTER` };
}

export type ReplicaIdentity = 'FULL' | 'NOTHING';

export function replicaIdentityAttachment(relation: Relation, value: ReplicaIdentity): Attachment {
  const set = `ALTER ${typedRelation(relation)} REPLICA IDENTITY`;
  return { kind: 'replica identity', key: '', value, make: `${set} ${value}`, unmake: `${set} DEFAULT` };
}

function alterColumn(relation: Relation, column: string): string {
  return `ALTER ${typedRelation(relation)} ALTER COLUMN ${quoteIdentifier(column)}`;
}

/** How wide values of a column are stored, when it is not as their type asks for, which is `usual`. */
export function storageAttachment(relation: Relation, column: string, { storage, usual = 'EXTENDED' }: { storage: string; usual?: string }): Attachment {
  const set = `${alterColumn(relation, column)} SET STORAGE`;
  return { kind: 'storage', key: column, value: storage, make: `${set} ${storage}`, unmake: `${set} ${usual}` };
}

/** The method that compresses the values of a column, when it is said. */
export function compressionAttachment(relation: Relation, column: string, method: string): Attachment {
  const set = `${alterColumn(relation, column)} SET COMPRESSION`;
  return { kind: 'compression', key: column, value: method, make: `${set} ${method}`, unmake: `${set} DEFAULT` };
}

/** What the planner is told of a column: `n_distinct`. */
export function columnOptionAttachment(relation: Relation, column: string, { name, value }: { name: string; value: string }): Attachment {
  const alter = alterColumn(relation, column);
  return {
    kind: 'column option',
    key: `${column} ${name}`,
    value,
    make: `${alter} SET (${optionAssignment(name, value)})`,
    unmake: `${alter} RESET (${quoteOption(name)})`,
  };
}

/** What something depends on an extension: the materialized view, one of its indexes, a trigger. It goes when the extension goes. */
export type Dependent =
  | { readonly on: 'relation' }
  | { readonly on: 'trigger'; readonly name: string }
  | { readonly on: 'index'; readonly schema: string; readonly name: string };

/** `value` names the part of the view that depends on the extension. */
export function extensionAttachment(relation: Relation, on: Dependent, extension: string): Attachment {
  const part = on.on === 'relation' ? '' : `${on.on} ${on.name}`;
  const alter = `ALTER ${dependentObject(relation, on)}`;
  const depends = `DEPENDS ON EXTENSION ${quoteIdentifier(extension)}`;
  return { kind: 'extension', key: `${part} ${extension}`.trimStart(), value: part, make: `${alter} ${depends}`, unmake: `${alter} NO ${depends}` };
}

function dependentObject(relation: Relation, on: Dependent): string {
  if (on.on === 'index') return `INDEX ${quoteRelation(on)}`;
  return on.on === 'relation' ? typedRelation(relation) : `TRIGGER ${quoteIdentifier(on.name)} ON ${quoteRelation(relation.name)}`;
}
