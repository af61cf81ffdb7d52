import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { requireSound } from '../../faults/laws.ts';
import { someone, temporaryFolder } from '../../support/repository.ts';
import type { Account } from '../../support/snowflake/account.ts';
import { openSnowflake, quick, type SnowflakePlace, stateOf } from './place.ts';

const program = fileURLToPath(new URL('../../../bin/run.js', import.meta.url));

// `VIEWSYNC_KILLS=all` kills at every statement that changes something, before and after it.
const isThorough = process.env['VIEWSYNC_KILLS'] === 'all';

/** Twelve views, each but the first on the one before it, with everything that a view can have spread over them. */
const chain = [
  'CREATE TABLE PROD.SHOP.ORDERS (ID NUMBER, EMAIL TEXT)',
  ...Array.from({ length: 12 }, (_, index) => {
    const protect = index % 3 === 0 ? ' (ID, EMAIL WITH MASKING POLICY PROD.SHOP.MASK)' : '';
    const tag = index % 2 === 0 ? ` WITH TAG (PROD.SHOP.POSITION = '${index}')` : '';
    const comment = index % 4 === 0 ? ` COMMENT = 'number ${index}'` : '';
    return `CREATE VIEW PROD.SHOP.V${index + 1}${protect}${comment}${tag} AS SELECT ID, EMAIL FROM PROD.SHOP.${index === 0 ? 'ORDERS' : `V${index}`}`;
  }),
  ...[3, 5, 8, 11].map((number) => `GRANT SELECT ON VIEW PROD.SHOP.V${number} TO ROLE READER`),
  'GRANT SELECT ON VIEW PROD.SHOP.V9 TO SHARE PARTNER',
];

/** What somebody else does between an export and an apply: queries, tags, policies, rights and whole views go. */
const drift = [
  ...['V12', 'V11', 'V9'].map((name) => `DROP VIEW PROD.SHOP.${name}`),
  'CREATE OR REPLACE VIEW PROD.SHOP.V4 COPY GRANTS AS SELECT ID, EMAIL FROM PROD.SHOP.V2',
  'CREATE OR REPLACE VIEW PROD.SHOP.V5 AS SELECT ID, EMAIL FROM PROD.SHOP.V4 WHERE ID > 5',
  "ALTER VIEW PROD.SHOP.V7 SET TAG PROD.SHOP.POSITION = 'wrong'",
  'REVOKE SELECT ON VIEW PROD.SHOP.V3 FROM ROLE READER',
];

function configure(place: SnowflakePlace): void {
  const options = 'account: myaccount\n    host: 127.0.0.1\n    port: ${PORT}\n    protocol: http\n    user: service\n    password: ${PASSWORD}\n';
  writeFileSync(join(place.directory, 'viewsync.yaml'), `targets:\n  prod:\n    warehouse: snowflake\n    ${options}`);
  place.git('add', 'viewsync.yaml');
  place.git('commit', '--quiet', '--message', 'Configure');
}

interface Point {
  readonly number: number;
  readonly moment: 'before' | 'after';
}

/** Runs the built program and kills it at a statement; returns how many changed something. */
async function runKilled(
  { directory, server, account }: SnowflakePlace,
  point?: Point,
): Promise<{ readonly changes: number; readonly code: number | null; readonly stderr: string }> {
  account.changes = 0;
  const env = { ...someone, PORT: String(server.port), PASSWORD: 'secret' };
  const child: ChildProcess = spawn(process.execPath, [program, 'apply', 'HEAD', '--yes'], { cwd: directory, env, stdio: ['ignore', 'ignore', 'pipe'] });
  account.onChange = (moment, number) => {
    if (number === point?.number && moment === point.moment) child.kill('SIGKILL');
  };
  const [[code], stderr] = await Promise.all([once(child, 'exit'), text(child.stderr as NonNullable<typeof child.stderr>)]);
  account.onChange = () => undefined;
  return { changes: account.changes, code, stderr };
}

function choosePoints(changes: number): readonly Point[] {
  const all = Array.from({ length: changes }, (_, index) => index + 1).flatMap((number) => [
    { number, moment: 'before' as const },
    { number, moment: 'after' as const },
  ]);
  return isThorough ? all : [5, all.length - 3].map((index) => all[index] as Point);
}

/** What was recorded, what somebody else made of it since, and what each point starts from anew, so that no point makes the next one slower. */
interface Stage {
  readonly directory: string;
  readonly account: Account;
  readonly recorded: unknown;
  readonly drifted: unknown;
  readonly changes: number;
}

function copyAccount({ onChange, ...account }: Account): Account {
  return { ...structuredClone({ ...account, log: [], carriedOut: [], transactions: [] }), onChange };
}

function openCopy({ directory, account }: Pick<Stage, 'directory' | 'account'>): Promise<SnowflakePlace> {
  const copy = temporaryFolder();
  cpSync(directory, copy, { recursive: true });
  return openSnowflake([], { account: copyAccount(account), directory: copy });
}

async function setStage(): Promise<Stage> {
  const place = await openSnowflake(chain);
  await place.export();
  configure(place);
  const recorded = stateOf(place);
  place.server.run(drift);
  const stage = { directory: place.directory, account: place.account, recorded, drifted: stateOf(place) };
  const undisturbed = await openCopy(stage);
  const whole = await runKilled(undisturbed);
  expect(whole.code, whole.stderr).toBe(0);
  expect(stateOf(undisturbed)).toEqual(recorded);
  return { ...stage, changes: whole.changes };
}

/** Kills an apply at one point and ends what it left with one command. */
async function killAndEnd(stage: Stage, point: Point, ending: 'apply' | 'rollback'): Promise<void> {
  const { recorded, drifted } = stage;
  const place = await openCopy(stage);
  const head = place.git('rev-parse', 'HEAD');
  await runKilled(place, point);
  // The lock of a dead run ends by itself after a while.
  place.account.ahead += quick.lock?.lease ?? 0;
  requireSound(place.directory);
  const { run } = await place.status();
  const hint = JSON.stringify({ point, ending, run });
  expect(run, hint).toMatchObject({
    command: 'apply',
    isRunning: false,
    holds: expect.stringMatching(/^(the state before|the planned state|something between)$/),
  });
  if (ending === 'rollback') {
    await place.rollback({ allowed: ['WIDENS_ACCESS'] });
    expect(stateOf(place), hint).toEqual(drifted);
  }
  await place.apply(ending === 'apply' ? 'HEAD' : head, { allowed: ['WIDENS_ACCESS'] });
  expect(stateOf(place), hint).toEqual(recorded);
  expect(await place.status(), hint).toMatchObject({ differing: [] });
  expect((await place.export()).commit, hint).toBeUndefined();
  await place.server[Symbol.asyncDispose]();
  rmSync(place.directory, { recursive: true, force: true, maxRetries: 5 });
}

test('an apply that is killed is named, and one command brings either state with everything that belongs to the views', async () => {
  const stage = await setStage();
  const points = choosePoints(stage.changes).entries();
  // Two at a time, since a run and what ends it wait for processes most of the time.
  const worker = async () => {
    for (const [index, point] of points) await killAndEnd(stage, point, index % 2 === 0 ? 'rollback' : 'apply');
  };
  await Promise.all([worker(), worker()]);
}, 7_200_000);
