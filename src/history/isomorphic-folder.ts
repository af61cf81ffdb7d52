import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { ViewsyncError } from '../errors.ts';
import type { Head } from './history.ts';

/** A repository as its files show it, where no git can be asked. */
export interface RepositoryFiles {
  /** With the HEAD of this work tree. */
  readonly gitDirectory: string;
  /** With objects and refs: differs from `gitDirectory` in a linked work tree. */
  readonly commonDirectory: string;
  readonly root: string | undefined;
  readonly prefix: string;
}

/** The repository that a folder belongs to (https://git-scm.com/docs/gitrepository-layout). `NOT_A_REPOSITORY`. */
export function findRepositoryFiles(directory: string): RepositoryFiles {
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git'))) return describe(linkTarget(join(folder, '.git')), folder, directory);
    if (isGitDirectory(folder)) return describe(folder, undefined, directory);
    if (dirname(folder) === folder) throw notARepository(directory);
  }
}

/** What HEAD holds; the commit as it stands there, if it is detached. */
export function readHeadFile(files: RepositoryFiles): Head {
  const text = readFileSync(join(files.gitDirectory, 'HEAD'), 'utf8').trim();
  return text.startsWith('ref: ') ? { branch: text.slice('ref: '.length).trim() } : { commit: text };
}

/** The commits whose parents a shallow clone lacks. */
export function readGrafts(files: RepositoryFiles): ReadonlySet<string> {
  const path = join(files.commonDirectory, 'shallow');
  return new Set(existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []);
}

function describe(gitDirectory: string, root: string | undefined, directory: string): RepositoryFiles {
  const pointer = join(gitDirectory, 'commondir');
  const commonDirectory = existsSync(pointer) ? resolve(gitDirectory, readFileSync(pointer, 'utf8').trim()) : gitDirectory;
  refuseUnreadable(commonDirectory);
  const prefix = root === undefined ? '' : relative(root, resolve(directory)).replaceAll('\\', '/');
  return { gitDirectory, commonDirectory, root, prefix };
}

/** A linked work tree and a submodule have a file `.git` that says where their git directory is. */
function linkTarget(path: string): string {
  if (statSync(path).isDirectory()) return path;
  return resolve(
    dirname(path),
    readFileSync(path, 'utf8')
      .replace(/^gitdir: /, '')
      .trim(),
  );
}

function isGitDirectory(folder: string): boolean {
  return ['HEAD', 'objects', 'refs'].every((name) => existsSync(join(folder, name)));
}

/** Ids and refs that are kept in other ways than the library knows. */
const unreadable: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['sha256', /^\s*objectformat\s*=\s*"?sha256\b/im],
  ['reftable', /^\s*refstorage\s*=\s*"?reftable\b/im],
];

function refuseUnreadable(commonDirectory: string): void {
  const config = readFileSync(join(commonDirectory, 'config'), 'utf8');
  const isBorrowing = existsSync(join(commonDirectory, 'objects/info/alternates'));
  const found = unreadable.find(([, pattern]) => pattern.test(config))?.[0] ?? (isBorrowing ? 'objects of another one (objects/info/alternates)' : undefined);
  if (found === undefined) return;
  const message = `This repository uses ${found}, which can only be read with git itself, and there is no git command on this machine. Nothing was done.`;
  throw new ViewsyncError('GIT_MISSING', { message, suggestions: ['Install git (https://git-scm.com/downloads).'] });
}

function notARepository(directory: string): ViewsyncError {
  const message = `The folder "${directory}" is in no git repository. Nothing was done.`;
  return new ViewsyncError('NOT_A_REPOSITORY', { message, suggestions: ['git init', 'viewsync init'] });
}
