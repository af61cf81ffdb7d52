import { diffAttachments, hasAttachmentChange, isSameDefinition } from './compare.ts';
import type { RenamedColumn } from './dialect.ts';
import type { PlanRequest, Situation } from './planner.ts';
import { relationKey } from './relation.ts';
import type { View } from './view.ts';

/** How one wanted view is brought about; `because` is the reason that its steps carry. */
export type Treatment =
  | { readonly how: 'nothing' }
  | { readonly how: 'create'; readonly because: string }
  | { readonly how: 'alter'; readonly because: string }
  | { readonly how: 'rename columns'; readonly renamed: readonly RenamedColumn[]; readonly because: string }
  | { readonly how: 'replace'; readonly because: string }
  | { readonly how: 'rebuild'; readonly because: string }
  | { readonly how: 'refuse'; readonly because: string };

function treatSameDefinition(live: View, wanted: View, { dialect }: PlanRequest): Treatment {
  const changes = diffAttachments(live.attachments, wanted.attachments, dialect);
  return hasAttachmentChange(changes) ? { how: 'alter', because: 'only what belongs to it differs' } : { how: 'nothing' };
}

/** Whether the columns can be renamed one after the other: no new name is one that the view has now. */
function canRename(live: View, renamed: readonly RenamedColumn[]): boolean {
  const taken = new Set(live.columns.map(({ name }) => name));
  return live.kind === 'view' && renamed.every(({ to }) => !taken.has(to));
}

function treatDefinition(live: View, wanted: View, request: PlanRequest): Treatment {
  const described = request.described.get(relationKey(wanted.name));
  if (described?.outcome === 'refused') return { how: 'refuse', because: described.because };
  if (described?.outcome === 'different' && described.renamed && canRename(live, described.renamed)) {
    const names = described.renamed.map(({ from, to }) => `"${from}" is now "${to}"`).join(', ');
    return { how: 'rename columns', renamed: described.renamed, because: `only names of columns differ: ${names}` };
  }
  const replaceability = request.dialect.canReplace(live, wanted);
  if (replaceability.possible) return { how: 'replace', because: 'its definition differs' };
  return { how: 'rebuild', because: replaceability.because };
}

function treatView(live: View | undefined, wanted: View, request: PlanRequest): Treatment {
  if (!live) return { how: 'create', because: 'it does not exist' };
  if (live.kind !== wanted.kind) return { how: 'rebuild', because: `it is a ${live.kind} and has to be a ${wanted.kind}` };
  const isSame = isSameDefinition(live, wanted, request.dialect) || request.described.get(relationKey(wanted.name))?.outcome === 'same';
  return isSame ? treatSameDefinition(live, wanted, request) : treatDefinition(live, wanted, request);
}

/** The treatment of every wanted view taken by itself, before it is known which others force it to be re-created. */
export function classifyViews({ request, live, wanted }: Pick<Situation, 'request' | 'live' | 'wanted'>): ReadonlyMap<string, Treatment> {
  return new Map([...wanted].map(([key, view]) => [key, treatView(live.get(key), view, request)]));
}
