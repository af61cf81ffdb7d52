import type { Treatment } from './classify.ts';
import type { Dialect } from './dialect.ts';
import { findReaders } from './graph.ts';
import { tokenize } from './lexer.ts';
import type { Situation } from './planner.ts';
import { readsOf } from './rebuild.ts';
import { relationKey } from './relation.ts';
import { isView, type View } from './view.ts';

const beforeStar: ReadonlySet<string> = new Set(['SELECT', 'DISTINCT', 'ALL', ',', '.']);

/** Whether a query takes over whatever columns something has: `SELECT *`, `a.*`. */
export function hasStar(definition: string, { lexicalRules }: Pick<Dialect, 'lexicalRules'>): boolean {
  const tokens = tokenize(definition, lexicalRules).filter(({ kind }) => kind !== 'comment');
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

function treatStale(view: View, source: View | undefined, { dialect }: Situation['request']): { readonly view: View; readonly treatment: Treatment } {
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
export function findStale(planned: Planned): ReadonlyMap<string, { readonly view: View; readonly treatment: Treatment }> {
  const { request, live, wanted, drops, treatments } = planned;
  const found = new Map<string, { readonly view: View; readonly treatment: Treatment }>();
  if (!request.dialect.refreshColumns) return found;
  const readers = findReaders(readsOf([...live.values()].filter(isView)));
  const queue = findChanging(planned);
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
