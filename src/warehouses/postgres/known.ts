import { type RelationName, relationKey } from '../../core/relation.ts';
import type { View } from '../../core/view.ts';
import type { Baseline } from './baseline.ts';
import { mergeTexts, type Texts } from './texts.ts';

/** Texts that were read before, and what the catalogs held then at the latest. */
export interface Former {
  readonly baseline: Baseline;
  readonly texts: Texts;
  /** Oids of views and bystanders of which no text is known, whatever `texts` holds. */
  readonly stale: ReadonlySet<number>;
}

interface Known extends Former {
  /** Everything that can be read, by `relationKey`, as it was when the database was inspected; absent once a script was run since. */
  readonly objects?: ReadonlyMap<string, View>;
}

/** What a connection has read last: what has not moved since is not asked for again. */
export interface Memory {
  known: Known | undefined;
}

/** The texts alone, which stay known although a script may have changed anything. */
export function withoutObjects({ baseline, texts, stale }: Former): Former {
  return { baseline, texts, stale };
}

/** What may be used by an inspection: what the script before it has left behind. Any other one asks for everything. */
export function leftByScript(memory: Memory | undefined): Former | undefined {
  return memory?.known?.objects === undefined ? memory?.known : undefined;
}

/** The named objects as they were read last; undefined when one of them was not. */
export function recall({ objects }: Known, names: readonly RelationName[]): readonly View[] | undefined {
  const found = names.flatMap((name) => objects?.get(relationKey(name)) ?? []);
  return found.length === names.length ? found : undefined;
}

/** Texts of the views with these oids were read anew, after the baseline was; those of others are what they were but where these have moved. */
export function learnTexts(
  { texts, stale }: Former,
  { baseline, moved, fresh, read }: { baseline: Baseline; moved: ReadonlySet<number>; fresh: Texts; read: readonly number[] },
): Former {
  const open = new Set([...stale, ...moved]);
  for (const oid of read) open.delete(oid);
  return { baseline, texts: mergeTexts(texts, fresh), stale: open };
}
