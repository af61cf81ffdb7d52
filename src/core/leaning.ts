import type { Dialect } from './dialect.ts';
import type { Reads } from './graph.ts';
import { findMentions } from './references.ts';
import { bareKey, isRoutineName } from './relation.ts';
import { type Attachment, isView, type View } from './view.ts';

/** How SQL calls a view or routine; nothing for what no SQL calls by name. */
export function callingOf(view: Pick<View, 'name' | 'kind'> | undefined): string[] {
  return view && (isView(view) || isRoutineName(view.name)) ? [bareKey(view.name)] : [];
}

function namedIn({ make }: Attachment, dialect: Dialect, names: ReadonlySet<string>): readonly string[] {
  return findMentions(make, dialect, names).map(({ name }) => bareKey(name));
}

const reading = ({ attachments }: Pick<View, 'attachments'>, dialect: Dialect) => attachments.filter(({ kind }) => dialect.readingKinds.includes(kind));

/** Which of these views and routines the rules, defaults, triggers and indexes of each name, by `relationKey`; not the one that they belong to. */
export function findLeanings(views: ReadonlyMap<string, View>, dialect: Dialect): Reads {
  const byName = Map.groupBy(
    [...views].flatMap(([key, view]) => callingOf(view).map((name) => ({ key, name }))),
    ({ name }) => name,
  );
  const names = new Set(byName.keys());
  return new Map(
    [...views].map(([key, view]) => {
      const named = new Set(reading(view, dialect).flatMap((attachment) => namedIn(attachment, dialect, names)));
      return [key, [...named].flatMap((name) => byName.get(name)?.map((found) => found.key) ?? []).filter((other) => other !== key)];
    }),
  );
}

/** What of a view names one of these. */
export function attachmentsNaming(view: View, names: ReadonlySet<string>, dialect: Dialect): readonly Attachment[] {
  return reading(view, dialect).filter((attachment) => namedIn(attachment, dialect, names).length > 0);
}

/** Whether something that belongs to a view, such as a rule, a default or an index, names one of these: it stands in the way of their drop, and a CASCADE takes it along while the view stays. */
export function leansOn(view: Pick<View, 'attachments'>, names: ReadonlySet<string>, dialect: Dialect): boolean {
  return names.size > 0 && reading(view, dialect).some((attachment) => namedIn(attachment, dialect, names).length > 0);
}
