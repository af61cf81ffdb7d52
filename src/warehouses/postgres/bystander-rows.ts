import type { PrivilegeRow } from './catalog-rows.ts';

/** Rows of the queries of the same name in `bystander-queries.ts`, as the driver returns them. */
export interface BystanderEdgeRow {
  /** The catalog that holds it: `pg_proc`. */
  readonly class: string;
  readonly object: number;
  /** Number of the column, where it is one. */
  readonly part: number;
  /** Whether it is a view's own definition, and `object` the view. */
  readonly defines: boolean;
  readonly view: number | null;
  readonly through: number | null;
  /** In words, fully named. */
  readonly description: string;
}

export interface BystanderDetailsRow {
  readonly class: string;
  readonly oid: number;
  readonly kind: string;
  readonly schema: string;
  readonly table: string | null;
  readonly name: string;
  readonly arguments: string | null;
  readonly owner: string | null;
  readonly comment: string | null;
  /** Of a rule or trigger: `O`, `D`, `R`, `A`. */
  readonly state: string | null;
  /** Why no file can hold it. */
  readonly obstacle: string | null;
}

export interface MarkRow {
  readonly oid: number;
  readonly kind: 'member' | 'extension' | 'label';
  /** Of the extension or of the provider. */
  readonly name: string | null;
  readonly label: string | null;
  /** In words, where no file can say it. */
  readonly obstacle: string;
}

export interface StandingRow {
  readonly kind: string;
  readonly schema: string;
  readonly table: string | null;
  readonly name: string;
  readonly arguments: string | null;
}

export interface SchemaRow {
  readonly oid: number;
  readonly name: string;
  readonly owner: string;
  readonly comment: string | null;
  readonly grantees: readonly string[];
  readonly routineGrantees: readonly string[] | null;
  readonly schemaGrantees: readonly string[] | null;
  /** Whether our role lacks rights on what it makes, or may pass them on. */
  readonly altered: boolean;
}

export interface SchemaPrivilegeRow extends PrivilegeRow {
  /** What ALTER DEFAULT PRIVILEGES calls them; null for rights on the schema itself. */
  readonly type: string | null;
}
