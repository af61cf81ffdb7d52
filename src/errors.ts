/** Exit codes of the command line; `docs/scripting.md` lists them for people. */
export const exitCodes = {
  differs: 1,
  partlyApplied: 2,
  needsPerson: 3,
  usage: 64,
  history: 65,
  unavailable: 69,
  internal: 70,
  tryAgain: 75,
  config: 78,
  interrupted: 130,
} as const;

/** Every code an error can carry, with its exit code. A code is permanent: scripts match on it. */
const errorCodes = {
  STEP_FAILED: exitCodes.partlyApplied,
  CONFLICT: exitCodes.needsPerson,
  HAZARD: exitCodes.needsPerson,
  OTHER_WAREHOUSE: exitCodes.needsPerson,
  MANY_DELETIONS: exitCodes.needsPerson,
  UNREADABLE_VIEW: exitCodes.needsPerson,
  INTERRUPTED_RUN: exitCodes.needsPerson,
  NOT_CONFIRMED: exitCodes.needsPerson,
  PRIVILEGE_MISSING: exitCodes.needsPerson,
  USAGE: exitCodes.usage,
  NOT_A_REPOSITORY: exitCodes.history,
  REVISION_UNKNOWN: exitCodes.history,
  REVISION_AMBIGUOUS: exitCodes.history,
  TARGET_NOT_IN_REVISION: exitCodes.history,
  SHALLOW_HISTORY: exitCodes.history,
  GIT_MISSING: exitCodes.history,
  GIT_IDENTITY_MISSING: exitCodes.history,
  GIT_FAILED: exitCodes.history,
  GIT_BUSY: exitCodes.history,
  MERGE_IN_PROGRESS: exitCodes.history,
  SIGNING_FAILED: exitCodes.history,
  DISK_FULL: exitCodes.history,
  REPOSITORY_READ_ONLY: exitCodes.history,
  REPOSITORY_NOT_TRUSTED: exitCodes.history,
  BRANCH_MOVED: exitCodes.history,
  BRANCH_ELSEWHERE: exitCodes.history,
  PATH_TAKEN: exitCodes.history,
  FILE_UNREADABLE: exitCodes.history,
  FILE_MISPLACED: exitCodes.history,
  FORMAT_TOO_NEW: exitCodes.history,
  VIEW_UNKNOWN: exitCodes.history,
  NOTHING_TO_ROLL_BACK: exitCodes.history,
  NOTHING_TO_CONTINUE: exitCodes.history,
  PLAN_IMPOSSIBLE: exitCodes.history,
  RELATION_UNKNOWN: exitCodes.history,
  SCRIPT_REFUSED: exitCodes.history,
  SCRIPT_FAILED: exitCodes.history,
  VIEW_MISFIT: exitCodes.history,
  CONNECTION_FAILED: exitCodes.unavailable,
  CONNECTION_LOST: exitCodes.unavailable,
  LISTING_INCOMPLETE: exitCodes.unavailable,
  LISTING_MOVED: exitCodes.unavailable,
  QUERY_FAILED: exitCodes.unavailable,
  REMOTE_FAILED: exitCodes.unavailable,
  REMOTE_MOVED: exitCodes.unavailable,
  SERVER_MISSING: exitCodes.unavailable,
  DRIVER_MISSING: exitCodes.unavailable,
  PATH_UNSAFE: exitCodes.internal,
  INTERNAL: exitCodes.internal,
  LOCK_TIMEOUT: exitCodes.tryAgain,
  RUN_IN_PROGRESS: exitCodes.tryAgain,
  WAREHOUSE_MOVED: exitCodes.tryAgain,
  ROLLED_BACK: exitCodes.tryAgain,
  CONFIG_INVALID: exitCodes.config,
  CONFIG_MISSING: exitCodes.config,
  VARIABLE_UNSET: exitCodes.config,
  INTERRUPTED: exitCodes.interrupted,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorContent {
  /** Whole sentences: what happened, why, and what state things are in. */
  readonly message: string;
  /** What to type next, most likely first. */
  readonly suggestions?: readonly string[];
  readonly cause?: unknown;
  /** Data for `--json`; never a credential. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The only error that viewsync raises on purpose. */
export class ViewsyncError extends Error {
  override readonly name = 'ViewsyncError';
  readonly code: ErrorCode;
  readonly exitCode: number;
  readonly suggestions: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, content: ErrorContent) {
    super(content.message, { cause: content.cause });
    this.code = code;
    this.exitCode = errorCodes[code];
    this.suggestions = content.suggestions ?? [];
    this.details = content.details ?? {};
  }
}
