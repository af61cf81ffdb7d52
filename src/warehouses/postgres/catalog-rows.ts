import type { Commented } from './attachments.ts';

/** Rows of the queries of the same name in `catalog-queries.ts`, as the driver returns them. */
export interface ViewRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'v' | 'm';
  readonly owner: string;
  readonly populated: boolean;
  /** `name=value`. */
  readonly options: readonly string[];
  /** Whether the rule that holds the definition exists. */
  readonly defined: boolean;
  /** Whether its row type has a list of rights. */
  readonly guarded: boolean;
  /** Bytes of a materialized view, as text. */
  readonly size: string | null;
}

export interface ColumnRow {
  readonly view: number;
  readonly name: string;
  readonly type: string;
}

export interface PrivilegeRow {
  readonly view: number;
  readonly column: string | null;
  readonly grantor: string;
  /** Null for everybody. */
  readonly grantee: string | null;
  readonly privilege: string;
  readonly grantable: boolean;
}

export interface CommentRow {
  readonly view: number;
  readonly on: Commented['on'];
  readonly schema: string | null;
  readonly name: string | null;
  readonly text: string;
}

export type PartKind = 'default' | 'rule' | 'trigger' | 'index' | 'statistics';

export interface PartRow {
  readonly view: number;
  readonly oid: number;
  readonly kind: PartKind;
  readonly schema: string | null;
  /** Of the column, rule, trigger, index or statistics. */
  readonly name: string;
}

export interface ReadRow {
  readonly view: number;
  readonly schema: string;
  readonly name: string;
}

export interface AttributeRow {
  readonly view: number;
  readonly kind:
    | 'access method'
    | 'tablespace'
    | 'index tablespace'
    | 'cluster'
    | 'replica identity'
    | 'statistics target'
    | 'statistics owner'
    | 'storage'
    | 'compression'
    | 'column option'
    | 'extension'
    | 'label';
  /** Which part of the view has it. */
  readonly on: string | null;
  readonly schema: string | null;
  readonly name: string | null;
  /** Of an index's column. */
  readonly number: number;
  readonly value: string | null;
  /** What it is when nothing is said; a label's provider. */
  readonly usual: string | null;
}

export interface UnrestorableRow {
  readonly view: number;
  readonly what: string;
}

export interface SessionRow {
  readonly role: string;
  readonly superuser: boolean;
  readonly database: string;
  readonly server: string;
  readonly locks: number;
}
