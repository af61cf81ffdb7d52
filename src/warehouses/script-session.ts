import type { RelationName } from '../core/relation.ts';
import type { PartSource } from './parts.ts';
import type { StepFailure } from './warehouse.ts';

/** What the server said to a statement of a script that it refused. */
export interface StatementRefusal extends Omit<StepFailure, 'index' | 'isLock'> {
  /** Offset in the statement at which the server saw the fault. */
  readonly offset?: number;
  /** Whether it was refused because of objects that depend on what it changes, so that it may succeed without these. */
  readonly isInTheWay: boolean;
  /** Whether it was refused because something is not there, which code that it runs may need without its naming it. */
  readonly isMissing: boolean;
}

export interface StatementResult {
  readonly milliseconds: number;
  /** Nothing is left of a statement that was refused. */
  readonly refusal?: StatementRefusal;
}

/** A name, and what has it, in words: `view`, `materialized view`, `table`, `sequence`, `type`. */
export interface TakenName extends RelationName {
  readonly by: string;
}

/** What a statement names: every dotted name in it, part by part, as far as it may be the name of an object. */
export type NamedParts = readonly (readonly string[])[];

/**
 * Somebody's script inside our transaction. Its statements run under the settings and the role that a session of its author would have, and
 * that they may change; whatever else the transaction does runs under our own. Waiting for locks, all statements and `Transaction.lock`
 * together take no longer than the lock timeout: then `LockNotGranted` is thrown.
 */
export interface ScriptSession {
  /** Runs one statement. Until the next call it can be taken back. */
  run(sql: string, named: NamedParts): Promise<StatementResult>;
  /** Takes back what the last statement did. */
  takeBack(): Promise<void>;
  /** Views that exist now, out of scope too, by what tells them apart whatever they are called. */
  listViews(): Promise<ReadonlyMap<string, RelationName>>;
  /**
   * Views that depend, directly or not, on what is named: on the named columns and constraints of the named relations alone, or on every
   * named object as a whole. Names without a schema are looked up as the script would.
   */
  findStanding(named: NamedParts, on: 'parts' | 'whole'): Promise<readonly RelationName[]>;
  /** The schemas in which the script's next statement looks for a name without one, in order. Absent where they are not known. */
  path?(): readonly string[];
  /** Tells what a CASCADE takes from views that stay. Absent where nothing is taken along. */
  readonly parts?: PartSource;
  /** The names that something has now, and what has them. */
  findTaken(names: readonly RelationName[]): Promise<readonly TakenName[]>;
}
