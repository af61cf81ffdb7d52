import { relationKey } from '../core/relation.ts';
import { mayName, placeOf, type ScriptStatement } from '../core/script.ts';
import { type Attachment, ownerKind, type View } from '../core/view.ts';
import { planMending, withoutPowers } from './detour.ts';
import { type RunningScript, runOurs } from './running-script.ts';

/** Thrown inside an attempt: something that the view had does not fit it any more. */
class Unfitting extends Error {}

const idOf = ({ kind, key }: Attachment) => `${kind} ${key}`;

/** What the view has lost: a replace keeps all but the options, and the owner. */
function findLostAttachments(before: View, now: View): readonly Attachment[] {
  const present = new Set(now.attachments.filter(({ kind }) => kind !== ownerKind).map(idOf));
  return before.attachments.filter((each) => each.kind !== 'option' && !present.has(idOf(each)));
}

function withAttachments(now: View, lost: readonly Attachment[]): View {
  const replaced = new Set(lost.map(idOf));
  return { ...now, attachments: [...now.attachments.filter((each) => !replaced.has(idOf(each))), ...lost] };
}

/** Whether all of it could be given; of an attempt that failed nothing stays. */
async function give(
  running: RunningScript,
  now: View,
  { lost, because }: { readonly lost: readonly Attachment[]; readonly because: string },
): Promise<boolean> {
  const { length } = running.acts;
  const surroundings = { ...withoutPowers(running.surroundings), relations: new Set<string>(), because };
  const plan = planMending([now], [withAttachments(now, lost)], surroundings);
  if (plan.refusals.length > 0) return false;
  try {
    await running.atomic.attempt(async () => {
      if (await runOurs(running, plan)) throw new Unfitting();
    });
    return true;
  } catch (error) {
    if (!(error instanceof Unfitting)) throw error;
    running.acts.length = length;
    return false;
  }
}

/** All of it at once, or what fits of it: the default of a column that is gone goes with that. */
async function giveBack(running: RunningScript, now: View, request: { readonly lost: readonly Attachment[]; readonly because: string }): Promise<void> {
  if (request.lost.length === 0 || (await give(running, now, request))) return;
  let view = now;
  for (const each of request.lost) if (await give(running, view, { ...request, lost: [each] })) view = withAttachments(view, [each]);
}

/**
 * Where the script replaces a view that is away, because it does not fit the tables yet: gives the new one what the former had, as the server does where the
 * view is there. What the script says of it later counts.
 */
export async function keepRemade(running: RunningScript, at: ScriptStatement): Promise<void> {
  if (!/^CREATE\b/i.test(at.statement.text)) return;
  const away = [...running.absent.values()].filter(({ view, takenBy }) => takenBy === 'viewsync' && view.kind === 'view');
  const named = away.map(({ view }) => view).filter(({ name }) => at.named.some((parts) => mayName(parts, name)));
  if (named.length === 0) return;
  const found = new Map((await running.transaction.inspect(named.map(({ name }) => name))).map((view) => [relationKey(view.name), view]));
  for (const before of named) {
    const key = relationKey(before.name);
    const now = found.get(key);
    if (now?.kind !== before.kind) continue;
    running.absent.delete(key);
    await giveBack(running, now, { lost: findLostAttachments(before, now), because: `${placeOf(at)} makes it over the one that had this` });
  }
}
