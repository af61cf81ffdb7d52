import type { Change } from '../core/change.ts';
import { diffViews } from '../core/compare.ts';
import type { Dialect } from '../core/dialect.ts';
import { findReaders, reach } from '../core/graph.ts';
import { readsOf } from '../core/rebuild.ts';
import { compareText, parseRelationKey, relationKey } from '../core/relation.ts';
import { mayName, readScript, type ScriptStatement, type ScriptText } from '../core/script.ts';
import { ViewsyncError } from '../errors.ts';
import type { Project, Target } from '../project.ts';
import type { Inspection } from '../warehouses/warehouse.ts';
import { hangingOf, surroundingsOf } from './detour.ts';
import { migrateStatements } from './migrate-statements.ts';
import { type MigrationOptions, migrateCommand, readBefore, readExported, recordAfter } from './migration.ts';
import type { PlannedRevision } from './plan-revision.ts';
import { prepareRun } from './prepare-run.ts';
import type { RecordedRun, StartedRun } from './record-run.ts';
import { type FetchOutcome, fetchLiveLine } from './remote-lines.ts';
import { runScript, type ScriptOutcome } from './run-script.ts';
import type { BrokenView, MigrationAct } from './running-script.ts';
import { undisturbed } from './undisturbed.ts';

/** What a migration may touch, before it is run. */
export interface Foresight {
  readonly target: string;
  readonly statements: readonly Pick<ScriptStatement, 'file' | 'line' | 'statement'>[];
  /** Views that read what the script changes, directly or not; only those that the server insists on are dropped. */
  readonly readers: readonly { readonly view: string; readonly kind: string; readonly bytes?: number }[];
}

export interface ScriptMigrationOptions extends MigrationOptions {
  readonly scripts: readonly ScriptText[];
  /** `rehearse`: the same transaction, rolled back in the end; nothing is recorded. */
  readonly mode: 'run' | 'rehearse';
  /** Shown what may be touched before anything is written or run; false stops. */
  readonly confirm: (foresight: Foresight) => Promise<boolean>;
}

export interface MigrateResult extends Partial<RecordedRun> {
  readonly target: string;
  readonly command: string;
  readonly revision: string;
  readonly isRehearsal: boolean;
  /** Every statement that ran, the script's and ours, in order. */
  readonly acts: readonly MigrationAct[];
  /** Views that were made again as they were. */
  readonly restored: readonly string[];
  /** Views that the migration dropped by name. */
  readonly dropped: readonly string[];
  /** What is other than before, restored views among them that now have other columns. */
  readonly changes: readonly Change[];
  /** Views that no longer fit; their files stay in git. */
  readonly broken: readonly BrokenView[];
  readonly run?: string;
  readonly remote: FetchOutcome;
  readonly pushed: boolean;
  readonly notes: readonly string[];
  /** The exit code of the command that was run, where there was one. */
  readonly exitCode?: number;
}

/** Everything that reads one of these relations or what inherits from one, directly or not, out of scope too. */
export function findReadersOf(relations: Iterable<string>, { snapshot, outside, heirs = new Map() }: Inspection): readonly string[] {
  const views = [...snapshot.views, ...outside];
  const known = new Set(views.map(({ name }) => relationKey(name)));
  const start = new Set(relations);
  return [...reach(reach(start, heirs).keys(), findReaders(readsOf(views))).keys()].filter((key) => known.has(key) && !start.has(key)).sort(compareText);
}

const changing = /^(ALTER|DROP|CREATE\s+OR\s+REPLACE)\b/i;

/** Relations that statements which change something name. */
function findNamed(statements: readonly ScriptStatement[], { relations }: Inspection): readonly string[] {
  const named = statements.filter(({ statement }) => changing.test(statement.text)).flatMap((statement) => statement.named);
  return [...relations].filter((key) => {
    const name = parseRelationKey(key);
    return name && named.some((parts) => mayName(parts, name));
  });
}

function foresee(statements: readonly ScriptStatement[], target: Target, inspection: Inspection): Foresight {
  const relations = findNamed(statements, inspection);
  const kinds = new Map([...inspection.snapshot.views, ...inspection.outside].map(({ name, kind }) => [relationKey(name), kind]));
  const readers = findReadersOf(relations, inspection).map((view) => {
    const bytes = inspection.sizes.get(view);
    return { view, kind: kinds.get(view) ?? 'view', ...(bytes === undefined ? {} : { bytes }) };
  });
  return { target: target.name, statements, readers };
}

function noRehearsal({ warehouse }: Pick<Dialect, 'warehouse'>): ViewsyncError {
  return new ViewsyncError('USAGE', {
    message: `${warehouse} has no transaction in which a migration could be rehearsed. Nothing was done.`,
    suggestions: ['viewsync check RELATION', 'viewsync drill HEAD'],
  });
}

