import { ViewsyncError } from '../errors.ts';
import { matchGlobs } from './glob.ts';
import { didYouMean } from './nearest.ts';
import { compareText, parseRelationKey, type RelationName } from './relation.ts';

/** How a relation may be called: as SQL quotes it, with all its parts, without its catalog, by itself. */
function callingsOf(key: string, { catalog, schema, name }: RelationName): readonly string[] {
  const whole = [catalog, schema, name].filter((part) => part !== undefined).join('.');
  return [key, whole, `${schema}.${name}`, name];
}

interface Known {
  readonly key: string;
  readonly callings: readonly string[];
}

function listKnown(relations: Iterable<string>): readonly Known[] {
  return [...relations].flatMap((key) => {
    const name = parseRelationKey(key);
    return name === undefined || name.object !== undefined ? [] : [{ key, callings: callingsOf(key, name) }];
  });
}

/** An exact name means itself; a glob is matched over `schema.name`, or over the name alone when it holds no point. */
function findMatching(pattern: string, known: readonly Known[]): readonly string[] {
  const exact = known.filter(({ callings }) => callings.slice(0, 3).includes(pattern));
  if (exact.length > 0) return exact.map(({ key }) => key);
  const isMatch = matchGlobs([pattern]);
  const candidates = pattern.includes('.') ? [1, 2] : [3];
  return known.filter(({ callings }) => candidates.some((index) => isMatch(callings[index] ?? ''))).map(({ key }) => key);
}

function failUnknown(pattern: string, known: readonly Known[]): never {
  const names = known.map(({ key, callings }) => (pattern.includes('.') ? key : (callings[3] ?? key)));
  throw new ViewsyncError('RELATION_UNKNOWN', {
    message: `There is no table or view ${JSON.stringify(pattern)}.${didYouMean(pattern, names)} Nothing was changed.`,
    suggestions: ['viewsync status'],
    details: { relation: pattern },
  });
}

/** The keys of the relations that names and globs mean, sorted. `RELATION_UNKNOWN` for one that means none. */
export function findRelations(patterns: readonly string[], relations: Iterable<string>): readonly string[] {
  const known = listKnown(relations);
  const found = patterns.flatMap((pattern) => {
    const keys = findMatching(pattern, known);
    return keys.length > 0 ? keys : failUnknown(pattern, known);
  });
  return [...new Set(found)].sort(compareText);
}
