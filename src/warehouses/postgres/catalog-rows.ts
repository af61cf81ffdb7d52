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
  readonly on: 'relation' | 'column' | 'rule' | 'trigger' | 'index';
  readonly schema: string | null;
  readonly name: string | null;
  readonly text: string;
}

export type PartKind = 'default' | 'rule' | 'trigger' | 'index';

export interface PartRow {
  readonly view: number;
  readonly oid: number;
  readonly kind: PartKind;
  readonly schema: string | null;
  /** Of the column, rule, trigger or index. */
  readonly name: string;
}

export interface ReadRow {
  readonly view: number;
  readonly schema: string;
  readonly name: string;
}

export interface UnrestorableRow {
  readonly view: number;
  readonly what: string;
}

export interface BystanderRow {
  readonly view: number;
  readonly description: string;
}

export interface SchemaRow {
  readonly name: string;
  readonly grantees: readonly string[];
}

export interface SessionRow {
  readonly role: string;
  readonly superuser: boolean;
  readonly database: string;
  readonly server: string;
  readonly locks: number;
}
