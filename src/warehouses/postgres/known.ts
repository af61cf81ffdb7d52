import { type RelationName, relationKey } from '../../core/relation.ts';
import type { View } from '../../core/view.ts';
import type { Baseline } from './baseline.ts';
import type { CatalogView } from './catalog.ts';
import type { ViewRow } from './catalog-rows.ts';
import { mergeTexts, type Texts } from './texts.ts';

/** Texts that were read before, and what the catalogs held then at the latest. */
export interface Former {
  readonly baseline: Baseline;
  readonly texts: Texts;
  /** Oids of views and bystanders of which no text is known, whatever `texts` holds. */
  readonly stale: ReadonlySet<number>;
  /** Views that stand as they were read, as long as nothing at all was written or deleted in the catalogs since. */
  readonly kept?: KeptViews | undefined;
}

/** Views that were read whole. */
export interface KeptViews {
  readonly rows: readonly ViewRow[];
  readonly views: readonly CatalogView[];
}

interface Known extends Former {
  /** Everything that can be read, by `relationKey`, as it was when the database was inspected; absent once a script was run since. */
  readonly objects?: ReadonlyMap<string, View>;
}

/** What a connection has read last: what has not moved since is not asked for again. */
export interface Memory {
  known: Known | undefined;
}

/** What the transaction itself has read last, which stays known although a script may have changed anything. */
export function withoutObjects({ baseline, texts, stale, kept }: Former): Former {
  return { baseline, texts, stale, kept };
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

/** These views were read anew with their texts, after the baseline was; those of others are what they were but where these have moved. */
export function learnTexts(
  { texts, stale }: Former,
  { baseline, moved, fresh, read }: { baseline: Baseline; moved: ReadonlySet<number>; fresh: Texts; read: KeptViews },
): Former {
  const open = new Set([...stale, ...moved]);
  for (const { oid } of read.rows) open.delete(oid);
  return { baseline, texts: mergeTexts(texts, fresh), stale: open, kept: read };
}
