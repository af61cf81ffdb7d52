import { spawn } from 'node:child_process';
import { askGit, gitEnvironment } from './git-process.ts';
import type { ObjectId, RecordRequest } from './history.ts';
import { moveRef, placeOf } from './move-ref.ts';
import type { Repository } from './repository.ts';
import { writeCommit } from './write-commit.ts';

/** `History.record`: write the commit, then move the ref to it with index and work tree. */
export async function record(repository: Repository, request: RecordRequest): Promise<ObjectId> {
  const commit = await writeCommit(repository, request);
  const reason = `viewsync: ${request.message.split('\n')[0]}`;
  await moveRef(repository, { ref: request.ref, to: commit, from: request.parent, reason });
  if (request.changes.size > 0) collectGarbage(repository);
  return commit;
}

/** `History.requireRecordable`. */
export async function requireRecordable(repository: Repository, ref: string): Promise<void> {
  await placeOf(repository, ref);
  await askGit(repository, ['var', 'GIT_COMMITTER_IDENT']);
}

const collected = new WeakSet<Repository>();

/** fast-import never packs what has gathered; git decides whether it is time, and does it in the background. Once in a run is enough. */
function collectGarbage(repository: Repository): void {
  if (collected.has(repository)) return;
  collected.add(repository);
  const options = { cwd: repository.directory, env: gitEnvironment(repository.environment), detached: true, stdio: 'ignore' } as const;
  const child = spawn('git', ['gc', '--auto', '--quiet'], options);
  child.on('error', () => undefined);
  child.unref();
}
