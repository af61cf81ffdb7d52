import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { newestServer } from '../support/postgres-server.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';
import { expectAgreement } from './laws.ts';

const start = `
CREATE SCHEMA s; CREATE SCHEMA other;
CREATE TABLE s.t (id int, n int);
CREATE VIEW s.left AS SELECT id, 0 AS n FROM s.t; CREATE VIEW s.right AS SELECT id, 0 AS n FROM s.left;
CREATE VIEW s.even AS SELECT 1 AS n; CREATE VIEW s.still AS SELECT n FROM s.even; CREATE VIEW s.calm AS SELECT 1 AS n;
${Array.from({ length: 150 }, (_, index) => `CREATE VIEW other.v${index} AS SELECT id AS c${index} FROM s.t`).join(';')};`;

/** Whatever is read, both of the pair hold one number, and the wanderer has one name. */
const restless = (n: number) => [
  `BEGIN; CREATE OR REPLACE VIEW s.left AS SELECT id, ${n} AS n FROM s.t; CREATE OR REPLACE VIEW s.right AS SELECT id, ${n} AS n FROM s.left; COMMIT`,
  n % 2 === 0 ? 'ALTER VIEW s.odd RENAME TO even' : 'ALTER VIEW s.even RENAME TO odd',
  `BEGIN; DROP VIEW s.right; DROP VIEW s.left; CREATE VIEW s.left AS SELECT id, ${n} AS n FROM s.t; CREATE VIEW s.right AS SELECT id, ${n} AS n FROM s.left; COMMIT`,
  `ALTER TABLE s.t RENAME n TO m${n}; ALTER TABLE s.t RENAME m${n} TO n`,
  `CREATE VIEW other.fleeting AS SELECT n, ${n} AS x FROM s.left; DROP VIEW other.fleeting`,
];

/** Never loses a deadlock, though it changes two views in one transaction while somebody reads both. Now hectic, now slower, so that some exports find three quiet looks and others do not; or never a pause. */
async function startUnrest(place: Workplace, pace: 'changing' | 'breathless'): Promise<() => Promise<number>> {
  const session = new Client({ connectionString: place.database.url });
  await session.connect();
  await session.query("SET deadlock_timeout = '200ms'");
  let isOver = false;
  const work = (async () => {
    let n = 0;
    while (!isOver) {
      n += 1;
      const pause = pace === 'changing' ? 0.03 * (n % 6) : 0;
      for (const sql of restless(n)) await session.query(`${sql}; SELECT pg_sleep(${pause})`);
    }
    await session.end();
    return n;
  })();
  return () => {
    isOver = true;
    return work;
  };
}

/** The files of a live commit, by name of the view. */
function readState(place: Workplace, commit: string): ReadonlyMap<string, string> {
  const paths = place.git('ls-tree', '-r', '--name-only', commit, 'views/prod/s').split('\n');
  return new Map(paths.map((path) => [path.replace(/^.*\/|\.sql$/g, ''), place.git('show', `${commit}:${path}`)]));
}

const numberIn = (text: string | undefined) => /(\d+) AS n/.exec(text ?? '')?.[1];

/** Whatever was recorded was so at one moment. */
function requireRealStates(place: Workplace): void {
  for (const commit of place.git('rev-list', 'refs/viewsync/prod').split('\n')) {
    const state = readState(place, commit);
    expect(
      [...state.keys()].filter((name) => name === 'even' || name === 'odd'),
      commit,
    ).toHaveLength(1);
    expect(state.has('still') && state.has('calm') && state.has('left') && state.has('right'), commit).toBe(true);
    expect(numberIn(state.get('right')), commit).toBe(numberIn(state.get('left')));
    expect(state.get('still'), commit).toContain(`s.${state.has('even') ? 'even' : 'odd'}`);
  }
}

describe.each([newestServer().version])('on PostgreSQL %i', (version) => {
  test('while another session creates, renames and drops views all the time, every recorded state was a real one', async () => {
    const place = await openWorkplace({ version });
    await place.database.query(start);
    await place.export();
    const stop = await startUnrest(place, 'changing');
    const outcomes: string[] = [];
    for (let count = 0; count < 4; count++)
      outcomes.push(
        await place.export().then(
          () => 'recorded',
          (error) => error.code ?? String(error),
        ),
      );
    expect(await stop()).toBeGreaterThan(0);
    expect(outcomes).toContain('recorded');
    expect(outcomes.filter((outcome) => outcome !== 'recorded' && outcome !== 'LISTING_MOVED')).toEqual([]);
    requireRealStates(place);
    console.log(`PostgreSQL ${version}: ${outcomes.filter((outcome) => outcome === 'recorded').length} of ${outcomes.length} exports recorded in the unrest`);
    await place.export();
    await expectAgreement(place);
  });

  test('while another session does so without a pause, what it changes is held still for a moment, and recorded', async () => {
    const place = await openWorkplace({ version });
    await place.database.query(start);
    const stop = await startUnrest(place, 'breathless');
    const outcomes: string[] = [];
    for (let count = 0; count < 3; count++)
      outcomes.push(
        await place.export().then(
          () => 'recorded',
          (error) => error.code ?? String(error),
        ),
      );
    await stop();
    console.log(`PostgreSQL ${version}: ${outcomes.filter((outcome) => outcome === 'recorded').length} of 3 exports recorded without a pause`);
    expect(outcomes).toContain('recorded');
    requireRealStates(place);
    await place.export();
    await expectAgreement(place);
  });
});
