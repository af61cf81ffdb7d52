import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ViewsyncError } from '../errors.ts';
import { hasLine } from './commit-text.ts';
import { askGit } from './git-process.ts';
import { logCommits } from './git-reader.ts';
import type { Commit, ObjectId, Trailer } from './history.ts';
import type { Repository } from './repository.ts';

export interface CarrierSearch {
  readonly from: ObjectId;
  readonly line: Trailer;
}

/** `History.listCarriers`, git handing over only the commits whose message has such a line. */
export async function* listCarriers(repository: Repository, { from, line }: CarrierSearch): AsyncGenerator<Commit> {
  const value = line.value.replaceAll(/[^\w-]/g, '\\$&');
  const filter = ['--extended-regexp', '--regexp-ignore-case', `--grep=^[ \t]*${line.key}[ \t]*:[ \t]*${value}[ \t\r]*$`];
  const carriers = onlyCarriers(logCommits(repository, [...filter, '--end-of-options', from]), line);
  try {
    const first = await carriers.next();
    if (first.done) {
      if (await endsAtGraft(repository, from)) throw shallowHistory(line.key);
      return;
    }
    yield first.value;
    yield* carriers;
  } finally {
    // Whoever has found enough stops at the first: git would wait for a reader for ever, and our process for git.
    await carriers.return(undefined);
  }
}

/** The commits whose message has the line. */
export async function* onlyCarriers(commits: AsyncIterable<Commit>, line: Trailer): AsyncGenerator<Commit> {
  for await (const commit of commits) if (hasLine(commit, line)) yield commit;
}

async function endsAtGraft(repository: Repository, from: ObjectId): Promise<boolean> {
  const file = resolve(repository.directory, await askGit(repository, ['rev-parse', '--git-path', 'shallow']));
  if (!existsSync(file)) return false;
  const grafts = new Set((await readFile(file, 'utf8')).split('\n'));
  const roots = await askGit(repository, ['rev-list', '--max-parents=0', '--end-of-options', from]);
  return roots.split('\n').some((root) => grafts.has(root));
}

/** The refusal to take a history that was cut off for one that has no such commit. */
export function shallowHistory(key: string): ViewsyncError {
  return new ViewsyncError('SHALLOW_HISTORY', {
    message: `No commit with the trailer "${key}" was found, but this is a shallow clone: its history was cut off before one came. Nothing changed.`,
    suggestions: ['git fetch --unshallow', 'In a GitHub workflow, give actions/checkout "fetch-depth: 0".'],
  });
}
