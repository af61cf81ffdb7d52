/** A column as the interface has it. https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema */
export interface Field {
  readonly name: string;
  readonly type: string;
  readonly mode?: string;
  readonly description?: string;
  readonly policyTags?: { readonly names: readonly string[] };
  readonly fields?: readonly Field[];
}

export interface Binding {
  readonly role: string;
  readonly members: readonly string[];
  readonly condition?: object;
}

/** A table or view as the server keeps it. */
export interface Table {
  readonly id: string;
  readonly type: 'TABLE' | 'VIEW' | 'MATERIALIZED_VIEW';
  etag: string;
  schema: readonly Field[];
  query?: string;
  useLegacySql?: boolean;
  /** What stands between the name and AS in a materialized view's statement, without OPTIONS. */
  layout?: string;
  /** A list of columns behind the name. */
  columnList?: readonly string[];
  description?: string | undefined;
  friendlyName?: string | undefined;
  expirationTime?: string | undefined;
  labels: Readonly<Record<string, string>>;
  /** Every other option, as SQL. */
  options: Readonly<Record<string, string>>;
  bindings: readonly Binding[];
  /** When it was changed. */
  changes: readonly number[];
}

export interface AccessEntry {
  readonly view?: { readonly projectId: string; readonly datasetId: string; readonly tableId: string };
  readonly [key: string]: unknown;
}

export interface Dataset {
  readonly id: string;
  readonly location: string;
  etag: string;
  access: readonly AccessEntry[];
  readonly tables: Map<string, Table>;
}

/** What the server answers when it refuses. */
export class Refusal extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}
