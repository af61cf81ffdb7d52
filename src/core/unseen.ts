import type { Dialect } from './dialect.ts';
import { compareText, relationKey } from './relation.ts';
import type { Attachment, View } from './view.ts';

/** Attachments of a view that our role may not see, so that their absence says nothing. Those that it was shown all the same are surely there. */
export interface Unseen {
  /** One of the dialect's `attachmentKinds`. */
  readonly kind: string;
  /** A regular expression for the keys of those that it may not see; absent: all of the kind. */
  readonly keys?: string;
  /** Set where what is shown is only a guess, and what was seen earlier is better. */
  readonly isGuess?: true;
  /** Set where nothing says that there are any: it is worth telling only when some were seen earlier. */
  readonly isQuiet?: true;
}

const patterns = new Map<string, RegExp>();

/** Thousands of views share a few patterns. */
function patternOf(keys: string): RegExp {
  const pattern = patterns.get(keys) ?? new RegExp(keys, 's');
  patterns.set(keys, pattern);
  return pattern;
}

const covers =
  ({ kind, key }: Pick<Attachment, 'kind' | 'key'>) =>
  (unseen: Unseen): boolean =>
    unseen.kind === kind && (unseen.keys === undefined || patternOf(unseen.keys).test(key));

function isUnseen({ unseen = [] }: Pick<View, 'unseen'>, attachment: Attachment): boolean {
  return unseen.some(covers(attachment));
}

/** The attachments of a view that mean something beside another look at it: all but those of which one of the two says nothing. */
export function attachmentsSeen(view: View, other: View): readonly Attachment[] {
  if (view.unseen === undefined && other.unseen === undefined) return view.attachments;
  return view.attachments.filter((attachment) => !isUnseen(view, attachment) && !isUnseen(other, attachment));
}

const idOf = ({ kind, key }: Attachment) => `${kind}\0${key}`;

/** The live view with what our role may not see of it as it is `known` from when it was seen last; what is not known is as it is shown. */
export function keepUnseen({ unseen, ...live }: View, known: View | undefined, { attachmentKinds }: Pick<Dialect, 'attachmentKinds'>): View {
  if (unseen === undefined || known === undefined) return live;
  const isGuessed = (attachment: Attachment) => isUnseen({ unseen: unseen.filter(({ isGuess }) => isGuess) }, attachment);
  const shown = live.attachments.filter((attachment) => !isGuessed(attachment));
  const isShown = new Set(shown.map(idOf));
  const kept = known.attachments.filter((attachment) => isUnseen({ unseen }, attachment) && !isShown.has(idOf(attachment)));
  const order = ({ kind }: Attachment) => attachmentKinds.indexOf(kind);
  const columns = live.columns.length > 0 ? live.columns : known.columns;
  return { ...live, columns, attachments: [...shown, ...kept].toSorted((left, right) => order(left) - order(right) || compareText(left.key, right.key)) };
}

/** The kinds of things that our role may not see of a live view, which was completed: those worth telling. */
function kindsOf({ unseen = [], attachments }: View, completed: View): ReadonlySet<string> {
  const kept = completed.attachments.length > attachments.length ? completed.attachments : [];
  const isTold = (each: Unseen) => each.isQuiet === undefined || kept.some((attachment) => covers(attachment)(each) && !attachments.includes(attachment));
  return new Set(unseen.filter(isTold).map(({ kind }) => kind));
}

const list = (words: readonly string[]) => [words.slice(0, -1).join(', '), ...words.slice(-1)].filter((part) => part !== '').join(' and ');

/** What our role may not see of live views, each with what it was completed to: a sentence for all views of which it may not see the same. */
export function describeUnseen(views: readonly (readonly [live: View, completed: View])[]): readonly string[] {
  const told = views.map(([live, completed]) => ({ name: relationKey(live.name), kinds: [...kindsOf(live, completed)].sort(compareText) }));
  const groups = Map.groupBy(
    told.filter(({ kinds }) => kinds.length > 0),
    ({ kinds }) => list(kinds),
  );
  return [...groups]
    .sort(([left], [right]) => compareText(left, right))
    .map(([kinds, members]) => {
      const names = members.map(({ name }) => name);
      const whose = names.length > 3 ? `${names.length} views (${names.slice(0, 3).join(', ')}, ...)` : names.join(', ');
      return `We may not see every ${kinds} of ${whose}. What was last recorded of them stays in the files; viewsync doctor tells which right is missing.`;
    });
}
