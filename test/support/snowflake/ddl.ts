import { type Token, tokenize } from '../../../src/core/lexer.ts';
import { lexicalRules } from '../../../src/warehouses/snowflake/lexical-rules.ts';
import { readConstant } from '../../../src/warehouses/snowflake/string-constants.ts';
import {
  type Account,
  type Column,
  denied,
  findRelation,
  type Grant,
  homeOf,
  missing,
  nameFrom,
  newSchema,
  type Relation,
  type RelationType,
  rolesInSession,
  type Session,
  SqlError,
  schemaOf,
} from './account.ts';
import { analyze } from './analyze.ts';

/** A statement that the server reads from left to right. */
interface Reader {
  readonly sql: string;
  readonly tokens: readonly Token[];
  /** Where what is not qualified lies. */
  readonly home: { readonly database: string; readonly schema: string };
  at: number;
}

function syntaxError({ tokens, at }: Reader): SqlError {
  return new SqlError(
    '001003',
    '42000',
    `SQL compilation error:\nsyntax error line 1 at position ${tokens[at]?.start ?? 0} unexpected '${tokens[at]?.text ?? '<EOF>'}'.`,
  );
}

function isAt(reader: Reader, words: string): boolean {
  return words.split(' ').every((word, index) => reader.tokens[reader.at + index]?.text.toUpperCase() === word);
}

function take(reader: Reader, words: string): boolean {
  if (!isAt(reader, words)) return false;
  reader.at += words.split(' ').length;
  return true;
}

function expect(reader: Reader, words: string): void {
  if (!take(reader, words)) throw syntaxError(reader);
}

function takeToken(reader: Reader): Token {
  const token = reader.tokens[reader.at];
  if (!token) throw syntaxError(reader);
  reader.at += 1;
  return token;
}

function readPath(reader: Reader): string[] {
  const parts = [nameFrom(takeToken(reader))];
  while (take(reader, '.')) parts.push(nameFrom(takeToken(reader)));
  return parts;
}

/** The path of something in a schema; what it lacks is the session's. */
function readObject(reader: Reader): string[] {
  const parts = readPath(reader);
  return [reader.home.database, reader.home.schema].slice(0, Math.max(0, 3 - parts.length)).concat(parts);
}

function readText(reader: Reader): string {
  const text = readConstant(takeToken(reader).text);
  if (text === undefined) throw syntaxError(reader);
  return text;
}

function readInParentheses(reader: Reader): string {
  const open = takeToken(reader);
  let depth = 1;
  let last = open;
  while (depth > 0) {
    last = takeToken(reader);
    if (last.text === '(') depth += 1;
    if (last.text === ')') depth -= 1;
  }
  return reader.sql.slice(open.end, last.start).trim();
}

/** Names in parentheses as the server keeps them. */
function readNames(reader: Reader): string {
  expect(reader, '(');
  const names: string[] = [];
  do names.push(nameFrom(takeToken(reader)));
  while (take(reader, ','));
  expect(reader, ')');
  return names.map((name) => (/^[A-Z_][A-Z0-9_$]*$/.test(name) ? name : `"${name}"`)).join(', ');
}

function readTags(reader: Reader): Map<string, string> {
  const tags = new Map<string, string>();
  expect(reader, '(');
  do {
    const name = readPath(reader).join('.');
    expect(reader, '=');
    tags.set(name, readText(reader));
  } while (take(reader, ','));
  expect(reader, ')');
  return tags;
}

const types: readonly (readonly [string, RelationType])[] = [
  ['MATERIALIZED VIEW', 'MATERIALIZED VIEW'],
  ['DYNAMIC TABLE', 'DYNAMIC TABLE'],
  ['VIEW', 'VIEW'],
  ['TABLE', 'BASE TABLE'],
];

function readType(reader: Reader): RelationType {
  const found = types.find(([words]) => take(reader, words));
  if (!found) throw syntaxError(reader);
  return found[1];
}

const column = (name: string, type = 'NUMBER'): Column => ({ name, type, comment: '', maskingPolicy: '', projectionPolicy: '', tags: new Map() });

