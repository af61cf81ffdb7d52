import type { Dialect } from '../../core/dialect.ts';
import { findExcess } from '../../core/limits.ts';
import type { View } from '../../core/view.ts';
import { readString } from './literals.ts';

const expirationOf = ({ attachments }: View) => attachments.find(({ kind, key }) => kind === 'option' && key === 'expiration_timestamp')?.value;

/** https://cloud.google.com/bigquery/quotas#view_limits: of the query; of tables, the names. */
const limits = { name: 1024, definition: 262_144, unit: 'characters' } as const;

/** A view whose time is over is gone, so one must never be told that it is. https://cloud.google.com/bigquery/docs/managing-views#view-expiration */
function findPast(wanted: View, { live, now }: Parameters<NonNullable<Dialect['findFault']>>[1]): string | undefined {
  const value = expirationOf(wanted);
  if (value === undefined || (live !== undefined && expirationOf(live) === value)) return undefined;
  const moment = readString(value.slice('TIMESTAMP '.length)) ?? '';
  const isPast = Date.parse(moment) <= now;
  return isPast ? `its expiration was at ${moment}, and BigQuery deletes what has expired. Take it out of the file, or set another one.` : undefined;
}

/** `Dialect.findFault`. */
export const findFault: NonNullable<Dialect['findFault']> = (wanted, standing) => findExcess(wanted, limits) ?? findPast(wanted, standing);
