import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { git, temporaryFolder } from '../../support/repository.ts';
import { openWorkplace } from '../../support/workplace.ts';
import { expectAgreement, requireSound } from '../laws.ts';
import { tables } from './drift.ts';
import { expectEveryStateBack, expectSameSnapshots, sample, settleEverything } from './ending.ts';
import { remember, spendNight, type World } from './nights.ts';
import { createRandom } from './random.ts';

// Set by `npm run simulate -- --nights 365 --seed 7`.
const nights = Number(process.env['VIEWSYNC_NIGHTS'] ?? 30);
const seed = Number(process.env['VIEWSYNC_SEED'] ?? 7);

// A month in every run of the tests looks at some of the states and commits; a year looks at each.
const [states, commits] = nights > 31 ? [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] : [8, 20];

async function openWorld(): Promise<World> {
  const folder = temporaryFolder();
  const [remote, machine, colleague] = ['remote.git', 'machine', 'colleague'].map((name) => join(folder, name)) as [string, string, string];
  git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', remote);
  git(folder, 'clone', '--quiet', remote, machine);
  git(machine, 'checkout', '--quiet', '-B', 'main');
  writeFileSync(join(machine, 'viewsync.yaml'), 'targets:\n  prod:\n    warehouse: postgres\n    url: ${DATABASE_URL}\n');
  git(machine, 'add', '--all');
  git(machine, 'commit', '--quiet', '--message', 'Start');
  git(machine, 'push', '--quiet', '--set-upstream', 'origin', 'main');
  const place = await openWorkplace({ directory: machine });
  await place.database.query(
    `${tables} CREATE VIEW shop.a AS SELECT id, customer FROM shop.orders WHERE id <> 1; CREATE VIEW shop.b AS SELECT id, customer FROM shop.a WHERE id <> 2`,
  );
  await place.export({ push: 'push' });
  git(folder, 'clone', '--quiet', remote, colleague);
  return { place, remote, colleague, random: createRandom(seed), history: [], log: [] };
}

test(
  `after ${nights} nights (seed ${seed}) branch, live line and database agree, and every state that was live comes back`,
  async () => {
    const world = await openWorld();
    const { place, history } = world;
    await remember(world);
    try {
      for (let night = 1; night <= nights; night++) await spendNight(world, night);

      await settleEverything(world);
      await expectAgreement(place);
      expect(git(world.remote, 'rev-parse', 'main', 'refs/viewsync/prod')).toBe(place.git('rev-parse', 'main', 'refs/viewsync/prod'));
      await expectEveryStateBack(place, sample(history, states));
      await expectAgreement(place);
      const count = await expectSameSnapshots(place, commits);
      requireSound(world.remote);
      console.log(`${nights} nights, seed ${seed}: ${history.length} live states, ${count} commits`);
    } catch (error) {
      console.error(world.log.slice(-25).join('\n'));
      throw error;
    }
  },
  Math.max(60, nights) * 60_000,
);
