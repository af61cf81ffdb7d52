import { createHash } from 'node:crypto';
import type { Step } from '../../core/plan.ts';
import { ViewsyncError } from '../../errors.ts';
import type { FailedStandIn, Scratch, StandIn } from '../scratch.ts';
import type { StepFailure } from '../warehouse.ts';
import type { ShownDatabase } from './catalog-rows.ts';
import type { Connection } from './connection.ts';
import { announce, findAnnounced, type Lock, type LockTimes } from './lock.ts';
import { quoteIdentifier, typedRelation } from './names.ts';
import { mapSome, showAll } from './read-catalog.ts';
import { nameScratch, type ScratchNames } from './scratch-names.ts';
import { moveStatement, type ScratchPlace, toScratchWarehouse } from './scratch-warehouse.ts';
import { isServerError } from './server-error.ts';
import type { Account } from './session.ts';
import { makeStandIns } from './stand-ins.ts';

export interface ScratchParts {
  readonly connection: Connection;
  readonly account: Account;
  readonly times: LockTimes;
}

/** What the drills of one user begin with; of others nothing tells whether they still run. */
function prefixOf({ user }: Account): string {
  const mark = createHash('sha256').update(user).digest('hex').slice(0, 8).toUpperCase();
  return `VIEWSYNC_DRILL_${mark}_`;
}

function ignoreRefusal(error: unknown): void {
  if (!isServerError(error)) throw error;
}

async function dropDatabases(connection: Connection, names: readonly string[]): Promise<void> {
  await mapSome(names, (name) => connection.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`));
}

/** Those of drills that were killed. One that cannot be dropped now is dropped by a later drill. */
async function dropLeftovers({ connection, account, times }: ScratchParts): Promise<void> {
  const prefix = prefixOf(account);
  const databases = (await showAll<ShownDatabase>(connection, 'DATABASES')).map(({ name }) => name).filter((name) => name.startsWith(prefix));
  if (databases.length === 0) return;
  const running = await findAnnounced(connection, prefix, times);
  const left = databases.filter((name) => !running.some((drill) => name.startsWith(`${drill}_`)));
  await mapSome(left, (name) => connection.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`).catch(ignoreRefusal));
}

/** https://docs.snowflake.com/en/sql-reference/sql/create-database#access-control-requirements */
async function requireCreate({ connection, account }: ScratchParts, name: string): Promise<void> {
  try {
    await connection.query(`CREATE TRANSIENT DATABASE ${quoteIdentifier(name)} COMMENT = 'made by viewsync drill, which drops it'`);
    await connection.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`);
  } catch (cause) {
    if (!isServerError(cause) || cause.code !== '003001') throw cause;
    throw new ViewsyncError('PRIVILEGE_MISSING', {
      message: `No scratch database can be made on ${connection.place}: the role "${account.role}" may not create databases. Nothing was changed.`,
      suggestions: [
        `GRANT CREATE DATABASE ON ACCOUNT TO ROLE ${quoteIdentifier(account.role)};`,
        'viewsync drill --on TARGET   (another target of viewsync.yaml, whose role may)',
      ],
      cause,
    });
  }
}

/** `Adapter.openScratch`: databases of their own on the account, where roles, policies and tags are the right ones, and every name but the database's is as in the files. */
export async function openScratch(parts: ScratchParts): Promise<Scratch> {
  const { connection, account } = parts;
  try {
    const drill = await announce(connection, prefixOf(account), parts.times);
    const names = nameScratch(drill.name);
    const remove = () => removeOnce(connection, drill, names);
    try {
      await dropLeftovers(parts);
      await requireCreate(parts, `${drill.name}_TRIAL`);
    } catch (error) {
      await drill.release();
      throw error;
    }
    return toScratch({ connection, account, names, assumed: new Map() }, remove);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function removeOnce(connection: Connection, drill: Lock, names: ScratchNames): Promise<void> {
  try {
    await dropDatabases(connection, names.list());
  } finally {
    await drill.release();
    await connection.close();
  }
}

function toScratch(place: ScratchPlace, removeOnce: () => Promise<void>): Scratch {
  let removal: Promise<void> | undefined;
  return {
    place: `scratch databases on ${place.connection.place}`,
    warehouse: toScratchWarehouse(place),
    furnish: (standIns) => furnish(place, standIns),
    rehearse: (steps) => rehearse(place, steps),
    remove: () => {
      removal ??= removeOnce();
      return removal;
    },
  };
}

async function furnish({ connection, names }: ScratchPlace, standIns: readonly StandIn[]): Promise<readonly FailedStandIn[]> {
  for (const { relation } of standIns) if (relation?.catalog !== undefined) names.of(relation.catalog);
  const failed = await makeStandIns(
    connection,
    standIns.map((standIn) => ({ standIn, sql: moveStandIn(standIn.sql, names) })),
  );
  return failed.map(({ standIn, because }) => ({ standIn, because: names.backText(because) }));
}

const standInHead = /^(CREATE (?:TRANSIENT )?(?:DATABASE|SCHEMA|TABLE|FUNCTION|SEQUENCE) )"((?:[^"]|"")*)"/;

function moveStandIn(sql: string, names: ScratchNames): string {
  return sql.replace(standInHead, (_, head: string, catalog: string) => `${head}${quoteIdentifier(names.of(catalog.replaceAll('""', '"')))}`);
}

/** Nothing is rolled back here: what was made is dropped again. */
async function rehearse(place: ScratchPlace, steps: readonly Step[]): Promise<readonly StepFailure[]> {
  const { connection, names } = place;
  const failures: StepFailure[] = [];
  const made: string[] = [];
  for (const [index, step] of steps.entries()) {
    const moved = moveStatement(step, names);
    if (moved === undefined) continue;
    try {
      await connection.query(moved.sql);
      if (step.kind === 'create') made.push(`DROP ${typedRelation(moved.relation)}`);
    } catch (error) {
      if (!isServerError(error)) throw error;
      failures.push({ index, code: error.code, message: names.backText(error.message.replaceAll(/\s+/g, ' ').trim()) });
    }
  }
  for (const sql of made.toReversed()) await connection.query(sql).catch(ignoreRefusal);
  return failures;
}
