/** Rows of the queries in `catalog-queries.ts`, as the driver returns them. */
export interface ViewRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  /** One right per line, as the server writes them; null while nobody was granted anything. */
  readonly acl: string | null;
  readonly comment: string | null;
}

export interface DefinitionRow {
  readonly oid: number;
  readonly definition: string | null;
}

export interface ColumnRow {
  readonly view: number;
  readonly name: string;
  readonly type: string;
  readonly comment: string | null;
}

export interface LateColumnRow {
  readonly schema: string;
  readonly view: string;
  readonly name: string;
  readonly type: string;
  readonly number: number;
}

export interface ReadRow {
  readonly view: number;
  readonly schema: string;
  readonly name: string;
}

export interface PrivilegeRow {
  readonly schema: string;
  readonly view: string;
  readonly column?: string;
  readonly privilege: string;
  readonly grantee: string;
  /** `user`, `group`, `role` or `public`. */
  readonly kind: string;
  readonly grantable?: boolean;
}

export interface UserGrantRow {
  readonly user: string;
  readonly role: string;
}

/** A role that another one has. */
export interface RoleGrantRow {
  readonly role: string;
  readonly granted: string;
}

export interface SystemPrivilegeRow {
  readonly name: string;
  /** `user` or `role`. */
  readonly kind: string;
}

export interface GranteeRow {
  readonly name: string;
  readonly kind: string;
}

export interface DefaultRow {
  /** Null: in every schema. */
  readonly schema: string | null;
  readonly grantee: string;
  readonly kind: string;
}

export interface MaterializedRow {
  readonly schema: string;
  readonly view: string;
  readonly autorefresh: boolean | string;
}

export interface SizeRow {
  readonly schema: string;
  readonly table: string;
  readonly size: number | string;
}

export interface PolicyRow {
  readonly schema: string;
  readonly view: string;
  readonly policy: string;
  readonly grantee: string;
  /** `user`, `role` or `public`. */
  readonly kind: string;
}

export type RowPolicyRow = PolicyRow;

export interface MaskingPolicyRow extends PolicyRow {
  readonly priority: number | string;
  /** Names of columns as a JSON array. */
  readonly inputs: string;
  readonly outputs: string;
}

export interface RowSecurityRow {
  readonly schema: string;
  readonly view: string;
  readonly isOn: boolean | string | null;
  readonly isShared: boolean | string | null;
  /** `and` or `or`. */
  readonly conjunction: string | null;
}

export interface DefaultAclRow {
  /** Null: in every schema. */
  readonly schema: string | null;
  readonly acl: string | null;
}