/** https://docs.snowflake.com/en/sql-reference/intro-summary-data-types: what a type is called in the catalog. */
const typeNames: ReadonlyMap<string, string> = new Map([
  ['VARCHAR', 'TEXT'],
  ['STRING', 'TEXT'],
  ['INT', 'NUMBER'],
  ['INTEGER', 'NUMBER'],
]);

function readColumn(reader: Reader): Column {
  const made = column(nameFrom(takeToken(reader)));
  while (reader.at < reader.tokens.length && !isAt(reader, ',') && !isAt(reader, ')')) {
    take(reader, 'WITH');
    if (take(reader, 'COMMENT')) made.comment = readText(reader);
    else if (take(reader, 'MASKING POLICY'))
      made.maskingPolicy = `${readPath(reader).join('.')}${take(reader, 'USING') ? ` using (${readNames(reader)})` : ''}`;
    else if (take(reader, 'PROJECTION POLICY')) made.projectionPolicy = readPath(reader).join('.');
    else if (take(reader, 'TAG')) for (const [tag, value] of readTags(reader)) made.tags.set(tag, value);
    else if (isAt(reader, '(')) readInParentheses(reader);
    else made.type = typeNames.get(takeToken(reader).text.toUpperCase()) ?? reader.tokens[reader.at - 1]?.text.toUpperCase() ?? '';
  }
  return made;
}

function readColumns(reader: Reader): Column[] {
  const columns: Column[] = [];
  expect(reader, '(');
  do columns.push(readColumn(reader));
  while (take(reader, ','));
  expect(reader, ')');
  return columns;
}

interface Draft {
  readonly relation: Relation;
  copiesGrants: boolean;
  declared: Column[] | undefined;
}

const policyKinds = ['ROW ACCESS POLICY', 'AGGREGATION POLICY', 'JOIN POLICY'];

/** https://docs.snowflake.com/en/sql-reference/sql/create-view */
function readClause(reader: Reader, draft: Draft): void {
  const { relation } = draft;
  if (isAt(reader, '(')) {
    draft.declared = readColumns(reader);
    return;
  }
  if (take(reader, 'COPY GRANTS')) {
    draft.copiesGrants = true;
    return;
  }
  take(reader, 'WITH');
  const policy = policyKinds.find((kind) => take(reader, kind));
  if (policy) {
    const name = readPath(reader).join('.');
    const words = ['ON', 'ENTITY KEY', 'ALLOWED JOIN KEYS'].find((each) => take(reader, each));
    relation.policies.set(policy, words === undefined ? name : `${name} ${words.toLowerCase()} (${readNames(reader)})`);
  } else if (take(reader, 'TAG')) for (const [tag, value] of readTags(reader)) relation.tags.set(tag, value);
  else if (take(reader, 'CLUSTER BY')) relation.clusterBy = readInParentheses(reader);
  else {
    const key = takeToken(reader).text.toUpperCase();
    expect(reader, '=');
    if (key === 'COMMENT') relation.comment = readText(reader);
    else if (key === 'CHANGE_TRACKING') relation.changeTracking = takeToken(reader).text.toUpperCase() === 'TRUE';
    else if (relation.type === 'DYNAMIC TABLE') relation.options.set(key, takeToken(reader).text);
    else throw syntaxError(reader);
  }
}

/** The moment of a statement. */
function takeMoment(account: Account): number {
  account.moments += 1;
  return Date.UTC(2026, 0, 1) + account.moments * 1000;
}

function draftRelation(
  [database = '', schema = '', name = '']: readonly string[],
  { type, session, moment, text }: { readonly type: RelationType; readonly session: Session; readonly moment: number; readonly text: string },
): Relation {
  return {
    ...{ created: moment, lastDdl: moment, text },
    ...{ database, schema, name, type, columns: [], owner: session.role, comment: '', isSecure: false, isRecursive: false, definition: '' },
    ...{
      changeTracking: false,
      grants: [],
      tags: new Map(),
      policies: new Map(),
      options: new Map(),
      clusterBy: '',
      isSuspended: false,
      lastDdlBy: session.user,
    },
  };
}

