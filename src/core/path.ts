import { createHash } from 'node:crypto';
import type { Dialect } from './dialect.ts';
import type { ObjectKind, RelationName } from './relation.ts';

/** What of a dialect decides how a name is spelled in a path. */
export type PathRules = Pick<Dialect, 'folds' | 'hasCatalogs'>;

type Folds = Dialect['folds'];

const longest = 200;
const kept = 160;

// Names of devices, which Windows takes for the device whatever extension follows.
// https://learn.microsoft.com/windows/win32/fileio/naming-a-file
const deviceName = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/;

function escapeByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

function escapeCharacter(character: string): string {
  return [...Buffer.from(character)].map(escapeByte).join('');
}

function isPlain(letter: string, folds: Folds): boolean {
  return folds === 'upper' ? /[A-Z]/.test(letter) : /[a-z]/.test(letter);
}

function encodeCharacter(character: string, folds: Folds): string {
  if (/[0-9_.-]/.test(character)) return character;
  if (!/[A-Za-z]/.test(character)) return escapeCharacter(character);
  return isPlain(character, folds) ? character.toLowerCase() : `+${character.toLowerCase()}`;
}

/** The texts that the characters of a name become, one or more bytes each, before anything is reserved or cut. */
function encodeCharacters(name: string, folds: Folds): string[] {
  const characters = [...name];
  return characters.map((character, index) => {
    const isAtEdge = index === 0 || index === characters.length - 1;
    return character === '.' && isAtEdge ? escapeByte(0x2e) : encodeCharacter(character, folds);
  });
}

function cut(units: readonly string[], name: string): string {
  let text = '';
  for (const unit of units) {
    if (text.length + unit.length > kept) break;
    text += unit;
  }
  return `${text}~${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}

function encodeReserving(name: string, folds: Folds, isReserved: (text: string) => boolean): string {
  const units = encodeCharacters(name, folds);
  const [first = ''] = name;
  const safe = isReserved(units.join('')) ? [escapeCharacter(first), ...units.slice(1)] : units;
  return safe.join('').length > longest ? cut(safe, name) : safe.join('');
}

/**
 * Returns one folder's name for a schema or catalog. Different names give different texts, on disks that are blind to case too.
 * `docs/file-format.md` has the rules.
 */
export function encodeFolder(name: string, folds: Folds): string {
  return encodeReserving(name, folds, (text) => deviceName.test(text) || text === 'target.json');
}

/** The same for a table, whose folder stands beside the files of views: it never ends in `.sql`. */
function encodeTableFolder(name: string, folds: Folds): string {
  return encodeFolder(name, folds).replace(/\.sql$/, `${escapeByte(0x2e)}sql`);
}

/** The same for the file of a view, without `.sql`; never `schema`, which is the container's own file. */
export function encodeFile(name: string, folds: Folds): string {
  return encodeReserving(name, folds, (text) => deviceName.test(text) || text === 'schema');
}

const unit = /%([0-9A-F]{2})|(\+?)([a-z])|([0-9_.-])/y;

function decodeUnit(match: RegExpExecArray, folds: Folds): number[] {
  const [, hex, sign, letter, other] = match;
  if (hex !== undefined) return [Number.parseInt(hex, 16)];
  if (letter === undefined) return [...Buffer.from(other ?? '')];
  const isUpper = (folds === 'upper') === (sign === '');
  return [...Buffer.from(isUpper ? letter.toUpperCase() : letter)];
}

/** The name that a folder or a file (without `.sql`) stands for; undefined when the text was cut or stands for none. */
export function decodeComponent(text: string, folds: Folds): string | undefined {
  const bytes: number[] = [];
  unit.lastIndex = 0;
  while (unit.lastIndex < text.length) {
    const match = unit.exec(text);
    if (match === null) return undefined;
    bytes.push(...decodeUnit(match, folds));
  }
  const name = Buffer.from(bytes).toString();
  return encodeFile(name, folds) === text || encodeFolder(name, folds) === text ? name : undefined;
}

/** Argument types in a path: the blank behind a comma is left out, and every other comma escaped. */
function encodeArguments(list: string, folds: Folds): string {
  return list
    .split(', ')
    .map((type) => encodeCharacters(type, folds).join(''))
    .join(',');
}

/** The file of what is called with arguments, without its kind: `total(integer,text)`. The parenthesis stays when the rest is cut. */
function encodeCall({ name, object }: RelationName, folds: Folds): string {
  const units = encodeCharacters(name, folds);
  const text = `${units.join('')}(${encodeArguments(object?.arguments ?? '', folds)})`;
  if (text.length <= longest) return text;
  const [start, hash] = cut(units, `${name}(${object?.arguments})`).split('~');
  return `${start}(~${hash})`;
}

/** The path below its schema's folder of what is no relation. */
function encodeObject(name: RelationName, object: ObjectKind, folds: Folds): string {
  if (object.kind === 'schema') return 'schema.sql';
  if (object.on === undefined) return `${encodeCall(name, folds)}.${object.kind}.sql`;
  return `${encodeTableFolder(object.on, folds)}/${encodeFolder(name.name, folds)}.${object.kind}.sql`;
}

/**
 * Returns the file of a view below its target's folder: `shop/orders.sql`, `analytics/shop/orders.sql` where there are catalogs; of a schema
 * `shop/schema.sql`, of a function `shop/total(integer).function.sql`, of a policy `shop/orders/own_rows.policy.sql`.
 */
export function pathInTarget(name: RelationName, { folds, hasCatalogs }: PathRules): string {
  const folders = hasCatalogs ? [name.catalog ?? '', name.schema] : [name.schema];
  const file = name.object === undefined ? `${encodeFile(name.name, folds)}.sql` : encodeObject(name, name.object, folds);
  return [...folders.map((folder) => encodeFolder(folder, folds)), file].join('/');
}

export interface ViewPlace {
  /** From the root of the repository; empty when it is the root itself. */
  readonly viewsFolder: string;
  readonly target: string;
}

/** Returns the path of a view's file from the root of the repository, with `/`. */
export function viewPath(place: ViewPlace, name: RelationName, dialect: PathRules): string {
  return [place.viewsFolder, place.target, pathInTarget(name, dialect)].filter((part) => part !== '').join('/');
}

const calledFile = /\([^()]*\)\.(?:function|procedure|aggregate|cast|operator)\.sql$/;
const fileOnRelation = /\.(?:policy|rule|default|check|trigger|index)\.sql$/;

/** Whether a path below a target's folder is one that a file of ours can have: of a view, a schema, a bystander. */
export function isOwnPath(path: string, { hasCatalogs }: Pick<PathRules, 'hasCatalogs'>): boolean {
  const folders = path.split('/');
  const file = folders.pop() ?? '';
  const depth = folders.length - (hasCatalogs ? 1 : 0);
  if (depth === 2) return fileOnRelation.test(file);
  return depth === 1 && file.endsWith('.sql') && (!file.includes('(') || calledFile.test(file));
}
