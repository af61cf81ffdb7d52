import { Errors, Flags } from '@oclif/core';
import { type HazardName, hazardNames } from '../core/plan.ts';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000 };

/** `5s`, `250ms`, `1min` or milliseconds. */
async function parseDuration(text: string): Promise<number> {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|min)?$/.exec(text.trim()) ?? [];
  const milliseconds = Number(amount) * (units[unit ?? 'ms'] ?? Number.NaN);
  if (Number.isInteger(milliseconds) && milliseconds > 0) return milliseconds;
  throw new Errors.CLIError(`"${text}" is not a duration; write 5s, 250ms or 1min.`);
}

export const selectionFlags = {
  select: Flags.string({
    char: 's',
    summary: 'Only these views: a name or glob such as shop.*, with + for what it reads (+shop.a) or what reads it (shop.a+), and @ for both.',
    helpValue: 'VIEWS',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    env: 'VIEWSYNC_SELECT',
  }),
  exclude: Flags.string({
    summary: 'Leave these views out; written as for --select.',
    helpValue: 'VIEWS',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    env: 'VIEWSYNC_EXCLUDE',
  }),
};

export const allowFlag = {
  allow: Flags.option({
    options: hazardNames as readonly HazardName[] as HazardName[],
    multiple: true,
    multipleNonGreedy: true,
    summary: 'Go on in spite of this hazard.',
    helpValue: 'HAZARD',
  })(),
};

export const overwriteFlag = {
  overwrite: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'VIEW',
    summary: 'In a conflict over this view, the side that the command takes from wins.',
  }),
};

export const planFlags = {
  ...selectionFlags,
  ...allowFlag,
  prune: Flags.boolean({ summary: 'Also drop views that the revision does not have.' }),
};

export const pushFlags = {
  push: Flags.boolean({ summary: 'Push the branch and the live line, in one push.', env: 'VIEWSYNC_PUSH' }),
  branch: Flags.string({ summary: 'Branch to push to when HEAD is detached.', helpValue: 'NAME', dependsOn: ['push'], env: 'VIEWSYNC_BRANCH' }),
};

export const applyFlags = {
  yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  'lock-timeout': Flags.custom<number>({ parse: parseDuration })({
    summary: 'Longest wait for a lock, such as 5s (the default) or 250ms; then everything is let go and tried again.',
    helpValue: 'DURATION',
    env: 'VIEWSYNC_LOCK_TIMEOUT',
  }),
  verify: Flags.boolean({ default: true, allowNo: true, summary: 'Read back what was changed and compare, before it is committed.' }),
  refresh: Flags.option({ options: ['inside', 'later'] as const })({
    summary: 'When materialized views that were made again are filled: inside of the transaction, or after it, so that readers of the other views do not wait.',
    default: 'inside',
    env: 'VIEWSYNC_REFRESH',
  }),
  'keep-going': Flags.boolean({
    summary: 'Where a warehouse has no transactions: after a failed step run those that do not depend on it, and undo nothing.',
    env: 'VIEWSYNC_KEEP_GOING',
  }),
  ...pushFlags,
};

/** What `apply` and `migrate` do with views that no longer fit the tables. */
export const skipBrokenFlag = {
  'skip-broken': Flags.boolean({ summary: 'Leave out views that no longer fit the tables; they stay in git, and the exit code is 3.' }),
};

const { yes, 'lock-timeout': lockTimeout, verify } = applyFlags;

export const migrateFlags = {
  yes,
  'lock-timeout': lockTimeout,
  verify,
  ...pushFlags,
  ...skipBrokenFlag,
  'dry-run': Flags.boolean({ summary: 'Rehearse all of it in a transaction that is rolled back, and print every statement.', env: 'VIEWSYNC_DRY_RUN' }),
};

export const scriptFlag = {
  sql: Flags.boolean({ summary: 'Print one ordered SQL script instead.', env: 'VIEWSYNC_SQL' }),
};

export const exitCodeFlag = {
  'exit-code': Flags.boolean({ summary: 'Exit with 1 when there are differences.', env: 'VIEWSYNC_EXIT_CODE' }),
};

interface PushFlags {
  readonly push: boolean;
  readonly branch?: string | undefined;
}

/** What the flags about pushing ask of an operation. */
export function pushOptions({ push, branch }: PushFlags) {
  return { push: push ? ('push' as const) : ('keep' as const), ...(branch === undefined ? {} : { pushedBranch: branch }) };
}

interface PlanFlags {
  readonly select?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly allow?: readonly HazardName[] | undefined;
  readonly overwrite?: readonly string[] | undefined;
  readonly prune: boolean;
}

/** What the flags of `plan`, `apply` and `rollback` ask of an operation. */
export function planOptions({ select = [], exclude = [], allow = [], overwrite = [], prune }: PlanFlags) {
  const allowed: readonly HazardName[] = prune ? [...allow, 'DELETES_VIEW'] : allow;
  return { select, exclude, allowed, overwrite, absent: prune ? ('drop' as const) : ('keep' as const) };
}