function requireOwner(account: Account, session: Session, relation: Relation): void {
  if (!rolesInSession(account, session.role).has(relation.owner)) throw denied(`view '${relation.name}'`);
}

/** A replace keeps grants with COPY GRANTS alone; only without it do future grants apply. https://docs.snowflake.com/en/sql-reference/sql/create-view#optional-parameters */
function grantsOf(account: Account, session: Session, { relation, copiesGrants }: Draft, before: Relation | undefined): Grant[] {
  if (before && copiesGrants) return before.grants.map((grant) => ({ ...grant, grantor: session.role }));
  return futureOf(account, relation).map((grant) => ({ ...grant }));
}

/** Those of a schema win over those of its database. https://docs.snowflake.com/en/sql-reference/sql/grant-privilege#considerations */
function futureOf(account: Account, relation: Pick<Relation, 'database' | 'schema'>): readonly Grant[] {
  const schema = schemaOf(account, relation.database, relation.schema);
  return schema.futureGrants.length > 0 ? schema.futureGrants : (account.databases.get(relation.database)?.futureGrants ?? []);
}

/** https://docs.snowflake.com/en/sql-reference/sql/create-database: with the schema PUBLIC. */
function createDatabase(account: Account, session: Session, reader: Reader): void {
  const [name = ''] = readPath(reader);
  const rights = [...rolesInSession(account, session.role)].flatMap((role) => [...(account.globalRights.get(role) ?? [])]);
  if (!rights.includes('CREATE DATABASE')) throw denied(`account '${account.name}'`);
  if (take(reader, 'COMMENT =')) readText(reader);
  if (account.databases.has(name)) throw new SqlError('002002', '42710', `SQL compilation error:\nObject '${name}' already exists.`);
  account.databases.set(name, { name, origin: '', kind: 'STANDARD', schemas: new Map([['PUBLIC', newSchema('PUBLIC')]]), futureGrants: [] });
}

function createSchema({ databases }: Account, reader: Reader, replaces: boolean): void {
  const parts = readPath(reader);
  const [database = '', name = ''] = parts.length === 1 ? [reader.home.database, ...parts] : parts;
  const schemas = databases.get(database)?.schemas;
  if (!schemas) throw missing(database);
  if (schemas.has(name) && !replaces) throw new SqlError('002002', '42710', `SQL compilation error:\nObject '${name}' already exists.`);
  schemas.set(name, newSchema(name));
}

/** A function or sequence, of which only the name and what it takes and gives is kept. */
function createRoutine(account: Account, reader: Reader, kind: 'FUNCTION' | 'SEQUENCE'): void {
  const [database = '', schema = '', name = ''] = readObject(reader);
  const signature = kind === 'FUNCTION' ? `(${readInParentheses(reader)})` : '';
  const from = reader.at;
  while (reader.at < reader.tokens.length && !isAt(reader, 'AS')) takeToken(reader);
  const returns = reader.sql.slice(reader.tokens[from + 1]?.start ?? 0, reader.tokens[reader.at]?.start).trim();
  schemaOf(account, database, schema).routines.push({ name, kind, signature, returns: kind === 'FUNCTION' ? returns : '' });
  reader.at = reader.tokens.length;
}

function create(account: Account, session: Session, reader: Reader): void {
  expect(reader, 'CREATE');
  const replaces = take(reader, 'OR REPLACE');
  take(reader, 'TRANSIENT');
  if (take(reader, 'DATABASE')) createDatabase(account, session, reader);
  else if (take(reader, 'SCHEMA')) createSchema(account, reader, replaces);
  else if (take(reader, 'FUNCTION')) createRoutine(account, reader, 'FUNCTION');
  else if (take(reader, 'SEQUENCE')) createRoutine(account, reader, 'SEQUENCE');
  else createRelation(account, session, reader, replaces);
}

