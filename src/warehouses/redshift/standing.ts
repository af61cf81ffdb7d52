import { findReaders, reach } from '../../core/graph.ts';
import { readsOf } from '../../core/rebuild.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import type { View } from '../../core/view.ts';
import type { Connection } from '../postgres-family/connection.ts';
import type { NamedParts } from '../script-session.ts';
import { isLateBinding } from './attachments.ts';
import { columnReadsQuery } from './catalog-queries.ts';
import { readAllViews } from './inspect.ts';
import type { ServerFacts } from './server.ts';

interface ColumnReadRow {
  readonly schema: string;
  readonly name: string;
  readonly table: string;
  readonly column: string;
}

function isNamed({ schema, name }: RelationName, named: NamedParts): boolean {
  return named.some((parts) => parts.at(-1) === name && (parts.length === 1 || parts.at(-2) === schema));
}

/** Views that use one of the named columns. */
async function findColumnReaders(connection: Connection, named: NamedParts): Promise<ReadonlySet<string>> {
  const rows = await connection.query<ColumnReadRow>(columnReadsQuery);
  const names = new Set(named.map((parts) => parts.at(-1)));
  return new Set(rows.filter(({ table, column }) => names.has(table) && names.has(column)).map(relationKey));
}

/**
 * `ScriptSession.findStanding`: bound and materialized views. Late-binding views stand in nobody's way. A name without a schema is taken for
 * every relation of that name. A materialized view counts as a whole: which columns its text uses is not known.
 */
export async function findStanding(
  connection: Connection,
  server: ServerFacts,
  { named, on }: { readonly named: NamedParts; readonly on: 'parts' | 'whole' },
): Promise<readonly RelationName[]> {
  const views = (await readAllViews(connection, server)).filter((view) => !isLateBinding(view));
  const users = on === 'parts' ? await findColumnReaders(connection, named) : undefined;
  const isDirect = (view: View) =>
    view.reads.some((read) => isNamed(read, named)) && (users === undefined || view.kind === 'materialized view' || users.has(relationKey(view.name)));
  const direct = views.filter(isDirect).map(({ name }) => relationKey(name));
  const reached = reach(direct, findReaders(readsOf(views)));
  return views.map(({ name }) => name).filter((name) => reached.has(relationKey(name)));
}
