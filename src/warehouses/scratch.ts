import type { Step } from '../core/plan.ts';
import type { RelationName } from '../core/relation.ts';
import type { StepFailure, Warehouse } from './warehouse.ts';

/** Something that views need and that is no view, as it can be made anew where nothing is: a table without rows, a function that returns nothing. */
export interface StandIn {
  /** In words, fully named: `table shop.orders`. */
  readonly what: string;
  /** The relation that it stands for, where it stands for one. */
  readonly relation?: RelationName;
  /** `more`: it brings along objects that no other stand-in stands for. */
  readonly brings?: 'more';
  /** `last`: no view needs it, and it may need views. */
  readonly when?: 'last';
  /** May hold several statements, which run together. */
  readonly sql: string;
}

export interface FailedStandIn {
  readonly standIn: StandIn;
  /** In the server's words. */
  readonly because: string;
}

/** A database that is ours alone for a while. */
export interface Scratch {
  /** In words, without credentials. */
  readonly place: string;
  readonly warehouse: Warehouse;
  /** Makes what can be made, in whichever order works; resolves to the rest. */
  furnish(standIns: readonly StandIn[]): Promise<readonly FailedStandIn[]>;
  /** Runs each step, whatever becomes of the others, and takes everything back; resolves to those that failed. */
  rehearse(steps: readonly Step[]): Promise<readonly StepFailure[]>;
  /** Removes the database with everything in it, also under a statement that still runs. Done twice it does nothing. */
  remove(): Promise<void>;
}

/** Where a scratch database is made: on the server itself, on one that is started for it, or wherever it can be. */
export type ScratchPlace = 'server' | 'embedded' | 'automatic';

export interface ScratchRequest {
  readonly options: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly place: ScratchPlace;
  /** Roles that the views name; a server that is started for the purpose gets them. */
  readonly roles: readonly string[];
}
