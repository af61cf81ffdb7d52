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
  /** Whether the definition's tokens differ; `reprinted` when the server holds both texts for the same view. */
  readonly definition: 'same' | 'different' | 'reprinted';
  readonly kindChanged: boolean;
  readonly columns: ColumnChange;
  readonly attachments: AttachmentChange;
}