/** Thrown to have a rehearsal rolled back. */
class Rehearsed extends Error {
  readonly outcome: ScriptOutcome;
  readonly changes: readonly Change[];

  constructor(outcome: ScriptOutcome, changes: readonly Change[]) {
    super('rehearsed');
    this.outcome = outcome;
    this.changes = changes;
  }
}

interface Work {
  readonly planned: PlannedRevision;
  readonly statements: readonly ScriptStatement[];
}

/** The transaction: the script and everything around it. */
async function transact({ planned, statements }: Work, options: ScriptMigrationOptions, prepare?: () => Promise<void>): Promise<ScriptOutcome> {
  const { warehouse, lockTimeout, attempts, onWait, progress, misfits, verify } = options;
  const { signal } = planned.reading.project.interruption;
  const surroundings = surroundingsOf(planned.reading.target.name, warehouse, planned.inspection);
  const hanging = hangingOf(planned.inspection);
  const onStatement = (done: number, total: number) => progress?.({ what: 'Statement', done, total });
  return warehouse.transact(
    { lockTimeout, attempts, locks: [], signal, ...(onWait ? { onWait } : {}), ...(prepare ? { prepare } : {}) },
    async (transaction) => {
      const outcome = await runScript(transaction, { statements, surroundings, ...hanging, misfits, verify, onStatement });
      if (options.mode === 'run') return outcome;
      const { views } = planned.inspection.snapshot;
      const after = await transaction.inspect(views.map(({ name }) => name));
      throw new Rehearsed(outcome, diffViews(views, after, { dialect: warehouse.dialect, reprinted: new Set() }));
    },
  );
}

/** A result but for what was asked. */
type Told = Omit<MigrateResult, 'target' | 'command' | 'revision' | 'isRehearsal' | 'remote'>;

const tell = ({ acts, restored, broken, dropped }: ScriptOutcome) => ({ acts, restored, broken, dropped });

async function rehearse(work: Work, options: ScriptMigrationOptions): Promise<Told> {
  try {
    return { ...tell(await transact(work, options)), changes: [], pushed: false, notes: [] };
  } catch (error) {
    if (!(error instanceof Rehearsed)) throw error;
    return { ...tell(error.outcome), changes: error.changes, pushed: false, notes: [] };
  }
}

async function carryOut(work: Work, options: ScriptMigrationOptions): Promise<Told> {
  const { reading, inspection } = work.planned;
  if (!reading.dialect.isTransactional) return migrateStatements({ ...work, relations: findNamed(work.statements, inspection) }, options);
  const preparation = prepareRun(work.planned, migrateCommand, options);
  const outcome = await transact(work, options, preparation.prepare).catch(async (error: unknown) => {
    throw await preparation.giveUp(error);
  });
  const started = preparation.started() as StartedRun;
  const kept = outcome.broken.flatMap(({ view }) => parseRelationKey(view) ?? []);
  const { plan, ...recorded } = await recordAfter(started, { ...options, kept, touched: new Set(outcome.restored) });
  const changes = diffViews(plan.before, plan.after, { dialect: reading.dialect, reprinted: new Set() });
  return { ...tell(outcome), run: started.id, changes, ...recorded };
}

/**
 * Runs a migration's files statement by statement in one transaction, with the views out of the way where the server insists on it, and brings
 * these back. Both lines of history get the state after. `SCRIPT_REFUSED`, `SCRIPT_FAILED`, `VIEW_MISFIT`, `PLAN_IMPOSSIBLE`, `LOCK_TIMEOUT`,
 * `NOT_CONFIRMED`; nothing changed then.
 */
export async function migrateScript(project: Project, target: Target, options: ScriptMigrationOptions): Promise<MigrateResult> {
  const { dialect } = options.warehouse;
  if (options.mode === 'rehearse' && !dialect.isTransactional) throw noRehearsal(dialect);
  const statements = readScript(options.scripts, dialect);
  const remote = await fetchLiveLine(project, target, options.mode === 'run' ? 'write' : 'read');
  const label = options.scripts.map(({ file }) => file).join(' ');
  const planned = await (options.mode === 'run' ? readExported : readBefore)(project, target, { ...options, label });
  const described = { target: target.name, command: migrateCommand, revision: label, isRehearsal: options.mode === 'rehearse', remote };
  if (options.mode === 'rehearse') return { ...described, ...(await rehearse({ planned, statements }, options)) };
  if (!(await options.confirm(foresee(statements, target, planned.inspection)))) {
    throw new ViewsyncError('NOT_CONFIRMED', { message: 'Not confirmed. Nothing was changed.', suggestions: ['Add --yes to go ahead without a question.'] });
  }
  const outcome = await undisturbed(project, options.warehouse, () => carryOut({ planned, statements }, options));
  return { ...described, ...outcome };
}