function createRelation(account: Account, session: Session, reader: Reader, replaces: boolean): void {
  const isSecure = take(reader, 'SECURE');
  const isRecursive = take(reader, 'RECURSIVE');
  const type = readType(reader);
  const path = readObject(reader);
  const [database = '', schema = '', name = ''] = path;
  const { relations } = schemaOf(account, database, schema);
  const before = relations.get(name);
  if (before && !replaces) throw new SqlError('002002', '42710', `SQL compilation error:\nObject '${path.join('.')}' already exists.`);
  if (before && before.type !== type) throw new SqlError('001998', '0A000', `SQL compilation error:\nObject '${name}' already exists as ${before.type}.`);
  if (before) requireOwner(account, session, before);
  const draft: Draft = {
    relation: { ...draftRelation(path, { type, session, moment: takeMoment(account), text: reader.sql }), isSecure, isRecursive },
    copiesGrants: false,
    declared: undefined,
  };
  if (type === 'BASE TABLE') draft.relation.columns = readColumns(reader);
  else {
    while (!isAt(reader, 'AS')) readClause(reader, draft);
    const from = takeToken(reader).end;
    draft.relation.definition = reader.sql.slice(from).trim().replace(/;$/, '').trimEnd();
    draft.relation.columns = makeColumns(account, draft);
    reader.at = reader.tokens.length;
  }
  draft.relation.grants = grantsOf(account, session, draft, before).filter((each) => each.privilege !== 'OWNERSHIP');
  // https://docs.snowflake.com/en/sql-reference/sql/grant-ownership: of future objects.
  if (!before) draft.relation.owner = futureOf(account, draft.relation).find((each) => each.privilege === 'OWNERSHIP')?.grantee ?? draft.relation.owner;
  relations.set(name, draft.relation);
  breakStreams(account, path);
}

function makeColumns(account: Account, { relation, declared }: Draft): Column[] {
  const outputs = analyze(account, relation.definition, relation);
  if (declared && declared.length !== outputs.length) {
    throw new SqlError(
      '002026',
      '42601',
      `SQL compilation error:\nInvalid column definition list: ${declared.length} columns declared, query produces ${outputs.length}.`,
    );
  }
  return outputs.map(({ name, type }, index) => ({ ...(declared?.[index] ?? column(name)), type }));
}

/** https://docs.snowflake.com/en/user-guide/streams-intro: recreating a view makes its streams stale. */
function breakStreams({ streams }: Account, path: readonly string[]): void {
  for (const stream of streams) if (stream.source === path.join('.')) stream.isStale = true;
}

function existing(account: Account, path: readonly string[], type: RelationType): Relation {
  const relation = findRelation(account, path);
  if (!relation || (relation.type !== type && type !== 'BASE TABLE')) throw missing(path.join('.'));
  return relation;
}

function drop(account: Account, session: Session, reader: Reader): void {
  expect(reader, 'DROP');
  const isDatabase = take(reader, 'DATABASE');
  const isSchema = !isDatabase && take(reader, 'SCHEMA');
  const type = isDatabase || isSchema ? undefined : readType(reader);
  const mayBeAbsent = take(reader, 'IF EXISTS');
  if (isDatabase) {
    const [name = ''] = readPath(reader);
    if (!account.databases.delete(name) && !mayBeAbsent) throw missing(name);
  } else if (isSchema) {
    const [database = '', name = ''] = readPath(reader);
    if (!account.databases.get(database)?.schemas.delete(name) && !mayBeAbsent) throw missing(`${database}.${name}`);
  } else if (type) dropRelation(account, session, { path: readObject(reader), type, mayBeAbsent });
}

function dropRelation(
  account: Account,
  session: Session,
  { path, type, mayBeAbsent }: { readonly path: readonly string[]; readonly type: RelationType; readonly mayBeAbsent: boolean },
): void {
  if (mayBeAbsent && !findRelation(account, path)) return;
  const relation = existing(account, path, type);
  requireOwner(account, session, relation);
  schemaOf(account, relation.database, relation.schema).relations.delete(relation.name);
  breakStreams(account, path);
}

