import type { Connection } from '../postgres-family/connection.ts';
import { bystanderDetailsQuery, bystanderEdgesQuery, bystanderMarksQuery, bystanderPrivilegesQuery } from './bystander-queries.ts';
import type { BystanderDetailsRow, BystanderEdgeRow, MarkRow } from './bystander-rows.ts';
import { type BystanderRows, listBystanderTexts } from './bystanders.ts';
import type { PrivilegeRow } from './catalog-rows.ts';
import { readTexts, type TextOptions } from './texts.ts';

// A column, a composite type or an index are all in pg_class; only indexes have details.
const isObject = ({ part, defines, class: catalog }: BystanderEdgeRow) => !defines && (part === 0 || catalog !== 'pg_class');

function objectsIn(edges: readonly BystanderEdgeRow[]): readonly [classes: readonly string[], oids: readonly number[]] {
  const objects = [...new Map(edges.filter(isObject).map((edge) => [`${edge.class} ${edge.object}`, edge])).values()];
  return [objects.map((edge) => edge.class), objects.map(({ object }) => object)];
}

const nothing: BystanderRows = { edges: [], details: [], privileges: [], marks: [], texts: new Map() };

/** Everything that hangs on a view: one query for what there is, then all others at once; none when there is nothing. */
export async function readBystanders(connection: Connection, options: Pick<TextOptions, 'patience'> = {}): Promise<BystanderRows> {
  const edges = await connection.query<BystanderEdgeRow>(bystanderEdgesQuery, [null]);
  const [classes, oids] = objectsIn(edges);
  if (oids.length === 0) return { ...nothing, edges };
  const detailed = connection.query<BystanderDetailsRow>(bystanderDetailsQuery, [classes, oids]);
  const [details, privileges, marks, texts] = await Promise.all([
    detailed,
    connection.query<PrivilegeRow>(bystanderPrivilegesQuery, [oids]),
    connection.query<MarkRow>(bystanderMarksQuery, [classes, oids]),
    detailed.then((rows) => readTexts(connection, listBystanderTexts(rows.filter(({ obstacle }) => obstacle === null)), options)),
  ]);
  return { edges, details, privileges, marks, texts };
}
