import type { Dialect } from './dialect.ts';
import { matchGlobs } from './glob.ts';
import type { RelationName } from './relation.ts';
import type { Scope } from './snapshot.ts';
import { foldWord } from './tokens.ts';

type Naming = Pick<Dialect, 'folds' | 'hasCatalogs'>;

/** What a running dbt makes beside a relation and takes away again. https://docs.getdbt.com/reference/resource-configs */
const leftOutByDefault = ['*__dbt_tmp', '*__dbt_backup'];

type Matcher = (part: string) => boolean;

/** A glob as a test of each part of a name: catalog, schema, name. */
interface NameGlob {
  readonly catalog: Matcher;
  readonly schema: Matcher;
  readonly name: Matcher;
  /** From which part on it matches everything. */
  readonly wholeFrom: 'catalog' | 'schema' | 'name' | 'never';
}

/** Letters count as the warehouse would fold them, unless the part stands in double quotes. */
function matchPart(part: string, { folds, hasCatalogs }: Naming): Matcher {
  if (/^".*"$/s.test(part)) return (text) => text === part.slice(1, -1).replaceAll('""', '"');
  const matches = matchGlobs(hasCatalogs ? [part, foldWord(part, folds)] : [part]);
  return (text) => matches(text);
}

/** Dots inside quotes, braces and brackets divide nothing. */
const parts = /(?:"(?:[^"]|"")*"|\{[^}]*\}|\[[^\]]*\]|[^.])+/g;

/** `schema`, `catalog.schema` or `catalog.schema.name`; where names have no catalog, a glob is a schema's as a whole. */
function readGlob(glob: string, naming: Naming): NameGlob {
  const found = naming.hasCatalogs ? (glob.match(parts) ?? []) : [glob];
  const [catalog = '*', schema = '*', name = '*'] = found.length === 1 ? ['*', found[0] ?? '*', '*'] : found;
  const [isAllSchemas, isAllNames] = [schema, name].map((part) => part === '*' || part === '**');
  const wholeFrom = !isAllNames ? 'never' : !isAllSchemas ? 'name' : catalog === '*' ? 'catalog' : 'schema';
  return { catalog: matchPart(catalog, naming), schema: matchPart(schema, naming), name: matchPart(name, naming), wholeFrom };
}

function readScope({ schemas, leaveOut = leftOutByDefault }: Scope, naming: Naming): { wanted: NameGlob[]; unwanted: NameGlob[]; isLeftOut: Matcher } {
  const read = (globs: readonly string[]) => globs.map((glob) => readGlob(glob, naming));
  const wanted = schemas.filter((glob) => !glob.startsWith('!'));
  const unwanted = schemas.filter((glob) => glob.startsWith('!')).map((glob) => glob.slice(1));
  const isLeftOut = matchGlobs([...leaveOut, ...leaveOut.map((glob) => foldWord(glob, naming.folds))]);
  return { wanted: read(wanted.length === 0 ? ['*'] : wanted), unwanted: read(unwanted), isLeftOut };
}

/**
 * Tells of a relation's name whether the scope holds it: some glob without `!` matches, or there is none, no glob with `!` does, and it is not
 * left out by its last part.
 */
export function matchScope(scope: Scope, naming: Naming): (name: RelationName) => boolean {
  const { wanted, unwanted, isLeftOut } = readScope(scope, naming);
  const matches =
    ({ catalog = '', schema, name }: RelationName) =>
    (glob: NameGlob) =>
      (!naming.hasCatalogs || glob.catalog(catalog)) && glob.schema(schema) && glob.name(name);
  return (name) => wanted.some(matches(name)) && !unwanted.some(matches(name)) && !isLeftOut(name.name);
}

/** Tells of a catalog, or of a schema in one, whether the scope may hold a view in it: what need not be read at all. */
export function mayHold(scope: Scope, naming: Naming): (container: { readonly catalog: string; readonly schema?: string }) => boolean {
  const { wanted, unwanted } = readScope(scope, naming);
  return ({ catalog, schema }) => {
    const covers = (glob: NameGlob) => glob.catalog(catalog) && (schema === undefined || glob.schema(schema));
    const excludes = ({ wholeFrom }: NameGlob) => wholeFrom === 'catalog' || wholeFrom === 'schema' || (schema !== undefined && wholeFrom === 'name');
    return wanted.some(covers) && !unwanted.some((glob) => covers(glob) && excludes(glob));
  };
}

/** Tells of a view's name whether one of the globs over `schema.name`, or `catalog.schema.name`, covers it. */
export function allowsUnreadable(globs: readonly string[]): (name: RelationName) => boolean {
  const matches = matchGlobs(globs);
  return ({ catalog, schema, name }) => matches(`${schema}.${name}`) || (catalog !== undefined && matches(`${catalog}.${schema}.${name}`));
}
