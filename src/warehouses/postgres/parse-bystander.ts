import { type Cursor, expectEnd, expectMark, expectWords, fail, failExpected, isAt, readList, startAt, take, takeMark, takeToken } from '../../core/cursor.ts';
import type { ParsedCreate, Statement } from '../../core/dialect.ts';
import type { ObjectKind, RelationName } from '../../core/relation.ts';
import { readName, readQualifiedName } from '../postgres-family/grammar.ts';
import { readArguments, readType } from './parse-types.ts';

type ReadObject = (cursor: Cursor) => RelationName;

function expectMore(cursor: Cursor, what: string): void {
  if (cursor.next >= cursor.tokens.length) failExpected(cursor, what);
}

const calledBy =
  (kind: string): ReadObject =>
  (cursor) => {
    const name = readQualifiedName(cursor, `The name of the ${kind}`);
    const object = { kind, arguments: readArguments(cursor) };
    expectMore(cursor, `the rest of the ${kind}`);
    return { ...name, object };
  };

function onTable(kind: string, name: string, table: RelationName): RelationName {
  return { schema: table.schema, name, object: { kind, on: table.name } };
}

const readTable = (cursor: Cursor) => readQualifiedName(cursor, 'The name of the table');

function readPolicy(cursor: Cursor): RelationName {
  const name = readName(cursor, 'the name of a policy');
  expectWords(cursor, 'ON');
  return onTable('policy', name, readTable(cursor));
}

function readRule(cursor: Cursor): RelationName {
  const name = readName(cursor, 'the name of a rule');
  expectWords(cursor, 'AS ON');
  if (!['INSERT', 'UPDATE', 'DELETE'].some((event) => take(cursor, event))) failExpected(cursor, 'INSERT, UPDATE or DELETE');
  expectWords(cursor, 'TO');
  const table = readTable(cursor);
  expectMore(cursor, 'DO');
  return onTable('rule', name, table);
}

function readTrigger(cursor: Cursor): RelationName {
  const name = readName(cursor, 'the name of a trigger');
  while (!isAt(cursor, 'ON')) takeToken(cursor, 'ON and the name of a table');
  expectWords(cursor, 'ON');
  const table = readTable(cursor);
  expectMore(cursor, 'EXECUTE FUNCTION');
  return onTable('trigger', name, table);
}

function readIndex(cursor: Cursor): RelationName {
  for (const words of ['CONCURRENTLY', 'IF NOT EXISTS'])
    if (isAt(cursor, words)) fail(cursor, `Leave ${words} out: a file holds what is made where nothing is yet.`);
  const name = readName(cursor, 'the name of an index');
  expectWords(cursor, 'ON');
  const table = readTable(cursor);
  expectMore(cursor, 'USING');
  return onTable('index', name, table);
}

/** A CHECK constraint or a default, which ALTER TABLE makes. */
function readTablePart(cursor: Cursor): RelationName {
  const isAlone = take(cursor, 'ONLY');
  const table = readTable(cursor);
  if (isAlone) {
    expectWords(cursor, 'ALTER COLUMN');
    const column = readName(cursor, 'the name of a column');
    expectWords(cursor, 'SET DEFAULT');
    expectMore(cursor, 'an expression');
    return onTable('default', column, table);
  }
  expectWords(cursor, 'ADD CONSTRAINT');
  const name = readName(cursor, 'the name of a constraint');
  expectWords(cursor, 'CHECK');
  expectMore(cursor, 'a condition');
  return onTable('check', name, table);
}

/** The schema and name of a type, where its text has both. */
function typeName(text: string): Pick<RelationName, 'schema' | 'name'> | undefined {
  const parts = [...text.matchAll(/"((?:[^"]|"")*)"|[^".\s[\]]+/g)].map(([part, quoted]) => quoted?.replaceAll('""', '"') ?? part);
  const [schema, name] = parts;
  return text.includes('.') && schema !== undefined && name !== undefined ? { schema, name } : undefined;
}

