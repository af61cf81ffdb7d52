import type { Attachment } from '../../core/view.ts';
import { type Relation, typedRelation } from './attachments.ts';
import { quoteIdentifier, quoteRelation, quoteText } from './names.ts';

/** What of a view a security label is on; the type is the view's row type. */
export type Labelled = { readonly on: 'relation' | 'type' } | { readonly on: 'column'; readonly name: string };

/** A security label. A server on which no module of that provider is loaded refuses to set it, and names the provider. */
export function labelAttachment(relation: Relation, on: Labelled, { provider, label }: { provider: string; label: string }): Attachment {
  const set = `SECURITY LABEL FOR ${quoteIdentifier(provider)} ON ${labelledObject(relation, on)} IS`;
  const part = on.on === 'column' ? `column ${on.name}` : on.on === 'type' ? 'type' : '';
  return { kind: 'label', key: `${provider} ${part}`.trimEnd(), value: label, make: `${set} ${quoteText(label)}`, unmake: `${set} NULL` };
}

function labelledObject(relation: Relation, on: Labelled): string {
  if (on.on === 'column') return `COLUMN ${quoteRelation(relation.name)}.${quoteIdentifier(on.name)}`;
  return on.on === 'type' ? `TYPE ${quoteRelation(relation.name)}` : typedRelation(relation);
}
