import { type ErrorCode, ViewsyncError } from '../errors.ts';

interface KnownFailure {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  /** `$1` stands for the first group of the pattern. */
  readonly message: string;
  readonly suggestions?: readonly string[];
}

/** What git says under LC_ALL=C, most telling first; the texts are those of git 2.30 to 2.50. */
const knownFailures: readonly KnownFailure[] = [
  {
    pattern: /dubious ownership in repository at '([^']*)'/,
    code: 'REPOSITORY_NOT_TRUSTED',
    message: 'git does not trust the repository "$1", because another user owns its folder. Nothing changed.',
    suggestions: ['git config --global --add safe.directory "$1"'],
  },
  {
    pattern: /unknown repository extensions? found:\s*([\w.-]+)|unknown value for '?extensions\.([\w.-]+)|Expected git repo version <= \d+, found (\d+)/i,
    code: 'GIT_FAILED',
    message: 'The repository uses "$1", which this version of git does not know. Nothing was done.',
    suggestions: ['git --version', 'Install a newer git (https://git-scm.com/downloads): sha256 needs 2.29, reftable 2.45.'],
  },
  {
    pattern: /not a git repository/,
    code: 'NOT_A_REPOSITORY',
    message: 'This folder is in no git repository. Nothing was done.',
    suggestions: ['git init', 'viewsync init'],
  },
  {
    pattern: /Please tell me who you are|empty ident name|unable to auto-detect (?:email address|name)|no (?:email|name) was given/,
    code: 'GIT_IDENTITY_MISSING',
    message: 'git does not know who makes the commit: no name or e-mail address is configured. Nothing changed.',
    suggestions: ['git config user.name "Your Name"', 'git config user.email you@example.com'],
  },
  {
    pattern: /No space left on device|Disk quota exceeded|out of disk ?space/i,
    code: 'DISK_FULL',
    message: 'The disk that holds the repository is full, so git could not write. That moved no branch and harmed no file.',
    suggestions: ['Free some space, then run the command again.', 'df -h .'],
  },
  {
    pattern: /Read-only file system|insufficient permission for adding an object|unable to create[^\n]*Permission denied/i,
    code: 'REPOSITORY_READ_ONLY',
    message: 'git may not write to this repository: its file system or its folder is read-only for this user. That moved no branch and harmed no file.',
    suggestions: ['Run it as the user who owns the repository, on a disk that can be written.', 'ls -ld .git'],
  },
  {
    pattern: /^(?:(?!fatal:|error:)([^\n]+)\n)?[^\n]*ref updates aborted by hook/m,
    code: 'GIT_FAILED',
    message: 'The reference-transaction hook of this repository refused that a ref moves ("$1"). That moved no branch.',
    suggestions: ['git config core.hooksPath', 'ls -l .git/hooks/reference-transaction'],
  },
  {
    pattern: /cannot lock ref '([^']*)': (?:is at \w+ but expected \w+|reference already exists|unable to resolve reference|reference is missing)/,
    code: 'BRANCH_MOVED',
    message: 'Someone else moved "$1" in the meantime. Nothing changed.',
    suggestions: ['Run the command again.'],
  },
  {
    pattern: /Unable to create '([^']*\.lock)': File exists/,
    code: 'GIT_BUSY',
    message: 'Another git command is at work in this repository: "$1" exists. Nothing changed.',
    suggestions: ['Try again in a moment; when no git command is running, delete that file.'],
  },
  {
    pattern: /with nonexistent object ([0-9a-f]+)|([0-9a-f]{40,64}) is not a valid object/,
    code: 'GIT_BUSY',
    message: 'The object $1 is missing that was written a moment ago: a "git gc --prune=now" ran at the same time. Nothing changed.',
    suggestions: ['Run the command again.'],
  },
  {
    pattern: /you need to resolve your current index first|unmerged \(/,
    code: 'MERGE_IN_PROGRESS',
    message: 'The index has unresolved conflicts of a merge. Nothing changed.',
    suggestions: ['git status', 'git merge --abort'],
  },
  {
    pattern:
      /Entry '([^']*)' (?:not uptodate|would be overwritten)|(?:Untracked working tree file|Updating the following directories[^\n]*) '([^']*)'|Updating '([^']*)' would lose untracked/,
    code: 'PATH_TAKEN',
    message: 'The file "$1" holds changes of your own that a commit would overwrite. Nothing changed.',
    suggestions: ['Commit, move or discard that file, then run the command again.'],
  },
  {
    pattern: /gpg failed to sign the data|failed to write commit object|user\.signingkey|Couldn't load public key/i,
    code: 'SIGNING_FAILED',
    message: 'The commit could not be signed, and commit.gpgSign asks for that. Nothing changed.',
    suggestions: ['git config user.signingkey', 'git config gpg.format', "git commit-tree -S -m why 'HEAD^{tree}' shows why"],
  },
];

/** Text without the user name and password of URLs in it. */
export function withoutCredentials(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*(?:@[^\s/@]*)*@/gi, '$1');
}

/** The error for what git wrote to stderr; `GIT_FAILED` with git's own words when it is none that is known. */
export function explainFailure(command: string, stderr: string): ViewsyncError {
  const text = withoutCredentials(stderr);
  for (const known of knownFailures) {
    const match = known.pattern.exec(text);
    if (match) return fromKnown(known, match, text);
  }
  const words = telling(text) || 'it gave no reason';
  return new ViewsyncError('GIT_FAILED', {
    message: `"git ${command}" failed: ${words}. That moved no branch.`,
    suggestions: ['git status', 'git fsck', 'Then run the command again.'],
    details: { stderr: text },
  });
}

function fromKnown(known: KnownFailure, match: RegExpExecArray, stderr: string): ViewsyncError {
  const name = match.slice(1).find((group) => group !== undefined) ?? '';
  const fill = (text: string) => text.replaceAll('$1', () => name);
  return new ViewsyncError(known.code, {
    message: fill(known.message).replace(' ("")', ''),
    suggestions: (known.suggestions ?? []).map(fill),
    details: { stderr },
  });
}

/** What a remote's hook or host says to a refusal: `remote: error: GH006: Protected branch update failed`. */
function wordsOfRemote(output: string): string {
  const words = [...output.matchAll(/^remote: (.*?)\s*$/gm)].map((match) => match[1] ?? '').filter((line) => line !== '');
  return words.length === 0 ? '' : ` ("${words.slice(0, 3).join(' ')}")`;
}

// What git says when a program that it runs, to get there or as a hook, has already said why.
const noReason = /^(?:fatal: Could not read from remote repository\.$|error: failed to push some refs)/;

// https://git-scm.com/docs/git-push: where it goes, and what became of each ref.
const isReport = (line: string) => /^(?:To |[ !=*+-]?\s*\[|! )|^Done$/.test(line);

/** The line of git's that says why: a refusal of a remote, else the first that starts with `fatal:` or `error:`, else its first line. */
export function telling(output: string): string {
  const refused = /\[remote rejected\][^\n]*\((?!atomic)([^)\n]*)\)/.exec(output)?.[1];
  if (refused !== undefined) return `${refused}${wordsOfRemote(output)}`;
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const [first = ''] = lines.filter((each) => !isReport(each));
  const said = !noReason.test(first) && lines.some((each) => noReason.test(each)) ? first : undefined;
  const line = said ?? lines.find((each) => /^(?:fatal|error|remote: error):/.test(each)) ?? lines[0] ?? '';
  return line.replace(/^(?:remote: )?(?:fatal|error): /, '').replace(/\.$/, '');
}