function readCast(cursor: Cursor): RelationName {
  expectMark(cursor, '(');
  const source = readType(cursor);
  expectWords(cursor, 'AS');
  const target = readType(cursor);
  expectMark(cursor, ')');
  expectMore(cursor, 'WITH FUNCTION, WITHOUT FUNCTION or WITH INOUT');
  const place = typeName(source) ?? typeName(target);
  if (!place) return fail(cursor, 'One of the types of a cast needs its schema.');
  return { ...place, object: { kind: 'cast', arguments: `${source} AS ${target}` } };
}

/** Passes one setting of an operator; its value where it is the type of a side. */
function readSetting(cursor: Cursor): readonly [name: string, type: string] {
  // JOIN is one of them, which could be no name.
  const name = takeToken(cursor, 'the name of a setting').text.toLowerCase();
  if (!takeMark(cursor, '=')) return [name, ''];
  if (name === 'leftarg' || name === 'rightarg') return [name, readType(cursor)];
  let depth = 0;
  for (let token = cursor.tokens[cursor.next]; token !== undefined; token = cursor.tokens[cursor.next]) {
    if (depth === 0 && (token.text === ',' || token.text === ')')) break;
    depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0;
    cursor.next += 1;
  }
  return [name, ''];
}

function readOperator(cursor: Cursor): RelationName {
  const schema = readName(cursor, 'the schema of an operator');
  expectMark(cursor, '.');
  const name = takeToken(cursor, 'an operator');
  if (name.kind !== 'operator') return fail(cursor, `${JSON.stringify(name.text)} is no operator.`, name.start);
  expectMark(cursor, '(');
  const settings = new Map(readList(cursor, readSetting));
  expectMark(cursor, ')');
  expectEnd(cursor);
  const [left, right] = [settings.get('leftarg') ?? 'NONE', settings.get('rightarg')];
  if (right === undefined) return fail(cursor, 'An operator needs its RIGHTARG.');
  return { schema, name: name.text, object: { kind: 'operator', arguments: `${left}, ${right}` } };
}

function readSchema(cursor: Cursor): RelationName {
  const name = readName(cursor, 'the name of a schema');
  expectEnd(cursor);
  return { schema: name, name, object: { kind: 'schema' } };
}

/** How the statement that makes an object begins, and what reads its name behind that. */
const objects: readonly (readonly [words: string, read: ReadObject])[] = [
  ['CREATE FUNCTION', calledBy('function')],
  ['CREATE PROCEDURE', calledBy('procedure')],
  ['CREATE AGGREGATE', calledBy('aggregate')],
  ['CREATE OPERATOR', readOperator],
  ['CREATE CAST', readCast],
  ['CREATE POLICY', readPolicy],
  ['CREATE RULE', readRule],
  ['CREATE TRIGGER', readTrigger],
  ['CREATE CONSTRAINT TRIGGER', readTrigger],
  ['CREATE INDEX', readIndex],
  ['CREATE UNIQUE INDEX', readIndex],
  ['ALTER TABLE', readTablePart],
  ['CREATE SCHEMA', readSchema],
];

const replacing = ['FUNCTION', 'PROCEDURE', 'AGGREGATE', 'RULE', 'TRIGGER'];

/** Reads the first statement of a file that holds a bystander or a schema; undefined when it makes something else. */
export function parseBystander(statement: Statement): ParsedCreate | undefined {
  const cursor = startAt(statement);
  const replaced = replacing.find((what) => isAt(cursor, `CREATE OR REPLACE ${what}`));
  if (replaced) return fail(cursor, `Write CREATE ${replaced}: a file holds what is made where nothing is yet.`);
  const found = objects.find(([words]) => isAt(cursor, words));
  if (!found) return undefined;
  expectWords(cursor, found[0]);
  const name = found[1](cursor);
  const object = name.object as ObjectKind;
  return { name, kind: object.kind === 'schema' ? 'container' : 'bystander', definition: statement.text, attachments: [] };
}
