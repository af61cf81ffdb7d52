import type { RelationName } from '../core/relation.ts';

/**
 * A view, something of one that a CASCADE may take along while the view stays, or a bystander. Identities tell objects of the server from later ones of the
 * same name.
 */
export interface Part {
  readonly id: string;
  /** The identity of its view, or of the table that it stands on; its own, when it is a view or stands on nothing. */
  readonly of: string;
  /** The view that it belongs to; the bystander itself. */
  readonly view: RelationName;
  /** The kind of attachment, `view` or `bystander`. */
  readonly kind: string;
  /** The key of that attachment; empty for views and bystanders. */
  readonly key: string;
  /** The identities of what it cannot be without. */
  readonly needs: readonly string[];
}

/** What tells which parts a statement or a command has taken along. */
export interface PartSource {
  /** Views, and their rules, triggers, defaults, indexes and statistics, in scope or not, and these bystanders. Changes nothing. */
  listParts(bystanders?: readonly RelationName[]): Promise<readonly Part[]>;
  /** Which of these identities nothing has any more. Changes nothing. */
  findGone(ids: readonly string[]): Promise<ReadonlySet<string>>;
}
