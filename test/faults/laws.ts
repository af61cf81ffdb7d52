import { execFileSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Status } from '../../src/operations/read-status.ts';
import { someone } from '../support/repository.ts';
import type { Workplace } from '../support/workplace.ts';

/** Raises when the repository is damaged in any way that git knows of. */
export function requireSound(directory: string): void {
  execFileSync('git', ['fsck', '--strict', '--no-dangling', '--no-progress'], { cwd: directory, env: someone, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** The status once the server has noticed that a run was killed, which takes it a moment. */
export async function statusAfterKill(place: Workplace): Promise<Status> {
  for (;;) {
    const status = await place.status();
    if (!status.run?.isRunning) return status;
    await wait(50);
  }
}

/**
 * What must be so once nothing is going on any more: branch, live line and database agree, no run is left open, another export finds
 * nothing to do, and the repository is sound and clean.
 */
export async function expectAgreement(place: Workplace): Promise<void> {
  const status = await place.status();
  expect(status).toMatchObject({ differing: [], broken: [], unreadable: [] });
  expect(status.run).toBeUndefined();
  const again = await place.export();
  expect([again.commit, again.live]).toEqual([undefined, undefined]);
  expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  expect(place.git('rev-parse', 'HEAD:views')).toBe(place.git('rev-parse', 'refs/viewsync/prod:views'));
  expect(place.git('status', '--porcelain')).toBe('');
  requireSound(place.directory);
}
