import { type Connection, isServerError } from '../postgres-family/connection.ts';
import type { Finding } from '../warehouse.ts';
import { quoteIdentifier } from './names.ts';

interface Row {
  readonly role: string;
  readonly database: string;
  readonly superuser: boolean;
  readonly temporary: boolean;
  readonly foreign: number | string;
}

// https://docs.aws.amazon.com/redshift/latest/dg/r_HAS_DATABASE_PRIVILEGE.html
const rightsQuery = `
SELECT u.usename::varchar AS role, current_database()::varchar AS database, u.usesuper AS superuser, has_database_privilege(current_database(), 'TEMP') AS temporary,
       (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'v' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relowner <> u.usesysid) AS "foreign"
FROM pg_user u WHERE u.usename = current_user`;

const clockQuery = 'SELECT extract(epoch FROM getdate()) AS seconds';

interface Source {
  readonly relation: string;
  /** What stays unknown without it. */
  readonly without: string;
  /** The role that lets one read it, where it is not a right on the relation. */
  readonly role?: string;
}

const sources: readonly Source[] = [
  { relation: 'svv_relation_privileges', without: 'rights that roles have on views are not exported, and a view is never dropped and made again' },
  { relation: 'svv_column_privileges', without: 'rights on single columns are not exported' },
  { relation: 'svv_mv_info', without: 'whether a materialized view refreshes itself is taken from the text with which it was made' },
  { relation: 'svv_table_info', without: 'plans do not say how large a materialized view is' },
  {
    relation: 'svv_rls_attached_policy',
    without: 'whether row-level security and masking policies are on a view is not known, and no view is dropped and made again',
    role: 'sys:secadmin',
  },
  { relation: 'svv_default_privileges', without: 'rights that default privileges give to new views are not taken away' },
  { relation: 'sys_query_history', without: 'commits do not say who changed a view' },
];

async function isAllowed(connection: Connection, relation: string): Promise<boolean> {
  try {
    await connection.query(`SELECT 1 FROM ${relation} LIMIT 1`);
    return true;
  } catch (error) {
    if (!isServerError(error)) throw error;
    return false;
  }
}

/** `Warehouse.examine`. */
export async function examineServer(connection: Connection): Promise<{ readonly clock: Date; readonly findings: readonly Finding[] }> {
  const [time] = await connection.query<{ seconds: number | string }>(clockQuery);
  const [row] = await connection.query<Row>(rightsQuery);
  const denied: Source[] = [];
  for (const source of sources) if (!(await isAllowed(connection, source.relation))) denied.push(source);
  return {
    clock: new Date(Number(time?.seconds ?? 0) * 1000),
    findings: row === undefined ? [] : [...denied.map((source) => unseen(source, row)), ...findLimits(row)],
  };
}

function unseen({ relation, without, role }: Source, { role: user }: Row): Finding {
  const grant = role === undefined ? `GRANT SELECT ON ${relation}` : `GRANT ROLE ${role}`;
  return { found: `This user may not read ${relation}: ${without}.`, suggestions: [`${grant} TO ${quoteIdentifier(user)}`] };
}

/** https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html: ACCESS SYSTEM TABLE is given to roles. */
function findLimits({ role, database, superuser, temporary, foreign }: Row): readonly Finding[] {
  if (superuser) return [];
  const user = quoteIdentifier(role);
  return [
    {
      found: 'This user is no superuser: unless it may access system tables, it sees only a part of the rights that roles have, and of who changed what.',
      suggestions: [
        'CREATE ROLE viewsync_reader',
        'GRANT ACCESS SYSTEM TABLE TO ROLE viewsync_reader',
        'GRANT ROLE sys:monitor TO ROLE viewsync_reader',
        `GRANT ROLE viewsync_reader TO ${user}`,
      ],
    },
    ...(temporary
      ? []
      : [
          {
            found: 'This user may not create temporary tables, by which a second run is told that one is at work.',
            suggestions: [`GRANT TEMP ON DATABASE ${quoteIdentifier(database)} TO ${user}`],
          },
        ]),
    ...(Number(foreign) > 0
      ? [
          {
            found: `${foreign} views belong to others: this user can export them, but not apply them.`,
            suggestions: [`Connect as their owner to apply, or as a superuser: ALTER USER ${user} CREATEUSER`],
          },
        ]
      : []),
  ];
}
