import type { Attachment } from '../../core/view.ts';
import type { Relation } from './attachments.ts';
import { quoteIdentifier, quoteRelation } from './names.ts';

type Named = Pick<Relation, 'name'>;

/** Kinds of attachments for what hides rows and values from those who may read a view. Policies come before they are put in force. */
export const policyKinds = ['row policy', 'masking policy', 'row security', 'shared row security'] as const;

/** A policy that filters the rows for somebody; the grantee as `spellGrantee` writes it. https://docs.aws.amazon.com/redshift/latest/dg/r_ATTACH_RLS_POLICY.html */
export function rowPolicyAttachment({ name }: Named, policy: string, grantee: string): Attachment {
  const on = `RLS POLICY ${quoteIdentifier(policy)} ON ${quoteRelation(name)}`;
  return { kind: 'row policy', key: `${grantee} ${policy}`, value: '', make: `ATTACH ${on} TO ${grantee}`, unmake: `DETACH ${on} FROM ${grantee}` };
}

/** A policy that masks columns for somebody. */
export interface Masking {
  readonly policy: string;
  readonly grantee: string;
  /** Columns that it hides. */
  readonly outputs: readonly string[];
  /** Columns that it computes them from, in the order of the policy's own. */
  readonly inputs: readonly string[];
  readonly priority: number;
}

const listColumns = (columns: readonly string[]) => `(${columns.map(quoteIdentifier).join(', ')})`;

/** https://docs.aws.amazon.com/redshift/latest/dg/r_ATTACH_MASKING_POLICY.html */
export function maskingAttachment({ name }: Named, { policy, grantee, outputs, inputs, priority }: Masking): Attachment {
  const [masked, read] = [listColumns(outputs), listColumns(inputs)];
  const on = `MASKING POLICY ${quoteIdentifier(policy)} ON ${quoteRelation(name)} ${masked}`;
  const using = masked === read ? '' : ` USING ${read}`;
  return {
    kind: 'masking policy',
    key: `${grantee} ${policy} ${masked}`,
    value: `${read} ${priority}`,
    make: `ATTACH ${on}${using} TO ${grantee} PRIORITY ${priority}`,
    unmake: `DETACH ${on} FROM ${grantee}`,
  };
}

export type Conjunction = 'AND' | 'OR';

/** Whether the policies on a view's rows are in force, and how several of them count together. https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html */
export function rowSecurityAttachment({ name }: Named, conjunction: Conjunction): Attachment {
  const alter = `ALTER TABLE ${quoteRelation(name)} ROW LEVEL SECURITY`;
  return { kind: 'row security', key: '', value: conjunction, make: `${alter} ON CONJUNCTION TYPE ${conjunction}`, unmake: `${alter} OFF` };
}

/** Whether they are in force for those who read the view through a datashare. */
export function sharedRowSecurityAttachment({ name }: Named): Attachment {
  const alter = (to: 'ON' | 'OFF') => `ALTER TABLE ${quoteRelation(name)} ROW LEVEL SECURITY ${to} FOR DATASHARES`;
  return { kind: 'shared row security', key: '', value: 'ON', make: alter('ON'), unmake: alter('OFF') };
}
