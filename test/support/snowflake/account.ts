import type { Token } from '../../../src/core/lexer.ts';

/** A column of a relation as the server keeps it. */
export interface Column {
  readonly name: string;
  type: string;
  comment: string;
  maskingPolicy: string;
  projectionPolicy: string;
  tags: Map<string, string>;
}

export interface Grant {
  readonly privilege: string;
  /** `ROLE`, `DATABASE_ROLE`, `SHARE`, ... */
  readonly grantedTo: string;
  readonly grantee: string;
  isGrantable: boolean;
  grantor: string;
}

export type RelationType = 'BASE TABLE' | 'VIEW' | 'MATERIALIZED VIEW' | 'DYNAMIC TABLE';

export interface Relation {
  readonly database: string;
  readonly schema: string;
  readonly name: string;
  type: RelationType;
  columns: Column[];
  owner: string;
  comment: string;
  isSecure: boolean;
  isRecursive: boolean;
  /** Text behind AS, as it was typed. */
  definition: string;
  changeTracking: boolean;
  grants: Grant[];
  tags: Map<string, string>;
  /** `POLICY ON (COLUMNS)` and the like, by kind. */
  policies: Map<string, string>;
  options: Map<string, string>;
  clusterBy: string;
  isSuspended: boolean;
  lastDdlBy: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  lastDdl: number;
  /** The statement that made it, as it was typed. */
  readonly text: string;
}

export interface Stream {
  readonly database: string;
  readonly schema: string;
  readonly name: string;
  /** `DB.SCHEMA.VIEW`. */
  readonly source: string;
  isStale: boolean;
}

/** A function or sequence: what a view may need that is no relation. */
export interface Routine {
  readonly name: string;
  readonly kind: 'FUNCTION' | 'SEQUENCE';
  /** `(A NUMBER)` and `NUMBER` of a function. */
  readonly signature: string;
  readonly returns: string;
}

export interface Schema {
  readonly name: string;
  readonly relations: Map<string, Relation>;
  readonly routines: Routine[];
  readonly futureGrants: Grant[];
}

export interface Database {
  readonly name: string;
  readonly origin: string;
  readonly kind: string;
  readonly schemas: Map<string, Schema>;
  readonly futureGrants: Grant[];
}

/** What a test makes the server do to a statement. */
export interface Injection {
  readonly matches: RegExp;
  /** How many statements it still hits. */
  times: number;
  readonly error?: { readonly code: string; readonly sqlState: string; readonly message: string };
  /** The statement is carried out and its answer never sent. */
  readonly swallow?: boolean;
  /** Nothing is carried out, and nothing answered. */
  readonly refuseConnection?: boolean;
  /** Nothing is carried out, and HTTP says so; `retryAfter` in seconds. */
  readonly http?: { readonly status: number; readonly retryAfter?: number };
  /** The session ends before the statement is carried out: its token is told to have expired, or to be unknown. */
  readonly ends?: 'token' | 'session';
  /** The answer is that the query still runs, so many times. */
  readonly inProgress?: number;
  /** So many rows are left out of the answer, which says nothing of it. */
  readonly cutRows?: number;
  readonly latency?: number;
}

export interface Account {
  readonly name: string;
  readonly databases: Map<string, Database>;
  /** Roles, each with the roles that it is a member of. */
  readonly roles: Map<string, Set<string>>;
  readonly streams: Stream[];
  /** Rights on the account of a role: `APPLY MASKING POLICY`. */
  readonly globalRights: Map<string, Set<string>>;
  /** Keys of databases, schemas and relations that nobody is shown, as if a privilege had been taken away. */
  readonly hidden: Set<string>;
  readonly transactions: { readonly id: number; readonly session: number; readonly user: string; name: string; readonly startedOn: number }[];
  readonly injections: Injection[];
  /** Every statement that came in, but the setting up of sessions. */
  readonly log: string[];
  /** Every statement that was carried out, once however often it came in. */
  readonly carriedOut: string[];
  /** Whether a request that comes in twice is carried out twice. https://docs.snowflake.com/en/developer-guide/node-js/nodejs-driver-execute#resubmitting-requests says that it is not. */
  repeatsRequests: boolean;
  /** https://docs.snowflake.com/en/sql-reference/sql/show: 10,000 rows at most. */
  showLimit: number;
  /** Rows above which INFORMATION_SCHEMA answers "too much data"; https://docs.snowflake.com/en/sql-reference/info-schema#considerations */
  tooMuch: number;
  /** Milliseconds by which the server's clock is ahead. */
  ahead: number;
  /** Seconds by which DDL is apart: two statements never have the same moment. */
  moments: number;
  /** Names that GET_DDL prints instead of the real ones, as for a clone or a renamed view. */
  readonly printedNames: Map<string, string>;
  /** Characters behind which GET_DDL ends, by view. */
  readonly cutTexts: Map<string, number>;
  /** Statements of clients that changed something, and who is told of each. */
  changes: number;
  onChange: (moment: 'before' | 'after', number: number) => void;
  /** Grants of our role on schemas, by key; `OWNERSHIP` where nothing else is said. */
  readonly access: Map<string, string>;
}

