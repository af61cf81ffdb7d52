import type { RowSecurity } from '../core/access.ts';
import type { Dialect, RenamedColumn } from '../core/dialect.ts';
import type { Reads } from '../core/graph.ts';
import type { Step } from '../core/plan.ts';
import type { Powers } from '../core/powers.ts';
import type { RelationName } from '../core/relation.ts';
import type { Container, Loss, Scope, Snapshot, Unreadable } from '../core/snapshot.ts';
import type { Column, View } from '../core/view.ts';
import type { PartSource } from './parts.ts';
import type { Scratch, ScratchRequest, StandIn } from './scratch.ts';
import type { ScriptSession } from './script-session.ts';
import type { StaleViews } from './standing.ts';

/** Told while something long runs; `total` is absent as long as it is not known. */
export type Progress = (event: { readonly what: string; readonly done: number; readonly total?: number }) => void;

/** Who we are on the server and what it holds beside views. */
export interface Session {
  readonly role: string;
  /** Whether no privilege check can stop us. */
  readonly isSuperuser: boolean;
  /** Every role that exists, sorted. */
  readonly roles: readonly string[];
  /** How many locks one transaction can count on; undefined where the warehouse has no such limit. */
  readonly lockLimit?: number;
  readonly rowSecurity: RowSecurity;
  /** Absent where nothing is denied to our role, or nothing is known of it. */
  readonly powers?: Powers;
  /** What may refuse a statement of ours for reasons of its own, such as an event trigger: each in whole sentences, with what to do about it. */
  readonly watchers?: readonly string[];
  /** How the server calls the routines that these run, as in `StepFailure.context`. */
  readonly watching?: readonly string[];
  /** In words, for people: "PostgreSQL 15.18". */
  readonly server: string;
}

/** What inspecting found, proven complete. Views outside the scope are in `outside`: the closure of a drop must see them. */
export interface Inspection {
  /** Views in scope, sorted; unreadable ones are not among them but in `description.unreadable`. */
  readonly snapshot: Snapshot;
  /** Views that are out of scope, readable or not, as far as needed to see who depends on whom. */
  readonly outside: readonly View[];
  /** What watches a view and stops working when that is replaced or dropped; absent where there are no such things. */
  readonly streams?: readonly Loss[];
  /** Views, out of scope too, that take over the columns of something that was changed after they were made. */
  readonly suspects?: readonly View[];
  readonly session: Session;
  /** Every name that a relation has, sorted keys as in `relationKey`: what a new view would collide with or may read. */
  readonly relations: ReadonlySet<string>;
  /** What has a name that no view can be given, in words such as `sequence` and `type`, by `relationKey`. Absent where only relations stand in each other's way. */
  readonly occupied?: ReadonlyMap<string, string>;
  /** The partitions of a table and what inherits from it, by `relationKey`: what changes the table changes them. Absent where nothing inherits. */
  readonly heirs?: Reads;
  /** Rough size in bytes of each materialized view, by `relationKey`. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly milliseconds: number;
  readonly queries: number;
}

/**
 * A definition to be settled. `wanted` is described: which columns it has, and how the server prints it. When `live` is given the
 * two are compared, with the texts of the dialect's `printedKinds`; otherwise `wanted` is only described, for the sake of others that read it.
 */
export interface SettleRequest {
  readonly wanted: View;
  readonly live?: View;
}

/** What the server says of a wanted definition, and which texts of what belongs to the view it holds for the same: the wanted one and the live one. */
export type Settled = Answer & { readonly equivalents?: readonly (readonly [wanted: string, live: string])[] };

type Answer =
  /** Both texts are the same view. */
  | { readonly outcome: 'same'; readonly columns: readonly Column[] }
  /** They differ; `renamed` is set when the only difference is that output columns have other names. */
  | { readonly outcome: 'different'; readonly columns: readonly Column[]; readonly renamed?: readonly RenamedColumn[] }
  /** The server refuses the wanted text as things stand, for example because a column is gone. */
  | { readonly outcome: 'refused'; readonly because: string }
  /** It could not be found out: no right to create a temporary view, a standby. */
  | { readonly outcome: 'unproven'; readonly because: string };

/** A lock that was not granted in time, and who has it. */
export interface Denied {
  readonly view?: RelationName;
  /** What had to be locked, for people. */
  readonly what: string;
  readonly holder?: string;
}

/** Thrown inside a transaction to have it rolled back and, as long as there are attempts left, begun again. */
export class LockNotGranted extends Error {
  override readonly name = 'LockNotGranted';
  readonly denied: Denied;

