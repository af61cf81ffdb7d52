import type { Treatment } from './classify.ts';
import type { Hazard } from './plan.ts';
import type { Situation } from './planner.ts';
import { relationKey } from './relation.ts';
import type { View } from './view.ts';

/** One thing that a view lets somebody do. */
export interface Access {
  /**
   * `grant`: somebody was given it. `reach`: how far whoever may read the view can see, which says nothing of a view that did not exist
   * before. `silent`: never worth a word itself, but it implies others.
   */
  readonly kind: 'grant' | 'reach' | 'silent';
  /** The same in every state of a view that allows the same. */
  readonly id: string;
  /** In words, a clause: `PUBLIC may SELECT`. */
  readonly text: string;
  /** Ids of what allows this as well. */
  readonly impliedBy: readonly string[];
}

/** Whom policies that filter rows do not bind. */
export interface RowSecurity {
  /** Roles that no policy binds. */
  readonly bypassing: ReadonlySet<string>;
  /** Relations that have policies, by `relationKey`, with the further roles that these do not bind. */
  readonly exempt: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Most views come back as they were, and then nothing has to be understood. */
function isAsBefore(view: View, { definition, attachments }: View): boolean {
  return (
    view.definition === definition &&
    view.attachments.length === attachments.length &&
    view.attachments.every(({ make }, index) => make === attachments[index]?.make)
  );
}

/** What the run that is undone had left; what it took may be given back, and what somebody else took may not. */
function isTakenByOthers({ id }: Access, view: View, { request }: Situation): boolean {
  if (!request.undone) return true;
  const left = request.undone.get(relationKey(view.name));
  return left !== undefined && request.dialect.listAccess(left, request.rowSecurity).some((access) => access.id === id);
}

function findGained(view: View, before: readonly View[], situation: Situation): readonly Access[] {
  if (before.some((state) => isAsBefore(view, state))) return [];
  const { request } = situation;
  const list = (of: View) => request.dialect.listAccess(of, request.rowSecurity);
  const known = new Set(before.flatMap(list).map(({ id }) => id));
  const isGained = ({ kind, id, impliedBy }: Access) => {
    if (kind === 'silent' || (kind === 'reach' && before.length === 0)) return false;
    return !known.has(id) && !impliedBy.some((other) => known.has(other));
  };
  return list(view).filter((access) => isGained(access) && isTakenByOthers(access, view, situation));
}

/** A right on a column that is called otherwise now is the same right. */
function renamed(view: View | undefined, treatment: Treatment, { request }: Situation): View | undefined {
  if (!view || treatment.how !== 'rename columns') return view;
  return { ...view, attachments: request.dialect.attachmentsAfter(view, { renamed: treatment.renamed }) };
}

/**
 * Views that would let somebody do what they do not allow now and did not allow at the last export: what comes back as it was is nobody's
 * surprise.
 */
export function findWidenedAccess(situation: Situation): Hazard[] {
  const { request, live, wanted, treatments } = situation;
  return [...wanted].flatMap(([key, view]) => {
    const treatment = treatments.get(key);
    if (!treatment || treatment.how === 'nothing' || treatment.how === 'refuse' || treatment.how === 'leave') return [];
    const before = [renamed(live.get(key), treatment, situation), request.exported.get(key)].filter((state) => state !== undefined);
    const gained = findGained(view, before, situation);
    if (gained.length === 0) return [];
    const because = `${relationKey(view.name)} would allow what it allows neither now nor at the last export: ${gained.map(({ text }) => text).join('; ')}.`;
    return [{ name: 'WIDENS_ACCESS' as const, view: view.name, because }];
  });
}
