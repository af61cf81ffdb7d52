import type { RelationName } from './relation.ts';
import type { Unseen } from './unseen.ts';

/** A dynamic table is a query that the warehouse keeps filled, like a materialized view. */
export type ViewKind = 'view' | 'materialized view' | 'dynamic table';

/** What has a file: views, the bystanders that hang on them, and the containers that both stand in. */
export type FileKind = ViewKind | 'bystander' | 'container';

/** A column of a view. `type` is as the server prints it, with length, precision and a collation that is not the type's own: `numeric(12,2)`, `text COLLATE "C"`. */
export interface Column {
  readonly name: string;
  readonly type: string;
}

/**
 * One thing that belongs to a view beside its definition: an option, the owner, a grant, a comment, a trigger, an index.
 * `kind` and `key` together are unique within a view. Two attachments are equal when the tokens of their `make` are.
 */
export interface Attachment {
  /** One of the dialect's `attachmentKinds`. */
  readonly kind: string;
  /** What tells it apart from others of its kind: the column, the trigger's name, `reporting SELECT`. */
  readonly key: string;
  /** For people and for dialects: the option's value, the owner's name, the comment's text. */
  readonly value: string;
  /** Final SQL without a trailing semicolon; may hold several statements separated by `;\n` that must run together. */
  readonly make: string;
  /** Final SQL that removes it, or brings back the state in which it is absent. */
  readonly unmake: string;
}

/** A view, or a bystander or container, which have files of the same shape. */
export interface View {
  readonly name: RelationName;
  readonly kind: FileKind;
  /** The query, without the CREATE header and without a trailing semicolon; of a bystander or container the whole statement that makes it. */
  readonly definition: string;
  /** In order. Empty when unknown: a hand-written file may lack its header. */
  readonly columns: readonly Column[];
  /**
   * Relations that the definition reads, sorted and unique; from the catalog when live, from the text when read from a file. Of a bystander the
   * views that it hangs on, directly or through other bystanders; in a file these stand in the header.
   */
  readonly reads: readonly RelationName[];
  /** Bystanders that the definition needs, from the catalog; unknown in a file. */
  readonly needs?: readonly RelationName[];
  /** In the order in which the file holds them: by the dialect's order of kinds, then by key. */
  readonly attachments: readonly Attachment[];
  /** Of a live view: attachments that our role may not see, so that they are none of those that are absent. Absent where it sees all. */
  readonly unseen?: readonly Unseen[];
  /** What belongs to this view and no file holds yet, in words ("statistics object app.m1_st"): a drop of the view is refused by name. */
  readonly unrestorable: readonly string[];
}

/** Whether it is a view, of either kind. */
export function isView({ kind }: Pick<View, 'kind'>): boolean {
  return kind === 'view' || kind === 'materialized view' || kind === 'dynamic table';
}

/** The kind of attachment that says who owns a view, in every dialect where views have owners. */
export const ownerKind = 'owner';

/** The kind of attachment that says whether a materialized view holds data. */
export const populatedKind = 'populated';
