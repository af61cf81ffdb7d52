import type { Unseen } from '../../core/unseen.ts';
import type { Wanted } from './catalog-queries.ts';
import type { ColumnRow, PrivilegeRow, RelationRow, ShownView } from './catalog-rows.ts';

/** The rows about one relation; undefined where there is none. */
interface Rows {
  readonly relation: RelationRow | undefined;
  readonly columns: readonly ColumnRow[] | undefined;
  readonly privileges: readonly PrivilegeRow[] | undefined;
  readonly state: string | null | undefined;
  readonly show: ShownView | undefined;
}

/**
 * Everything has an owner and columns: where no row says so, listings leave out what our role may not see, and with it grants and comments. The
 * state of a dynamic table is shown to those who may monitor it. https://docs.snowflake.com/en/sql-reference/sql/show-dynamic-tables
 */
export function findUnseen(kind: Wanted['kind'], { relation, columns = [], privileges = [], state, show }: Rows): readonly Unseen[] {
  return [
    ...(privileges.length > 0 ? [] : [{ kind: 'grant' }]),
    ...(relation?.TABLE_OWNER ? [] : [{ kind: 'owner' }]),
    ...(columns.length > 0 ? [] : [{ kind: 'comment', keys: '^column ' }]),
    ...(kind === 'dynamic table' && !state ? [{ kind: 'suspended' }] : []),
    ...(kind === 'view' && !show?.change_tracking ? [{ kind: 'change tracking' }] : []),
  ];
}
