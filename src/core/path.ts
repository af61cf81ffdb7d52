import { createHash } from 'node:crypto';
import type { Dialect } from './dialect.ts';
import type { RelationName } from './relation.ts';

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

/** Returns the file of a view below its target's folder: `shop/orders.sql`, `analytics/shop/orders.sql` where there are catalogs. */
export function pathInTarget(name: RelationName, dialect: PathRules): string {
  const folders = dialect.hasCatalogs ? [name.catalog ?? '', name.schema] : [name.schema];
  return [...folders.map((folder) => encodeFolder(folder, dialect.folds)), `${encodeFile(name.name, dialect.folds)}.sql`].join('/');
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

/** Whether a path below a target's folder is one that a view's file can have. */
export function isViewPath(path: string, dialect: PathRules): boolean {
  const folders = path.split('/');
  const file = folders.pop() ?? '';
  return file.endsWith('.sql') && file !== 'schema.sql' && folders.length === (dialect.hasCatalogs ? 2 : 1);
}
