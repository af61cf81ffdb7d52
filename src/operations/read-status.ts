import type { Change } from '../core/change.ts';
import { diffViews } from '../core/compare.ts';
import type { UnprovenDeletion } from '../core/deletions.ts';
import { relationKey } from '../core/relation.ts';
import type { Unreadable } from '../core/snapshot.ts';
import type { SyncState } from '../core/sync.ts';
import type { ViewsyncError } from '../errors.ts';
import type { Project, Target } from '../project.ts';
import type { Progress, Warehouse } from '../warehouses/warehouse.ts';
import { comparePaths, type PathState, type Sources } from './compose-files.ts';
import { describeStaleViews, findStale } from './find-stale.ts';
import { gatherSources, type Recorded, readPosition, requireSameWarehouse, startReading } from './gather-sources.ts';
import { readBoth } from './keep-unseen.ts';
import { liveRef, type Run } from './live-line.ts';
import { type FetchOutcome, fetchLiveLine } from './remote-lines.ts';
import { brokenFiles, viewOf } from './view-files.ts';

export interface ViewStatus {
  readonly view: string;
  readonly path: string;
  readonly state: SyncState;
  /** Whether the file in the work tree is not the committed one. */
  readonly isEdited: boolean;
  /** What differs from git to the warehouse; undefined when nothing does, or a file cannot be read. */
  readonly change: Change | undefined;
}

export interface Status {
  readonly target: string;
  readonly server: string;
  /** Live views in scope. */
  readonly views: number;
  /** Views that are not in sync, and ones in sync whose columns moved with a table. */
  readonly differing: readonly ViewStatus[];
  /** Views that take over the columns of something that has others now, so that the server no longer queries them. */
  readonly stale: readonly { readonly view: string; readonly because: string }[];
  readonly unreadable: readonly Unreadable[];
  readonly broken: readonly { readonly path: string; readonly message: string }[];
  /** The run that was interrupted, or that goes on right now. */
  readonly run?: Run & { readonly isRunning: boolean; readonly holds: 'the state before' | 'the planned state' | 'something between' };
  /** Whether anything was ever exported. */
  readonly isRecorded: boolean;
  /** Recorded views that are not listed any more although nothing proves that they were dropped. */
  readonly unproven: readonly UnprovenDeletion[];
  /** What of the views our role may not see, in sentences; it counts as it was last recorded. */
  readonly unseen: readonly string[];
  readonly remote: FetchOutcome;
}

export interface StatusOptions {
  readonly warehouse: Warehouse;
  readonly progress?: Progress;
}

function describePath({ path, state, live, git, isEdited }: PathState, { dialect, likeness }: Sources): ViewStatus {
  const recorded = viewOf(git);
  const [change] = diffViews(recorded ? [recorded] : [], live ? [live] : [], { dialect, ...likeness });
  const view = live ?? recorded;
  return { view: view ? relationKey(view.name) : path, path, state, isEdited, change };
}

function isWorthTelling({ state, change }: ViewStatus): boolean {
  if (state !== 'in sync') return true;
  const { added = [], removed = [], retyped = [] } = change?.columns ?? {};
  return added.length + removed.length + retyped.length > 0;
}

function whatIsHeld(states: readonly PathState[], sources: Sources): 'the state before' | 'the planned state' | 'something between' {
  // What is not proven to be dropped is none of the states, and it is not there either.
  const isPlanned =
    sources.unproven.length === 0 &&
    states.every(({ path, live }) => {
      const planned = viewOf(sources.tip.views.get(path));
      return live === undefined || planned === undefined ? live === planned : sources.likeness.isAlike(live, planned);
    });
  if (isPlanned) return 'the planned state';
  return sources.dialect.isTransactional ? 'the state before' : 'something between';
}

/** Each `target.json` that cannot be read, with the line of history that holds it. */
function findDamage({ tip, branch }: Recorded, target: Target): Status['broken'] {
  const tell = (error: ViewsyncError | undefined, where: string) =>
    error ? [{ path: `${where}${error.details['path']}`, message: `${where}${error.message} The next export writes it anew.` }] : [];
  return [...tell(branch.damage, ''), ...tell(tip.damage, `${liveRef(target)}:`)];
}

/** Where every view stands between git and the warehouse. Changes nothing. `OTHER_WAREHOUSE`. */
export async function readStatus(project: Project, target: Target, { warehouse, progress }: StatusOptions): Promise<Status> {
  const reading = startReading(project, target, warehouse.dialect);
  const remote = await fetchLiveLine(project, target, 'read');
  const position = await readPosition(reading, { fetched: remote });
  const { recorded, inspection } = await readBoth(reading, position, { warehouse, progress });
  requireSameWarehouse(recorded, inspection.snapshot.description, target);
  const sources = await gatherSources(reading, { recorded, inspection }, { settle: warehouse.settle.bind(warehouse) });
  const states = comparePaths(sources);
  const { interrupted } = recorded.line;
  return {
    target: target.name,
    server: inspection.session.server,
    views: inspection.snapshot.views.length,
    differing: states.map((state) => describePath(state, sources)).filter(isWorthTelling),
    stale: describeStaleViews(await findStale(warehouse, inspection)),
    unreadable: inspection.snapshot.description.unreadable,
    broken: [...brokenFiles(recorded.branch).map(({ path, error }) => ({ path, message: error.message })), ...findDamage(recorded, target)],
    ...(interrupted ? { run: { ...interrupted, isRunning: await warehouse.isBusy(), holds: whatIsHeld(states, sources) } } : {}),
    remote,
    unproven: sources.unproven,
    unseen: inspection.unseen,
    isRecorded: recorded.line.tip !== undefined || recorded.branch.description !== undefined,
  };
}
