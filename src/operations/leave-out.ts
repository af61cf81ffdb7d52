import { isSameDefinition } from '../core/compare.ts';
import type { Dialect } from '../core/dialect.ts';
import { findMentions } from '../core/references.ts';
import { bareKey, relationKey } from '../core/relation.ts';
import type { ApplyReport } from '../core/report.ts';
import { objectsOf } from '../core/snapshot.ts';
import { isView, type View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { Inspection, Warehouse } from '../warehouses/warehouse.ts';
import { findRefused } from './bring-back.ts';
import type { Wish } from './plan-revision.ts';
import type { BrokenView } from './running-script.ts';

/** What is wanted without what does not fit the tables as they are. */
export interface FittingWish {
  readonly wish: Wish;
  readonly broken: readonly BrokenView[];
}

/** Views that would be made or replaced, and the bystanders that would be made with them. */
function findNew({ wanted }: Wish, { snapshot, outside }: Inspection, dialect: Dialect): readonly View[] {
  const live = new Map([...objectsOf(snapshot), ...outside].map((view) => [relationKey(view.name), view]));
  return wanted.filter((view) => {
    const known = live.get(relationKey(view.name));
    return !known || (isView(view) && !isSameDefinition(known, view, dialect));
  });
}

/** A text that calls a routine which is made with it can only be told once that is there. */
function callsNewRoutine(view: View, routines: ReadonlySet<string>, dialect: Dialect): boolean {
  return routines.size > 0 && findMentions(view.definition, dialect, routines).length > 0;
}

export interface LeaveOutOptions {
  readonly inspection: Inspection;
  readonly warehouse: Warehouse;
  /** Views that were refused before. */
  readonly known: readonly BrokenView[];
}

/** Leaves out what the warehouse refuses as things stand, what is known not to fit, and all that depends on either. */
export async function leaveOutBroken(wish: Wish, { inspection, warehouse, known }: LeaveOutOptions): Promise<FittingWish> {
  const fresh = findNew(wish, inspection, warehouse.dialect);
  const routines = new Set(fresh.filter(({ name }) => name.object?.arguments !== undefined).map(({ name }) => bareKey(name)));
  const broken = await findRefused(
    warehouse,
    fresh.filter((view) => !callsNewRoutine(view, routines, warehouse.dialect)),
    known,
  );
  const unfit = new Set(broken.map(({ view }) => view));
  return { wish: { ...wish, wanted: wish.wanted.filter(({ name }) => !unfit.has(relationKey(name))) }, broken };
}

// A name that is not there, another type, something that cannot be done with what is there: classes 42, 0A and 22 of SQLSTATE, but for a right that is missing.
const aboutTheText = /^(42(?!501)|0A|22)/;

/** The view of which a run made or changed something that the warehouse refused; nothing for any other failure. */
export function findUnfit(error: unknown): BrokenView | undefined {
  if (!(error instanceof ViewsyncError) || error.code !== 'ROLLED_BACK') return undefined;
  const { failure } = (error.details['report'] ?? {}) as Partial<ApplyReport>;
  // What fails in code that the server ran, such as an event trigger's, says nothing about the text.
  const isOurs = failure?.step !== undefined && failure.step.kind !== 'refresh' && failure.step.kind !== 'drop' && failure.context === undefined;
  return isOurs && aboutTheText.test(failure.code ?? '') ? { view: relationKey(failure.step.view), because: failure.message } : undefined;
}

/** The same failure, with the way around it. */
export function tellLeavingOut({ code, message, suggestions, details }: ViewsyncError, { view }: BrokenView): ViewsyncError {
  return new ViewsyncError(code, { message, details, suggestions: [`Add --skip-broken: the others are restored, and ${view} stays in git`, ...suggestions] });
}
