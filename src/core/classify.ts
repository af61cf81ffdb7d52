import { diffAttachments, hasAttachmentChange, hasSameAttachments, isSameDefinition, isSameView } from './compare.ts';
import type { RenamedColumn } from './dialect.ts';
import type { PlanRequest, Situation } from './planner.ts';
import { findMentions } from './references.ts';
import { bareKey, isRoutineName, relationKey } from './relation.ts';
import { isView, type View } from './view.ts';

/** How one wanted view is brought about; `because` is the reason that its steps carry. */
export type Treatment =
  | { readonly how: 'nothing' }
  | { readonly how: 'create'; readonly because: string }
  | { readonly how: 'alter'; readonly because: string }
  | { readonly how: 'rename columns'; readonly renamed: readonly RenamedColumn[]; readonly because: string }
  | { readonly how: 'replace'; readonly because: string }
  | { readonly how: 'rebuild'; readonly because: string }
  | { readonly how: 'refuse'; readonly because: string }
  /** It stands as it is: a bystander or container is made when it is gone, and never changed for its own sake. */
  | { readonly how: 'leave'; readonly because: string };

function treatSameDefinition(live: View, wanted: View, { dialect }: PlanRequest): Treatment {
  const changes = diffAttachments(live.attachments, wanted.attachments, dialect);
  const differing = [...changes.added, ...changes.removed, ...changes.changed.map(({ to }) => to)];
  const replacing = differing.find(({ kind }) => dialect.replacingKinds?.includes(kind));
  if (replacing) {
    const because = `its ${replacing.kind} can only be changed by a new CREATE`;
    return { how: dialect.canReplace(live, wanted).possible ? 'replace' : 'rebuild', because };
  }
  return hasAttachmentChange(changes) ? { how: 'alter', because: 'only what belongs to it differs' } : { how: 'nothing' };
}

/** Whether the columns can be renamed one after the other: no new name is one that the view has now. */
function canRename(live: View, renamed: readonly RenamedColumn[]): boolean {
  const taken = new Set(live.columns.map(({ name }) => name));
  return live.kind === 'view' && renamed.every(({ to }) => !taken.has(to));
}

/** A text that calls a routine that comes and goes with views can only be told once both are made. */
function treatRefused(live: View, wanted: View, { request, because }: { readonly request: PlanRequest; readonly because: string }): Treatment {
  const routines = [...request.live, ...request.wanted].filter(({ name }) => isRoutineName(name));
  const mentions = findMentions(wanted.definition, request.dialect, new Set(routines.map(({ name }) => bareKey(name))));
  const [called] = routines.length === 0 ? [] : mentions;
  if (called === undefined || live.kind !== wanted.kind) return { how: 'refuse', because };
  return { how: 'rebuild', because: `its columns follow from ${relationKey(called.name)}, which hangs on a view` };
}

function treatDefinition(live: View, wanted: View, request: PlanRequest): Treatment {
  const described = request.described.get(relationKey(wanted.name));
  if (described?.outcome === 'refused') return treatRefused(live, wanted, { request, because: described.because });
  if (described?.outcome === 'different' && described.renamed && canRename(live, described.renamed)) {
    const names = described.renamed.map(({ from, to }) => `"${from}" is now "${to}"`).join(', ');
    return { how: 'rename columns', renamed: described.renamed, because: `only names of columns differ: ${names}` };
  }
  const replaceability = request.dialect.canReplace(live, wanted);
  if (replaceability.possible) return { how: 'replace', because: 'its definition differs' };
  return { how: 'rebuild', because: replaceability.because };
}

/** The view that is pruned and on which a bystander hangs, as it is live and not as it is wanted: it stood under another name and the bystander followed. */
function prunedUnder(live: View, wanted: View, { drops }: PlanRequest): string | undefined {
  const pruned = new Set(drops.map(relationKey));
  const standsOn = ({ reads, needs = [] }: View) => [...reads, ...needs].map(relationKey).filter((key) => pruned.has(key));
  return pruned.size > 0 && standsOn(wanted).length === 0 ? standsOn(live)[0] : undefined;
}

function treatBystander(live: View | undefined, wanted: View, request: PlanRequest): Treatment {
  const { dialect, relations, described } = request;
  const key = relationKey(wanted.name);
  const isThere = relations.has(key);
  if (!live) return isThere ? { how: 'leave', because: 'it exists and hangs on no view' } : { how: 'create', because: 'it does not exist' };
  const isSame = described.get(key)?.outcome === 'same' ? hasSameAttachments(live, wanted, dialect) : isSameView(live, wanted, dialect);
  if (isSame) return { how: 'nothing' };
  if (request.bystanders === 'mend' && isSameDefinition(live, wanted, dialect)) return treatSameDefinition(live, wanted, request);
  const pruned = prunedUnder(live, wanted, request);
  return pruned === undefined
    ? { how: 'leave', because: 'it exists and differs' }
    : { how: 'rebuild', because: `it hangs on ${pruned}, which the commit does not hold` };
}

/** Of what no listing holds the server alone knows whether it is there, so its word counts for a new view, too. */
function treatNew({ name, reads }: View, { dialect, relations, described }: PlanRequest): Treatment {
  const answer = described.get(relationKey(name));
  const isDoubtful = reads.some((read) => dialect.isUnlisted?.(read, relations));
  return isDoubtful && answer?.outcome === 'refused' ? { how: 'refuse', because: answer.because } : { how: 'create', because: 'it does not exist' };
}

function treatView(live: View | undefined, wanted: View, request: PlanRequest): Treatment {
  if (!isView(wanted)) return treatBystander(live, wanted, request);
  if (!live) return treatNew(wanted, request);
  if (live.kind !== wanted.kind) return { how: 'rebuild', because: `it is a ${live.kind} and has to be a ${wanted.kind}` };
  const isSame = isSameDefinition(live, wanted, request.dialect) || request.described.get(relationKey(wanted.name))?.outcome === 'same';
  return isSame ? treatSameDefinition(live, wanted, request) : treatDefinition(live, wanted, request);
}

/** The treatment of every wanted view, bystander and container taken by itself, before it is known which others force it to be re-created. */
export function classifyViews({ request, live, wanted }: Pick<Situation, 'request' | 'live' | 'wanted'>): ReadonlyMap<string, Treatment> {
  return new Map([...wanted].map(([key, view]) => [key, treatView(live.get(key), view, request)]));
}