/** A session of the account. */
export interface Session {
  readonly id: number;
  readonly user: string;
  role: string;
  compute: string | null;
  /** `"DB"."SCHEMA"` of unqualified names. */
  schema: string;
  readonly tag: string;
  /** Answers that were or were not received, by request. */
  readonly answers: Map<string, unknown>;
  /** The token with which it can be called now; undefined when that has expired. */
  token: string | undefined;
}

/** Where unqualified names of a session lie. */
export function homeOf({ schema }: Pick<Session, 'schema'>): { readonly database: string; readonly schema: string } {
  const [database = '', name = ''] = [...schema.matchAll(/"((?:[^"]|"")*)"|([^".]+)/g)].map(
    ([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain.toUpperCase(),
  );
  return { database, schema: name };
}

/** An error in the server's words. */
export class SqlError extends Error {
  readonly code: string;
  readonly sqlState: string;

  constructor(code: string, sqlState: string, message: string) {
    super(message);
    this.code = code;
    this.sqlState = sqlState;
  }
}

/** https://docs.snowflake.com/en/sql-reference/sql-general-errors: whether it does not exist is not told from whether one may see it. */
export function missing(what: string): SqlError {
  return new SqlError('002003', '42S02', `SQL compilation error:\nObject '${what}' does not exist or not authorized.`);
}

export function denied(what: string): SqlError {
  return new SqlError('003001', '42501', `SQL access control error:\nInsufficient privileges to operate on ${what}.`);
}

export const newSchema = (name: string): Schema => ({ name, relations: new Map(), routines: [], futureGrants: [] });

export function createAccount(databases: Readonly<Record<string, readonly string[]>>, roles: readonly string[] = []): Account {
  const toDatabase = ([name, schemas]: [string, readonly string[]]): [string, Database] => [
    name,
    { name, origin: '', kind: 'STANDARD', schemas: new Map(schemas.map((schema) => [schema, newSchema(schema)])), futureGrants: [] },
  ];
  return {
    name: 'MYACCOUNT',
    databases: new Map(Object.entries(databases).map(toDatabase)),
    roles: new Map(['VIEWSYNC', 'ACCOUNTADMIN', ...roles].map((role) => [role, new Set()])),
    streams: [],
    globalRights: new Map([['VIEWSYNC', new Set(['APPLY MASKING POLICY', 'APPLY ROW ACCESS POLICY', 'APPLY TAG', 'CREATE DATABASE'])]]),
    hidden: new Set(),
    transactions: [],
    injections: [],
    log: [],
    carriedOut: [],
    repeatsRequests: false,
    showLimit: 10_000,
    tooMuch: Number.POSITIVE_INFINITY,
    ahead: 0,
    moments: 0,
    printedNames: new Map(),
    cutTexts: new Map(),
    changes: 0,
    onChange: () => undefined,
    access: new Map(),
  };
}

export function schemaOf(account: Account, database: string, schema: string): Schema {
  const found = account.databases.get(database)?.schemas.get(schema);
  if (!found) throw missing(`${database}.${schema}`);
  return found;
}

export function findRelation(account: Account, [database = '', schema = '', name = '']: readonly string[]): Relation | undefined {
  return account.databases.get(database)?.schemas.get(schema)?.relations.get(name);
}

/** A role with every role that it is a member of, directly or not. */
export function rolesInSession({ roles }: Account, role: string): ReadonlySet<string> {
  const found = new Set<string>();
  const queue = [role];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    queue.push(...(roles.get(next) ?? []));
  }
  return found;
}

export function isVisible({ hidden }: Account, ...path: readonly string[]): boolean {
  return !path.some((_, index) => hidden.has(path.slice(0, index + 1).join('.')));
}

/** The name a token stands for. */
export function nameFrom(token: Token): string {
  return token.text.startsWith('"') ? token.text.slice(1, -1).replaceAll('""', '"') : token.text.toUpperCase();
}
