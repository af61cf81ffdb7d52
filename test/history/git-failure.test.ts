import { chownSync, realpathSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ErrorCode } from '../../src/errors.ts';
import { explainFailure, withoutCredentials } from '../../src/history/git-failure.ts';
import { openHistory } from '../../src/history/open-history.ts';
import { someone, temporaryRepository } from '../support/repository.ts';
import { expectTold } from '../support/told.ts';

test.each([
  ["fatal: Unable to create '/r/.git/index.lock': File exists.\n\nAnother git process seems to be running", 'GIT_BUSY'],
  ["fatal: prepare: cannot lock ref 'refs/heads/main': Unable to create '/r/.git/refs/heads/main.lock': File exists.", 'GIT_BUSY'],
  [`fatal: ${'b8343d8c'.repeat(5)} is not a valid object`, 'GIT_BUSY'],
  [`fatal: prepare: cannot update ref 'refs/viewsync/p': trying to write ref 'refs/viewsync/p' with nonexistent object ${'b8343d8c'.repeat(5)}`, 'GIT_BUSY'],
  ["fatal: prepare: cannot lock ref 'refs/heads/main': is at 1234 but expected 5678", 'BRANCH_MOVED'],
  ["fatal: prepare: cannot lock ref 'refs/heads/main': reference already exists", 'BRANCH_MOVED'],
  ["fatal: prepare: cannot lock ref 'refs/heads/main': unable to resolve reference 'refs/heads/main'", 'BRANCH_MOVED'],
  ['fatal: unknown repository extension found:\n\trefstorage', 'GIT_FAILED'],
  ['fatal: Expected git repo version <= 1, found 2', 'GIT_FAILED'],
  ['no refs today\nfatal: ref updates aborted by hook', 'GIT_FAILED'],
  ['fatal: ref updates aborted by hook', 'GIT_FAILED'],
  ['Author identity unknown\n\n*** Please tell me who you are.', 'GIT_IDENTITY_MISSING'],
  ["fatal: unable to auto-detect email address (got 'root@box.(none)')", 'GIT_IDENTITY_MISSING'],
  ['fatal: empty ident name (for <ada@example.com>) not allowed', 'GIT_IDENTITY_MISSING'],
  ['fatal: write error: No space left on device', 'DISK_FULL'],
  ["fatal: Unable to create '/r/.git/index.lock': Read-only file system", 'REPOSITORY_READ_ONLY'],
  ["fatal: Unable to create '/r/.git/index.lock': Permission denied", 'REPOSITORY_READ_ONLY'],
  ['error: insufficient permission for adding an object to repository database .git/objects', 'REPOSITORY_READ_ONLY'],
  ['error: you need to resolve your current index first', 'MERGE_IN_PROGRESS'],
  ["error: Entry 'v/a.sql' not uptodate. Cannot merge.", 'PATH_TAKEN'],
  ["error: Untracked working tree file 'v/a.sql' would be overwritten by merge.", 'PATH_TAKEN'],
  ["error: Updating 'v/a.sql' would lose untracked files in it", 'PATH_TAKEN'],
  ['error: gpg failed to sign the data', 'SIGNING_FAILED'],
  ['fatal: something new', 'GIT_FAILED'],
  ['', 'GIT_FAILED'],
])('%j is %s', (stderr, code) => {
  expectTold(explainFailure('read-tree', stderr), { code: code as ErrorCode, exitCode: 65, because: /^(git|Another git|The|Someone|"git).*\.$/s, next: /\w/ });
});

test('gives the words of a hook that refuses', () => {
  const refused = 'The reference-transaction hook of this repository refused that a ref moves';
  expect(explainFailure('update-ref', 'no refs today\nfatal: ref updates aborted by hook').message).toBe(`${refused} ("no refs today"). That moved no branch.`);
  expect(explainFailure('update-ref', 'fatal: ref updates aborted by hook').message).toBe(`${refused}. That moved no branch.`);
});

test('names the file that is in the way', () => {
  expect(explainFailure('read-tree', "error: Untracked working tree file 'v/a.sql' would be overwritten by merge.").message).toContain('"v/a.sql"');
});

test.each([
  ["fatal: unable to access 'https://ada:s3cr3t@host/x.git/': no", "fatal: unable to access 'https://host/x.git/': no"],
  ['https://token@host/x and ssh://git@host:22/x', 'https://host/x and ssh://host:22/x'],
  ['https://ada:p@ss@host/x', 'https://host/x'],
  ['mail ada@example.com about https://host/a@b', 'mail ada@example.com about https://host/a@b'],
])('takes user names and passwords out of %j', (text, expected) => {
  expect(withoutCredentials(text)).toBe(expected);
});

const isRoot = process.getuid?.() === 0;

test.skipIf(!isRoot)(
  isRoot ? 'says how to trust a repository of another user' : 'NOT RUN, needs root: says how to trust a repository of another user',
  async () => {
    const directory = temporaryRepository();
    chownSync(directory, 65_534, 65_534);
    chownSync(`${directory}/.git`, 65_534, 65_534);
    await expect(openHistory(directory, someone)).rejects.toMatchObject({
      code: 'REPOSITORY_NOT_TRUSTED',
      message: `git does not trust the repository "${realpathSync(directory)}", because another user owns its folder. Nothing changed.`,
      suggestions: [`git config --global --add safe.directory "${directory}"`],
    });
  },
);
