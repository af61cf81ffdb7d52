import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { git } from '../../support/repository.ts';
import type { Random } from './random.ts';

const isDone = (directory: string, ...args: readonly string[]): boolean => {
  try {
    git(directory, ...args);
    return true;
  } catch {
    return false;
  }
};

function editFile(file: string, random: Random): void {
  if (random.isLucky(0.15)) rmSync(file);
  else writeFileSync(file, readFileSync(file, 'utf8').replace(/<> \d+/, `<> ${random.integer(1000)}`));
}

/** Changes a view file or two, deletes one now and then, and commits. */
function editViews(directory: string, random: Random): void {
  const files = globSync('views/prod/*/*.sql', { cwd: directory }).sort();
  for (let count = Math.min(files.length, 1 + random.integer(2)); count > 0; count -= 1) {
    const file = join(directory, random.pick(files));
    if (existsSync(file)) editFile(file, random);
  }
  if (random.isLucky(0.3)) writeFileSync(join(directory, 'notes.txt'), `${random.integer(1e6)}`);
  git(directory, 'add', '--all');
  git(directory, 'commit', '--quiet', '--allow-empty', '--message', 'A change by hand');
}

const merges: readonly ((directory: string) => void)[] = [
  (directory) => git(directory, 'merge', '--quiet', '--no-ff', '--no-edit', '-X', 'theirs', 'topic'),
  (directory) => {
    git(directory, 'merge', '--quiet', '--squash', '-X', 'theirs', 'topic');
    git(directory, 'commit', '--quiet', '--allow-empty', '--message', 'Squashed');
  },
  (directory) => {
    git(directory, 'rebase', '--quiet', '-X', 'theirs', 'main', 'topic');
    git(directory, 'checkout', '--quiet', 'main');
    git(directory, 'merge', '--quiet', '--ff-only', 'topic');
  },
];

/** Somebody edits views on a branch that may be some nights old, merges it one way or another, and pushes. */
export function workInGit(directory: string, random: Random): void {
  isDone(directory, 'pull', '--quiet', '--rebase', 'origin', 'main');
  const old = `main~${random.integer(3)}`;
  if (!isDone(directory, 'checkout', '--quiet', '-B', 'topic', old)) git(directory, 'checkout', '--quiet', '-B', 'topic', 'main');
  editViews(directory, random);
  const merge = random.pick(merges);
  git(directory, 'checkout', '--quiet', 'main');
  try {
    merge(directory);
  } catch {
    for (const act of ['merge', 'rebase']) isDone(directory, act, '--abort');
    git(directory, 'reset', '--quiet', '--hard');
    git(directory, 'checkout', '--quiet', 'main');
  }
  if (random.isLucky(0.1)) isDone(directory, 'revert', '--no-edit', 'HEAD') || isDone(directory, 'revert', '--abort');
  git(directory, 'push', '--quiet', 'origin', 'main');
}

/** The machine that exports takes over what was pushed; where both changed, what was pushed wins, and a file that one side deleted stays. */
export function pull(directory: string): void {
  if (isDone(directory, 'pull', '--quiet', '--no-rebase', '--no-edit', '-X', 'theirs', 'origin', 'main')) return;
  git(directory, 'add', '--all');
  git(directory, 'commit', '--quiet', '--no-edit');
}
