import { type RelationName, relationKey } from '../../core/relation.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';

interface HistoryRow {
  readonly text: string;
  readonly who: string;
}

/**
 * What was changed lately, the last first; it is kept for seven days, and the text is cut off behind 4,000 characters.
 * https://docs.aws.amazon.com/redshift/latest/dg/SYS_QUERY_HISTORY.html https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_USER_INFO.html
 */
const historyQuery = `
SELECT h.query_text AS text, u.user_name AS who FROM sys_query_history h JOIN svv_user_info u ON u.user_id = h.user_id
WHERE h.status = 'success' AND h.query_type IN ('DDL', 'UTILITY', 'OTHER') AND h.start_time > getdate() - interval '7 days'
ORDER BY h.start_time DESC LIMIT 10000`;

const insufficient = ['42501', '42P01'];

const isChange = /^\s*(?:\/\*[\s\S]*?\*\/\s*|--[^\n]*\n\s*)*(?:create|alter|drop|grant|revoke|comment)\b/i;

const escapePattern = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A statement about the view: its name in quotes or without, with its schema or without one. */
function namesView({ schema, name }: RelationName): RegExp {
  const part = (text: string) => `"?${escapePattern(text)}"?`;
  return new RegExp(`(?:${part(schema)}\\s*\\.\\s*|[\\s,])${part(name)}(?![\\w$])`, 'i');
}

/** `Warehouse.findAuthors`: one query, however many views are asked about. */
export async function findAuthors(connection: Connection, names: readonly RelationName[]): Promise<ReadonlyMap<string, string>> {
  const changes = (await readHistory(connection)).filter(({ text }) => isChange.test(text));
  return new Map(
    names.flatMap((name) => {
      const pattern = namesView(name);
      const last = changes.find(({ text }) => pattern.test(text.replace(/\bas\b[\s\S]*$/i, ' ')));
      return last === undefined ? [] : [[relationKey(name), last.who.trim()] as const];
    }),
  );
}

async function readHistory(connection: Connection): Promise<readonly HistoryRow[]> {
  try {
    return await connection.query<HistoryRow>(historyQuery);
  } catch (error) {
    if (isServerError(error) && insufficient.includes(error.code)) return [];
    throw error;
  }
}