  constructor(denied: Denied) {
    super(`${denied.what} could not be locked in time`);
    this.denied = denied;
  }
}

export interface TransactionOptions {
  /** Longest wait for a lock, in milliseconds; readers of the views never queue behind us longer. */
  readonly lockTimeout: number;
  /** How often to start over after a lock was not granted, waiting in between with nothing locked. */
  readonly attempts: number;
  /** Existing views that will be changed, and bystanders, whose tables will be; all are locked before the first statement, or the transaction is rolled back and tried again. */
  readonly locks: readonly View[];
  readonly onWait?: (event: { readonly view?: RelationName; readonly attempt: number; readonly holder?: string }) => void;
  /** Awaited in every attempt once no other run can start and before anything is locked; what it throws rolls back. */
  readonly prepare?: () => Promise<void>;
  /**
   * Aborted: nothing is waited for any longer, not for locks and not between two attempts at a request; where DDL is transactional the
   * statement that runs is cancelled and everything rolled back. A commit is never cut short.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Steps that were answered together share the time. */
export type StepResult = { readonly milliseconds: number };

/** A failed step: which one and what the server said. Raised by `Transaction.execute`; everything is rolled back where DDL is transactional. */
export interface StepFailure {
  readonly index: number;
  readonly message: string;
  /** The vendor's code: an SQLSTATE. */
  readonly code?: string;
  readonly detail?: string;
  readonly hint?: string;
  /** Which code of its own the server ran when it failed, as text; absent when the statement itself was refused. */
  readonly context?: string;
  /** Set when the answer never came: the statement may have taken effect. */
  readonly isUncertain?: true;
  /** Whether a lock was not granted in time, so that the whole transaction may succeed another time. */
  readonly isLock?: boolean;
}

export type ExecuteOutcome = { readonly results: readonly StepResult[]; readonly failure?: StepFailure };

/** Inside one transaction that holds the run's advisory lock and the locks asked for. */
export interface Transaction {
  /** The named views as they are now, inside the transaction; absent ones are left out. */
  inspect(names: readonly RelationName[]): Promise<readonly View[]>;
  /** Everything that hangs on a view now and is none, out of scope too. Absent where nothing does. */
  listBystanders?(): Promise<readonly View[]>;
  /** As on the warehouse, inside this transaction; leaves nothing behind. */
  settle(requests: readonly SettleRequest[]): Promise<ReadonlyMap<string, Settled>>;
  /** Runs the steps in order, byte for byte, pipelined; stops at the first failure, which is returned and not thrown. */
  execute(steps: readonly Step[], onStep?: (index: number) => void): Promise<ExecuteOutcome>;
  /** The views among these that can no longer be queried, with the reason. Absent where the server refuses to leave one in that state. */
  findBroken?(names: readonly RelationName[]): Promise<readonly Unreadable[]>;
  /** What only a transaction can do; absent where DDL is not transactional. */
  readonly atomic?: AtomicTransaction;
}

/** The part of a transaction that needs savepoints. */
export interface AtomicTransaction {
  /** Takes more locks, as `TransactionOptions.locks`. Throws `LockNotGranted`. */
  lock(names: readonly RelationName[]): Promise<void>;
  /** Runs `work`, of which nothing is left when it throws. */
  attempt<T>(work: () => Promise<T>): Promise<T>;
  /** Begins the script of this transaction. Called once. */
  openScript(): Promise<ScriptSession>;
}

/** Something that a role may not do. */
export interface Finding {
  /** A whole sentence that says what it is needed for. */
  readonly found: string;
  /** The statement that permits it, or what to do without. */
  readonly suggestions: readonly string[];
}

/** A live connection to one warehouse. Errors are `ViewsyncError`s; none holds a credential. */
export interface Warehouse {
  readonly dialect: Dialect;
  /**
   * Reads everything in scope in a constant number of queries plus one per hundred definitions, inside one read-only snapshot,
   * then proves that nothing moved meanwhile (three rounds, else `LISTING_MOVED`). Changes nothing.
   */
  inspect(scope: Scope, progress?: Progress): Promise<Inspection>;
  /** Asks the server about definitions in a transaction that is rolled back; keyed by `relationKey`. Takes shared locks only. Changes nothing. */
  settle(requests: readonly SettleRequest[]): Promise<ReadonlyMap<string, Settled>>;
  /**
   * Does `work` while no other run can change the warehouse: from before a run is recorded until its end is. Absent where nothing can keep
   * others away. `RUN_IN_PROGRESS`.
   */
  runAlone?<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Runs `work` in one transaction: committed when it returns, rolled back when it throws, and where that is `LockNotGranted` begun again as
   * long as there are attempts left. Where DDL is not transactional what was executed stays, and a statement that fails leaves nothing behind.
   * `RUN_IN_PROGRESS` when another run is at work, `LOCK_TIMEOUT` when the locks were not granted in any attempt.
   */
  transact<T>(options: TransactionOptions, work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Which of these views can no longer be queried, since what they read has changed. Absent where a view follows what it reads. Changes nothing. */
  findStale?(views: readonly View[]): Promise<StaleViews>;
  /** Tells what somebody else's CASCADE takes from views that stay. Absent where nothing is taken along. */
  readonly parts?: PartSource;
  /** Whether another run is at work now. */
  isBusy(): Promise<boolean>;
  /** What the server's clock shows, and what our role may not do that an export, an apply, a migration or a drill would need. Changes nothing. */
  examine(): Promise<{ readonly clock: Date; readonly findings: readonly Finding[] }>;
  /** Who last changed these views, by `relationKey`, where the warehouse knows; absent where none of the kind does. Asked only for views that changed. */
  findAuthors?(names: readonly RelationName[]): Promise<ReadonlyMap<string, string>>;
  /** The containers with what relations created in them get by default, where `inspect` leaves that open. Asked before a plan that creates something in them. */
  findDefaults?(containers: readonly Container[]): Promise<readonly Container[]>;
  /**
   * What views may need beside views, each as statements that make it anew, empty: the drill builds a scratch database from it. `held` are the
   * views that are made otherwise. A constant number of queries. Absent where nothing can be drilled. Changes nothing.
   */
  listStandIns?(held: readonly RelationName[]): Promise<readonly StandIn[]>;
  close(): Promise<void>;
}

/** Who connects, such as the command `apply`: where the warehouse keeps a tag or label with each statement, it says so. */
export interface Caller {
  readonly command: string;
}

/** What the registry lists for each kind of warehouse. */
export interface Adapter {
  readonly dialect: Dialect;
  /** Packages that those install beside viewsync who use it; absent where none is needed. */
  readonly drivers?: readonly string[];
  /** Validates the target's own keys of `viewsync.yaml`; returns one message per fault, each with the key's path. */
  validateOptions(options: Readonly<Record<string, unknown>>): readonly { readonly path: readonly string[]; readonly message: string }[];
  /** Opens a connection; `CONNECTION_FAILED` names the line to change and never a password. */
  connect(options: Readonly<Record<string, unknown>>, environment: Readonly<Record<string, string | undefined>>, caller?: Caller): Promise<Warehouse>;
  /** Makes a scratch database and connects to it; what earlier ones left behind is removed first. `PRIVILEGE_MISSING`, `SERVER_MISSING`, `CONNECTION_FAILED`. */
  openScratch?(request: ScratchRequest): Promise<Scratch>;
}
