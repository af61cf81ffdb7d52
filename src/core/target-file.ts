import { ViewsyncError } from '../errors.ts';
import { didYouMean } from './nearest.ts';
import { compareRelations, compareText, type RelationName } from './relation.ts';
import type { TargetDescription, Unreadable } from './snapshot.ts';

/** The version of the format of a target's folder: of `target.json` and of the view files beside it. */
const formatVersion = 1;

type Fields = Readonly<Record<string, unknown>>;

function sortedEntries(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).sort(([left], [right]) => compareText(left, right)));
}

function writeName({ catalog, schema, name, object }: RelationName): Fields {
  return { ...(catalog === undefined ? {} : { catalog }), schema, name, ...object };
}

function writeUnreadable({ name, reason }: Unreadable): Fields {
  return { ...writeName(name), reason };
}

/** Returns the text of a target's `target.json`: the same text for the same description. */
export function writeTargetFile(description: TargetDescription): string {
  const { warehouse, version, scope, identity, unreadable, access } = description;
  const content = {
    format: formatVersion,
    warehouse,
    ...(version === undefined ? {} : { version }),
    schemas: scope.schemas,
    ...(scope.leaveOut === undefined ? {} : { leaveOut: scope.leaveOut }),
    identity: sortedEntries(identity),
    unreadable: unreadable.toSorted((left, right) => compareRelations(left.name, right.name)).map(writeUnreadable),
    ...(access === undefined ? {} : { access: sortedEntries(access) }),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

function fail(path: string, message: string): never {
  throw new ViewsyncError('FILE_UNREADABLE', {
    message: `${path}: ${message} Nothing was changed.`,
    suggestions: [`git log -p -- ${path}`],
    details: { path, reason: message },
  });
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string, path: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : fail(path, 'It must hold a JSON object.');
  } catch (error) {
    if (error instanceof SyntaxError) return fail(path, `It is no JSON: ${error.message}.`);
    throw error;
  }
}

function checkKeys(fields: Fields, known: readonly string[], path: string): void {
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown !== undefined) fail(path, `The key ${JSON.stringify(unknown)} is not known.${didYouMean(unknown, known)}`);
}

function checkFormat({ format }: Fields, path: string): void {
  if (format === formatVersion) return;
  if (!Number.isInteger(format) || Number(format) < formatVersion) {
    fail(path, `"format" is ${JSON.stringify(format) ?? 'missing'}; there is no format before ${formatVersion}, which every version of viewsync reads.`);
  }
  throw new ViewsyncError('FORMAT_TOO_NEW', {
    message: `${path} was written in format ${format}; this version of viewsync reads formats up to ${formatVersion}. Nothing was changed.`,
    suggestions: ['npm install viewsync@latest'],
    details: { path, format },
  });
}

function readText(fields: Fields, key: string, path: string): string {
  const value = fields[key];
  return typeof value === 'string' ? value : fail(path, `"${key}" must be a text.`);
}

function readTexts(value: unknown, key: string, path: string): string[] {
  const isTexts = Array.isArray(value) && value.every((item) => typeof item === 'string');
  return isTexts ? value : fail(path, `"${key}" must be a list of texts.`);
}

function readRecord(value: unknown, key: string, path: string): Record<string, string> {
  const isRecord = isFields(value) && Object.values(value).every((item) => typeof item === 'string');
  return isRecord ? (value as Record<string, string>) : fail(path, `"${key}" must hold texts by name.`);
}

function readOptional(fields: Fields, key: string, path: string): Record<string, string> {
  return fields[key] === undefined ? {} : { [key]: readText(fields, key, path) };
}

function readObject(fields: Fields, path: string): Pick<RelationName, 'object'> {
  if (fields['kind'] === undefined) return {};
  return { object: { kind: readText(fields, 'kind', path), ...readOptional(fields, 'on', path), ...readOptional(fields, 'arguments', path) } };
}

function readUnreadable(value: unknown, path: string): Unreadable {
  if (!isFields(value)) return fail(path, '"unreadable" must be a list of objects.');
  checkKeys(value, ['catalog', 'schema', 'name', 'kind', 'on', 'arguments', 'reason'], path);
  const place = { ...readOptional(value, 'catalog', path), schema: readText(value, 'schema', path), name: readText(value, 'name', path) };
  return { name: { ...place, ...readObject(value, path) }, reason: readText(value, 'reason', path) };
}

function readVersion(value: unknown, path: string): { readonly version?: number } {
  if (value === undefined) return {};
  return Number.isInteger(value) ? { version: Number(value) } : fail(path, '"version" must be a whole number.');
}

function readLeaveOut(value: unknown, path: string): { readonly leaveOut?: readonly string[] } {
  return value === undefined ? {} : { leaveOut: readTexts(value, 'leaveOut', path) };
}

/** Reads a target's `target.json`. Throws `FILE_UNREADABLE` naming the key, or `FORMAT_TOO_NEW`. */
export function readTargetFile(text: string, path: string): TargetDescription {
  const fields = parseJson(text, path);
  checkFormat(fields, path);
  checkKeys(fields, ['format', 'warehouse', 'version', 'schemas', 'leaveOut', 'identity', 'unreadable', 'access'], path);
  const { unreadable } = fields;
  if (!Array.isArray(unreadable)) return fail(path, '"unreadable" must be a list of objects.');
  return {
    warehouse: readText(fields, 'warehouse', path),
    ...readVersion(fields['version'], path),
    scope: { schemas: readTexts(fields['schemas'], 'schemas', path), ...readLeaveOut(fields['leaveOut'], path) },
    identity: readRecord(fields['identity'], 'identity', path),
    unreadable: unreadable.map((item) => readUnreadable(item, path)),
    ...(fields['access'] === undefined ? {} : { access: readRecord(fields['access'], 'access', path) }),
  };
}