/** https://docs.snowflake.com/en/sql-reference/sql/alter-table: views keep the columns and the text that they were made with. */
function alterTable(account: Account, reader: Reader, relation: Relation): void {
  if (take(reader, 'ADD COLUMN')) relation.columns.push(readColumn(reader));
  else if (take(reader, 'DROP COLUMN')) {
    const name = nameFrom(takeToken(reader));
    if (!relation.columns.some((each) => each.name === name)) throw new SqlError('000904', '42000', `SQL compilation error:\ninvalid identifier '${name}'`);
    relation.columns = relation.columns.filter((each) => each.name !== name);
  } else if (take(reader, 'RENAME COLUMN')) {
    const name = nameFrom(takeToken(reader));
    expect(reader, 'TO');
    const to = nameFrom(takeToken(reader));
    relation.columns = relation.columns.map((each) => (each.name === name ? { ...each, name: to } : each));
  } else {
    expect(reader, 'RENAME TO');
    const [database = '', schema = '', name = ''] = readObject(reader);
    const target = schemaOf(account, database, schema).relations;
    if (target.has(name)) throw new SqlError('002002', '42710', `SQL compilation error:\nObject '${name}' already exists.`);
    schemaOf(account, relation.database, relation.schema).relations.delete(relation.name);
    target.set(name, { ...relation, database, schema, name });
  }
}

/** https://docs.snowflake.com/en/sql-reference/sql/alter-view */
function alter(account: Account, session: Session, reader: Reader): void {
  expect(reader, 'ALTER');
  const type = readType(reader);
  const relation = existing(account, readObject(reader), type);
  requireOwner(account, session, relation);
  relation.lastDdlBy = session.user;
  relation.lastDdl = takeMoment(account);
  if (relation.type === 'BASE TABLE') alterTable(account, reader, relation);
  else if (take(reader, 'MODIFY COLUMN')) {
    const name = nameFrom(takeToken(reader));
    const found = relation.columns.find((each) => each.name === name);
    if (!found) throw new SqlError('000904', '42000', `SQL compilation error:\ninvalid identifier '${name}'`);
    alterColumn(reader, found);
  } else if (take(reader, 'SET')) set(reader, relation);
  else if (take(reader, 'UNSET')) unset(reader, relation);
  else if (relation.type === 'DYNAMIC TABLE' && (isAt(reader, 'SUSPEND') || isAt(reader, 'RESUME')))
    relation.isSuspended = takeToken(reader).text === 'SUSPEND';
  else if (take(reader, 'ADD ROW ACCESS POLICY')) {
    if (relation.policies.has('ROW ACCESS POLICY')) throw new SqlError('003557', '23001', 'Object already has a row access policy.');
    const name = readPath(reader).join('.');
    expect(reader, 'ON');
    relation.policies.set('ROW ACCESS POLICY', `${name} on (${readNames(reader)})`);
  } else if (take(reader, 'DROP ROW ACCESS POLICY')) {
    readPath(reader);
    relation.policies.delete('ROW ACCESS POLICY');
  } else throw syntaxError(reader);
}

function alterColumn(reader: Reader, found: Column): void {
  const isSet = take(reader, 'SET');
  if (!isSet) expect(reader, 'UNSET');
  if (take(reader, 'TAG')) {
    const tag = readPath(reader).join('.');
    if (!isSet) found.tags.delete(tag);
    else {
      expect(reader, '=');
      found.tags.set(tag, readText(reader));
    }
    return;
  }
  const kind = take(reader, 'MASKING POLICY') ? 'maskingPolicy' : 'projectionPolicy';
  if (kind === 'projectionPolicy') expect(reader, 'PROJECTION POLICY');
  found[kind] = isSet ? readPath(reader).join('.') : '';
  if (take(reader, 'USING')) found[kind] += ` using (${readNames(reader)})`;
  take(reader, 'FORCE');
}

function set(reader: Reader, relation: Relation): void {
  if (take(reader, 'SECURE')) relation.isSecure = true;
  else if (take(reader, 'TAG')) {
    const tag = readPath(reader).join('.');
    expect(reader, '=');
    relation.tags.set(tag, readText(reader));
  } else if (take(reader, 'COMMENT')) {
    expect(reader, '=');
    relation.comment = readText(reader);
  } else if (take(reader, 'CHANGE_TRACKING')) {
    expect(reader, '=');
    relation.changeTracking = takeToken(reader).text.toUpperCase() === 'TRUE';
  } else if (relation.type === 'DYNAMIC TABLE') {
    const key = takeToken(reader).text.toUpperCase();
    expect(reader, '=');
    relation.options.set(key, takeToken(reader).text);
  } else throw syntaxError(reader);
}

