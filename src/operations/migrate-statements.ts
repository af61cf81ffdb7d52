import { parseRelationKey, type RelationName, relationKey } from '../core/relation.ts';
import { mayName, placeOf, type ScriptStatement } from '../core/script.ts';
import type { View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { Inspection, StepFailure, Transaction } from '../warehouses/warehouse.ts';
import { findDependents, findOutside, restoreAndRecord } from './migrate-around.ts';
import type { MigrateResult, ScriptMigrationOptions } from './migrate-script.ts';
import { migrateCommand } from './migration.ts';
import type { PlannedRevision } from './plan-revision.ts';
import { prepareRun } from './prepare-run.ts';
import type { StartedRun } from './record-run.ts';
import type { MigrationAct } from './running-script.ts';

/** A script where no transaction takes anything back. */
export interface StatementsWork {
  readonly planned: PlannedRevision;
  readonly statements: readonly ScriptStatement[];
  /** Relations that the script names, by `relationKey`. */
  readonly relations: readonly string[];
}

interface Outcome {
  readonly acts: readonly MigrationAct[];
  readonly failure?: { readonly at: ScriptStatement; readonly refusal: StepFailure };
}

/** Something near: the relation that a statement names, or any other one in the warehouse. */
function findNear({ named }: ScriptStatement, { relations, snapshot }: Inspection): RelationName {
  const names = [...relations].flatMap((key) => parseRelationKey(key) ?? []);
  const own = names.find((name) => named.some((parts) => mayName(parts, name)));
  const container = snapshot.containers.find(({ name }) => named.some((parts) => parts.includes(name)));
  if (own || !container) return own ?? names[0] ?? { schema: '', name: '' };
  return { ...(container.catalog === undefined ? {} : { catalog: container.catalog }), schema: container.name, name: '' };
}

async function runStatements(transaction: Transaction, { statements, planned }: StatementsWork, options: ScriptMigrationOptions): Promise<Outcome> {
  const acts: MigrationAct[] = [];
  for (const [index, at] of statements.entries()) {
    const [sql, because] = [at.statement.text, placeOf(at)];
    const { failure, results } = await transaction.execute([{ kind: 'alter', view: findNear(at, planned.inspection), sql, because }]);
    if (failure) return { acts, failure: { at, refusal: failure } };
    acts.push({ origin: 'script', sql, because, milliseconds: results[0]?.milliseconds ?? 0 });
    options.progress?.({ what: 'Statement', done: index + 1, total: statements.length });
  }
  return { acts };
}

function isDroppedByName({ name }: View, { statements, planned }: StatementsWork): boolean {
  const drops = statements.flatMap(({ statement }) => planned.reading.dialect.script?.dropsByName(statement) ?? []);
  return drops.some(({ views, schemas }) => schemas.includes(name.schema) || views.some((parts) => mayName(parts, name)));
}

const changingSchema = /^(CREATE\s+OR\s+REPLACE|DROP|ALTER)\s+(TRANSIENT\s+)?SCHEMA\b/i;

/** Whether the script does something to the whole schema of a view. */
function isInChangedSchema({ name }: View, { statements }: StatementsWork): boolean {
  return statements.some(({ statement, named }) => changingSchema.test(statement.text) && named.some((parts) => parts.at(-1) === name.schema));
}

/** Views that the script names or that depend on what it names, but for those that it drops itself. */
function findConcerned(work: StatementsWork): readonly View[] {
  const { inspection } = work.planned;
  const named = new Set(work.relations);
  const views = [...inspection.snapshot.views, ...inspection.outside];
  const own = views.filter((view) => named.has(relationKey(view.name)) || isInChangedSchema(view, work));
  const relations = [...named, ...own.map(({ name }) => relationKey(name))];
  return [...own, ...findDependents(relations, inspection, work.planned.reading.dialect)].filter((view) => !isDroppedByName(view, work));
}

function scriptFailed({ failure, acts }: Outcome & Required<Pick<Outcome, 'failure'>>, total: number): ViewsyncError {
  const { at, refusal } = failure;
  const state =
    acts.length === 0
      ? 'It was the first one; nothing changed.'
      : `${acts.length} of ${total} statements took effect and stay; views that these took along are back.`;
  return new ViewsyncError(acts.length === 0 ? 'SCRIPT_FAILED' : 'STEP_FAILED', {
    message: `${placeOf(at)}: ${refusal.message} ${state}`,
    suggestions: acts.length === 0 ? [] : ['viewsync status'],
    details: { file: at.file, line: at.line, sql: at.statement.text, code: refusal.code, putBack: 'put back' },
  });
}

/**
 * Runs a script's statements one after the other, and stops at the first that is refused; then makes again what was lost, mends what went stale, and
 * records the state. `SCRIPT_FAILED`, `STEP_FAILED`.
 */
export async function migrateStatements(
  work: StatementsWork,
  options: ScriptMigrationOptions,
): Promise<Omit<MigrateResult, 'target' | 'command' | 'revision' | 'isRehearsal' | 'remote'>> {
  const { warehouse, lockTimeout, attempts } = options;
  const concerned = findConcerned(work);
  const remember = async () => ({ parts: [], outside: findOutside(concerned, work.planned.inspection) });
  const preparation = prepareRun(work.planned, migrateCommand, { ...options, remember });
  const { signal } = work.planned.reading.project.interruption;
  const transaction = { lockTimeout, attempts, locks: [], signal, prepare: preparation.prepare };
  const outcome = await warehouse
    .transact(transaction, (within) => runStatements(within, work, options))
    .catch(async (error: unknown) => {
      throw await preparation.giveUp(error);
    });
  const { failure, acts } = outcome;
  if (failure && acts.length === 0 && !failure.refusal.isUncertain)
    throw await preparation.giveUp(scriptFailed({ ...outcome, failure }, work.statements.length));
  const ended = await restoreAndRecord(preparation.started() as StartedRun, concerned, options);
  if (failure) throw scriptFailed({ ...outcome, failure }, work.statements.length);
  return { ...ended, acts: [...acts, ...ended.acts] };
}
