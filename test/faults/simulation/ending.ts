import { expect } from 'vitest';
import { readOnlyHistory } from '../../../src/history/read-only-history.ts';
import { startReading } from '../../../src/operations/gather-sources.ts';
import { brokenFiles, readCommitFiles, snapshotOf } from '../../../src/operations/view-files.ts';
import { postgresDialect } from '../../../src/warehouses/postgres/dialect.ts';
import { describeCatalog } from '../../support/catalog-comparison.ts';
import type { Workplace } from '../../support/workplace.ts';
import { pull } from './colleagues.ts';
import type { LiveState, World } from './nights.ts';

/** A person ends every open question in favour of the database, and everything is pushed. */
export async function settleEverything({ place }: World): Promise<void> {
  pull(place.directory);
  await place.export();
  place.git('rm', '-r', '--quiet', '--ignore-unmatch', 'views');
  place.git('checkout', 'refs/viewsync/prod', '--', 'views');
  place.git('commit', '--quiet', '--allow-empty', '--message', 'Take what is live');
  place.git('push', '--quiet', 'origin', 'main');
  await place.export({ push: 'push' });
  place.git('push', '--quiet', 'origin', 'main', 'refs/viewsync/*:refs/viewsync/*');
}

/** Each state that was live is found by its commit and applied, and the catalog is what it was then. */
export async function expectEveryStateBack(place: Workplace, states: readonly LiveState[]): Promise<void> {
  for (const { commit, catalog } of states) {
    await place.apply(commit, { absent: 'drop', allowed: ['DELETES_VIEW', 'REBUILDS_MATERIALIZED_VIEW', 'MANY_DELETIONS', 'WIDENS_ACCESS'] });
    expect(await describeCatalog(place.database.url), commit).toEqual(catalog);
  }
}

/** Both readers read the commits of the repository to the same commit and the same Snapshot, all of them or so many that are spread evenly; how many it has. */
export async function expectSameSnapshots({ directory, project, target }: Workplace, count: number): Promise<number> {
  const { history } = project;
  const other = await readOnlyHistory(directory);
  const reading = startReading(project, target, postgresDialect);
  const otherReading = { ...reading, project: { ...project, history: other } };
  const ids = await listAll(project);
  for (const id of sample(ids, count)) {
    expect(await other.reader.readCommit(id)).toEqual(await history.reader.readCommit(id));
    const [ours, theirs] = await Promise.all([readCommitFiles(reading, id), readCommitFiles(otherReading, id)]);
    expect([...theirs.views.keys()].sort()).toEqual([...ours.views.keys()].sort());
    // A merge of two edits by lines may leave what is no view file.
    expect(brokenFiles(theirs)).toEqual(brokenFiles(ours));
    if (!ours.description || brokenFiles(ours).length > 0) continue;
    expect(snapshotOf(theirs, { from: 'commit', commit: id }, target)).toEqual(snapshotOf(ours, { from: 'commit', commit: id }, target));
  }
  return ids.length;
}

/** So many of them, spread evenly. */
export function sample<T>(items: readonly T[], count: number): readonly T[] {
  return items.filter((_, index) => index % Math.max(1, Math.ceil(items.length / count)) === 0);
}

async function listAll({ history }: Workplace['project']): Promise<readonly string[]> {
  const tips = await Promise.all(['refs/heads/main', 'refs/viewsync/prod'].map((ref) => history.tip(ref)));
  const ids = new Set<string>();
  for (const from of tips) if (from !== undefined) for await (const { id } of history.reader.listCommits({ from })) ids.add(id);
  return [...ids];
}
