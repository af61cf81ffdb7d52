import type { RelationName } from '../core/relation.ts';

/** A view, or something of one that a CASCADE may take along while the view stays. Identities tell objects of the server from later ones of the same name. */
export interface Part {
  readonly id: string;
  /** The identity of its view; its own, when it is one. */
  readonly of: string;
  readonly view: RelationName;
  /** The kind of attachment, or `view`. */
  readonly kind: string;
  /** The key of that attachment; empty for a view. */
  readonly key: string;
  /** The identities of what it cannot be without. */
  readonly needs: readonly string[];
}

/** What tells which parts a statement or a command has taken along. */
export interface PartSource {
  /** Views, and their rules, triggers, defaults, indexes and statistics, in scope or not. Changes nothing. */
  listParts(): Promise<readonly Part[]>;
  /** Which of these identities nothing has any more. Changes nothing. */
  findGone(ids: readonly string[]): Promise<ReadonlySet<string>>;
}