function unset(reader: Reader, relation: Relation): void {
  if (take(reader, 'SECURE')) relation.isSecure = false;
  else if (take(reader, 'COMMENT')) relation.comment = '';
  else if (take(reader, 'TAG')) relation.tags.delete(readPath(reader).join('.'));
  else throw syntaxError(reader);
}

const granteeTypes = ['DATABASE ROLE', 'APPLICATION ROLE', 'APPLICATION', 'SHARE', 'ROLE'];

function readGrantee(account: Account, reader: Reader): { readonly grantedTo: string; readonly grantee: string } {
  const type = granteeTypes.find((words) => take(reader, words));
  if (!type) throw syntaxError(reader);
  const grantee = readPath(reader).join('.');
  if (type === 'ROLE' && !account.roles.has(grantee))
    throw new SqlError('002003', '02000', `SQL compilation error:\nRole '${grantee}' does not exist or not authorized.`);
  return { grantedTo: type.replace(' ', '_'), grantee };
}

/** https://docs.snowflake.com/en/sql-reference/sql/grant-privilege https://docs.snowflake.com/en/sql-reference/sql/grant-ownership */
function grant(account: Account, session: Session, reader: Reader): void {
  const isGrant = take(reader, 'GRANT');
  if (!isGrant) expect(reader, 'REVOKE');
  const privilege = takeToken(reader).text.toUpperCase();
  expect(reader, 'ON');
  if (take(reader, 'FUTURE VIEWS IN SCHEMA')) {
    const [database = '', schema = ''] = readPath(reader);
    expect(reader, 'TO');
    schemaOf(account, database, schema).futureGrants.push({ privilege, ...readGrantee(account, reader), isGrantable: false, grantor: session.role });
    return;
  }
  const type = readType(reader);
  const relation = existing(account, readObject(reader), type);
  expect(reader, isGrant ? 'TO' : 'FROM');
  const to = readGrantee(account, reader);
  requireOwner(account, session, relation);
  if (privilege === 'OWNERSHIP') {
    expect(reader, 'COPY CURRENT GRANTS');
    relation.owner = to.grantee;
    return;
  }
  const isSame = (each: Grant) => each.privilege === privilege && each.grantedTo === to.grantedTo && each.grantee === to.grantee;
  relation.grants = relation.grants.filter((each) => !isSame(each));
  if (isGrant) relation.grants.push({ privilege, ...to, isGrantable: take(reader, 'WITH GRANT OPTION'), grantor: session.role });
}

function comment(account: Account, session: Session, reader: Reader): void {
  expect(reader, 'COMMENT ON COLUMN');
  const path = readPath(reader);
  expect(reader, 'IS');
  const relation = existing(account, path.slice(0, 3), 'BASE TABLE');
  requireOwner(account, session, relation);
  const found = relation.columns.find(({ name }) => name === path[3]);
  if (!found) throw new SqlError('000904', '42000', `SQL compilation error:\ninvalid identifier '${path[3]}'`);
  found.comment = readText(reader);
}

const statements: Readonly<Record<string, (account: Account, session: Session, reader: Reader) => void>> = {
  CREATE: create,
  DROP: drop,
  ALTER: alter,
  GRANT: grant,
  REVOKE: grant,
  COMMENT: comment,
};

/** Runs a statement that changes something, if it is one; it changes everything that it says, or nothing. */
export function runDdl(account: Account, session: Session, sql: string): boolean {
  const tokens = tokenize(sql, lexicalRules).filter(({ kind }) => kind !== 'comment');
  const run = statements[tokens[0]?.text.toUpperCase() ?? ''];
  if (!run || tokens[1]?.text.toUpperCase() === 'SESSION') return false;
  const reader: Reader = { sql, tokens: tokens.filter(({ text }) => text !== ';'), home: homeOf(session), at: 0 };
  run(account, session, reader);
  if (reader.at < reader.tokens.length) throw syntaxError(reader);
  return true;
}
