import { matchGlobs } from './glob.ts';
import type { RelationName } from './relation.ts';
import type { Scope } from './snapshot.ts';

/** Tells of a schema's name whether the scope holds it: some glob without `!` matches, or there is none, and no glob with `!` does. */
export function matchScope({ schemas }: Scope): (schema: string) => boolean {
  const wanted = schemas.filter((glob) => !glob.startsWith('!'));
  const unwanted = schemas.filter((glob) => glob.startsWith('!')).map((glob) => glob.slice(1));
  const isWanted = matchGlobs(wanted.length === 0 ? ['*'] : wanted);
  const isUnwanted = matchGlobs(unwanted);
  return (schema) => isWanted(schema) && !isUnwanted(schema);
}

/** Tells of a view's name whether one of the globs over `schema.name` covers it. */
export function allowsUnreadable(globs: readonly string[]): (name: RelationName) => boolean {
  const matches = matchGlobs(globs);
  return ({ schema, name }) => matches(`${schema}.${name}`);
}
