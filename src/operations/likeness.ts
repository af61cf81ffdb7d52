import { hasOpenTexts, hasSameAttachments, isSameDefinition } from '../core/compare.ts';
import type { Dialect } from '../core/dialect.ts';
import { relationKey } from '../core/relation.ts';
import { isView, type View } from '../core/view.ts';
import type { Settled, SettleRequest } from '../warehouses/warehouse.ts';

/** Asks the server about definitions: a warehouse's or a transaction's `settle`. */
export type Settle = (requests: readonly SettleRequest[]) => Promise<ReadonlyMap<string, Settled>>;

/** Which texts the server holds for the same view as the live one. */
export interface Likeness {
  /** Whether two views are alike: same kind and attachments, and definitions that have the same tokens or that the server holds for the same view. */
  isAlike(left: View, right: View): boolean;
  /** The same for definitions alone. */
  hasSameDefinition(left: View, right: View): boolean;
  /** Views, by `relationKey`, of which some text differs from the live one in tokens alone. */
  readonly reprinted: ReadonlySet<string>;
  /** Views, by `relationKey`, of which the server refuses some text now: a relation that it reads has changed. */
  readonly refused: ReadonlySet<string>;
}

/** Keeps in mind which texts the server holds for the same. */
export function learnEquivalents({ equivalents }: Dialect, answers: ReadonlyMap<string, Settled>): void {
  for (const { equivalents: found = [] } of answers.values()) for (const [wanted, live] of found) equivalents?.set(wanted, live);
}

const textId = (view: View) => `${relationKey(view.name)}\0${view.definition}`;

type SameTokens = (live: View, view: View) => boolean;

/** Compares a view's text with the live one by their tokens, once. */
function compareOnce(dialect: Dialect): SameTokens {
  const compared = new WeakMap<View, boolean>();
  return (live, view) => {
    const found = compared.get(view) ?? isSameDefinition(live, view, dialect);
    compared.set(view, found);
    return found;
  };
}

function findOpenQuestions(
  side: readonly View[],
  live: ReadonlyMap<string, View>,
  { isSame, asked, dialect }: { isSame: SameTokens; asked: ReadonlyMap<string, unknown>; dialect: Dialect },
): SettleRequest[] {
  return side.flatMap((wanted) => {
    const view = live.get(relationKey(wanted.name));
    if (!view || view.kind === 'container' || view.kind !== wanted.kind) return [];
    const isOpen = (!isSame(view, wanted) && !asked.has(textId(wanted))) || (isView(view) && hasOpenTexts(view, wanted, dialect));
    return isOpen ? [{ wanted, live: view }] : [];
  });
}

/**
 * Compares every text of the `sides` with the live view of its name, by tokens and where these differ by asking the server: one round
 * of questions per side, each text once.
 */
export async function findLikeness(
  live: readonly View[],
  sides: readonly (readonly View[])[],
  { dialect: asking, settle }: { dialect: Dialect; settle: Settle },
): Promise<Likeness> {
  const dialect: Dialect = { ...asking, equivalents: asking.equivalents ?? new Map() };
  const byKey = new Map(live.map((view) => [relationKey(view.name), view]));
  const asked = new Map<string, Settled['outcome']>();
  const isSame = compareOnce(dialect);
  for (const side of sides) {
    const questions = dialect.keepsText ? [] : findOpenQuestions(side, byKey, { isSame, asked, dialect });
    if (questions.length === 0) continue;
    const answers = await settle(questions);
    learnEquivalents(dialect, answers);
    for (const { wanted } of questions) asked.set(textId(wanted), answers.get(relationKey(wanted.name))?.outcome ?? 'unproven');
  }
  const isLive = (view: View) => {
    const known = byKey.get(relationKey(view.name));
    return known !== undefined && (isSame(known, view) || asked.get(textId(view)) === 'same');
  };
  const hasSame = (left: View, right: View) => (isLive(left) && isLive(right)) || isSameDefinition(left, right, dialect);
  const having = (outcome: Settled['outcome']) => new Set([...asked].flatMap(([id, found]) => (found === outcome ? [id.slice(0, id.indexOf('\0'))] : [])));
  return {
    isAlike: (left, right) => left.kind === right.kind && hasSameAttachments(left, right, dialect) && hasSame(left, right),
    hasSameDefinition: hasSame,
    reprinted: having('same'),
    refused: having('refused'),
  };
}
