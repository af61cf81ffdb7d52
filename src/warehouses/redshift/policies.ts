import type { Attachment, View } from '../../core/view.ts';
import type { MaskingPolicyRow, PolicyRow, RowPolicyRow, RowSecurityRow } from './catalog-rows.ts';
import { spellGrantee } from './names.ts';
import { type Conjunction, maskingAttachment, rowPolicyAttachment, rowSecurityAttachment, sharedRowSecurityAttachment } from './policy-attachments.ts';

/** The rows about one view. */
export interface PolicyRows {
  readonly rowPolicies: readonly RowPolicyRow[];
  readonly rowSecurity: readonly RowSecurityRow[];
  readonly maskingPolicies: readonly MaskingPolicyRow[];
}

/** What protects a view, and in words what of that no statement of ours could make again. */
export interface Protection {
  readonly attachments: readonly Attachment[];
  readonly unrestorable: readonly string[];
}

type Protected = Pick<View, 'name' | 'columns'>;

const isTrue = (value: boolean | string | null) => /^t/i.test(String(value));

/** The catalogs call everybody `public`, whatever kind of grantee they say that this is. */
function granteeOf({ grantee, kind }: PolicyRow): string | undefined {
  const sort = kind.trim().toLowerCase();
  if (sort !== 'role' && grantee.toLowerCase() === 'public') return spellGrantee('public', '');
  return sort === 'user' || sort === 'role' ? spellGrantee(sort, grantee) : undefined;
}

/** The names in `["price", "name"]`, where each is a column of the view: a path into a SUPER value is spelled otherwise in a statement. */
function readColumns(text: string, { columns }: Protected): readonly string[] | undefined {
  try {
    const names: unknown = JSON.parse(text);
    const isColumn = (name: unknown) => columns.some((column) => column.name === name);
    return Array.isArray(names) && names.length > 0 && names.every(isColumn) ? names : undefined;
  } catch {
    return undefined;
  }
}

const lost = (text: string): Protection => ({ attachments: [], unrestorable: [text] });
const kept = (...attachments: readonly Attachment[]): Protection => ({ attachments, unrestorable: [] });

function readRowPolicy(row: RowPolicyRow, view: Protected): Protection {
  const grantee = granteeOf(row);
  return grantee === undefined ? lost(`the row-level security policy ${row.policy} for ${row.grantee}`) : kept(rowPolicyAttachment(view, row.policy, grantee));
}

function readMasking(row: MaskingPolicyRow, view: Protected): Protection {
  const [grantee, outputs, inputs] = [granteeOf(row), readColumns(row.outputs, view), readColumns(row.inputs, view)];
  const priority = Number(row.priority);
  if (grantee === undefined || outputs === undefined || inputs === undefined || !(priority >= 0))
    return lost(`the masking policy ${row.policy} on ${row.outputs} for ${row.grantee}`);
  return kept(maskingAttachment(view, { policy: row.policy, grantee, outputs, inputs, priority }));
}

function readRowSecurity({ isOn, isShared, conjunction }: RowSecurityRow, view: Protected): Protection {
  const how = conjunction?.trim().toUpperCase();
  if (!isTrue(isOn)) return kept();
  if (how !== 'AND' && how !== 'OR') return lost('row-level security of a kind that viewsync does not know');
  const shared = isTrue(isShared) ? [sharedRowSecurityAttachment(view)] : [];
  return kept(rowSecurityAttachment(view, how satisfies Conjunction), ...shared);
}

/** `rows` is undefined where our user may not see any. */
export function readProtection(rows: PolicyRows | undefined, view: Protected): Protection {
  if (rows === undefined) return lost('policies on it, which our user may not see');
  const { rowPolicies, rowSecurity, maskingPolicies } = rows;
  const all = [
    ...rowPolicies.map((row) => readRowPolicy(row, view)),
    ...maskingPolicies.map((row) => readMasking(row, view)),
    ...rowSecurity.map((row) => readRowSecurity(row, view)),
  ];
  return { attachments: all.flatMap(({ attachments }) => attachments), unrestorable: all.flatMap(({ unrestorable }) => unrestorable) };
}
