import picomatch from 'picomatch';
import type { RelationName } from './relation.ts';
import type { Scope } from './snapshot.ts';

/** Tells of a schema's name whether the scope holds it: some glob without `!` matches, or there is none, and no glob with `!` does. */
export function matchScope({ schemas }: Scope): (schema: string) => boolean {
  const wanted = schemas.filter((glob) => !glob.startsWith('!'));
  const unwanted = schemas.filter((glob) => glob.startsWith('!')).map((glob) => glob.slice(1));
  const isWanted = picomatch(wanted.length === 0 ? '*' : wanted, { dot: true });
  const isUnwanted = unwanted.length === 0 ? () => false : picomatch(unwanted, { dot: true });
  return (schema) => isWanted(schema) && !isUnwanted(schema);
}

/** Tells of a view's name whether one of the globs over `schema.name` covers it. */
export function allowsUnreadable(globs: readonly string[]): (name: RelationName) => boolean {
  if (globs.length === 0) return () => false;
  const matches = picomatch([...globs], { dot: true });
  return ({ schema, name }) => matches(`${schema}.${name}`);
}
