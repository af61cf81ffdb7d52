import type { Treatment } from './classify.ts';
import type { Dialect } from './dialect.ts';
import { findReaders } from './graph.ts';
import { readTokens } from './lexer.ts';
import type { Situation } from './planner.ts';
import { readsOf } from './rebuild.ts';
import { relationKey } from './relation.ts';
import { isView, type View } from './view.ts';

const beforeStar: ReadonlySet<string> = new Set(['SELECT', 'DISTINCT', 'ALL', ',', '.']);

/** Whether a query takes over whatever columns something has: `SELECT *`, `a.*`. */
export function hasStar(definition: string, { lexicalRules }: Pick<Dialect, 'lexicalRules'>): boolean {
  const tokens = readTokens(definition, lexicalRules).filter(({ kind }) => kind !== 'comment');
  return tokens.some(({ text }, index) => text === '*' && beforeStar.has(tokens[index - 1]?.text.toUpperCase() ?? ''));
}

type Planned = Pick<Situation, 'request' | 'live' | 'wanted' | 'drops'> & { readonly treatments: ReadonlyMap<string, Treatment> };

const names = ({ columns }: Pick<View, 'columns'>) => columns.map(({ name }) => name).join('\0');

/** Views to be replaced whose columns will not be what they are, or of which that is not known. */
function findChanging({ request, live, wanted, treatments }: Planned): string[] {
  return [...treatments].flatMap(([key, { how }]) => {
    const [before, after] = [live.get(key), wanted.get(key)];
    if (how !== 'replace' || !before || !after) return [];
    const described = request.described.get(key);
    const isKnown = described !== undefined && 'columns' in described;
    return isKnown && names(before) === names(described) ? [] : [key];
  });
}

/** Whether the view's columns are called as in what it reads, so that nothing but the star names them. */
function followsNames(view: View, source: View | undefined): boolean {
  const own = new Set(view.columns.map(({ name }) => name));
  return source?.columns.every(({ name }) => own.has(name)) ?? false;
}

interface Found {
  readonly view: View;
  readonly treatment: Treatment;
}

/** Wanted views that went stale before: made again, or left where they name or protect their own columns. */
function treatStanding({ request: { stale, dialect }, wanted, treatments }: Planned): ReadonlyMap<string, Found> {
  const found = [...(stale ?? [])].flatMap(([key, columns]): (readonly [string, Found])[] => {
    const view = wanted.get(key);
    const how = treatments.get(key)?.how;
    if (!view || (how !== 'nothing' && how !== 'alter')) return [];
    const fresh = dialect.refreshColumns?.({ ...view, columns }, 'those that it reads');
    if (fresh) return [[key, { view: { ...fresh, columns }, treatment: { how: 'replace', because: 'its columns are no longer those of its query' } }]];
    const because = 'its columns are no longer those of its query, and it names or protects them itself. Give it a file that fits.';
    return how === 'nothing' ? [[key, { view, treatment: { how: 'leave', because } }]] : [];
  });
  return new Map(found);
}

function treatStale(view: View, source: View | undefined, { dialect }: Situation['request']): Found {
  const key = source ? relationKey(source.name) : '';
  const fresh = dialect.refreshColumns?.(view, followsNames(view, source) ? 'those that it reads' : 'its own');
  if (fresh) return { view: fresh, treatment: { how: 'replace', because: `it takes over the columns of ${key}, which change` } };
  const because = `it takes over the columns of ${key}, which change, and names or protects its own columns. Give it a file that fits.`;
  return { view, treatment: { how: 'refuse', because } };
}

/**
 * Views that take over the columns of one that gets others, where the server keeps the columns that they were made with and refuses to
 * query them then: they are made again. https://docs.snowflake.com/en/user-guide/views-introduction#limitations-on-views
 */
export function findStale(planned: Planned): ReadonlyMap<string, Found> {
  const { request, live, wanted, drops, treatments } = planned;
  if (!request.dialect.refreshColumns) return new Map();
  const found = new Map(treatStanding(planned));
  const readers = findReaders(readsOf([...live.values()].filter(isView)));
  const queue = [...findChanging(planned), ...[...found].flatMap(([key, { treatment }]) => (treatment.how === 'replace' ? [key] : []))];
  for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
    for (const key of readers.get(source) ?? []) {
      const view = wanted.get(key) ?? live.get(key);
      const how = treatments.get(key)?.how ?? 'nothing';
      if (!view || found.has(key) || drops.has(key) || (how !== 'nothing' && how !== 'alter') || !hasStar(view.definition, request.dialect)) continue;
      found.set(key, treatStale(view, live.get(source), request));
      queue.push(key);
    }
  }
  return found;
}
