import type { RelationName } from './relation.ts';
import type { Attachment, Column } from './view.ts';

export interface ColumnChange {
  readonly added: readonly Column[];
  readonly removed: readonly Column[];
  readonly retyped: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  readonly reordered: boolean;
}

export interface AttachmentChange {
  readonly added: readonly Attachment[];
  readonly removed: readonly Attachment[];
  readonly changed: readonly { readonly from: Attachment; readonly to: Attachment }[];
}

/** The difference of one view between two Snapshots. */
export interface Change {
  readonly view: RelationName;
  readonly change: 'added' | 'modified' | 'deleted';
  /**
   * Whether the definition's tokens differ; `reprinted` when the server holds both texts for the same view, `follows base` when it differs
   * because a relation that it reads has changed, and nobody need have touched the view.
   */
  readonly definition: 'same' | 'different' | 'reprinted' | 'follows base';
  readonly kindChanged: boolean;
  readonly columns: ColumnChange;
  readonly attachments: AttachmentChange;
}
