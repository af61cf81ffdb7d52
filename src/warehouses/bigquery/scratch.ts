import { isSameDefinition } from '../../core/compare.ts';
import type { Statement } from '../../core/dialect.ts';
import type { Step } from '../../core/plan.ts';
import { readsOf } from '../../core/references.ts';
import { compareRelations, relationKey } from '../../core/relation.ts';
import { addReservedLines, splitStatements } from '../../core/statements.ts';
import type { View } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import type { Scratch } from '../scratch.ts';
import type { ExecuteOutcome, Inspection, StepFailure, Transaction, Warehouse } from '../warehouse.ts';
import { columnKinds, sortAttachments } from './attachments.ts';
import { mapBounded } from './client.ts';
import { bigqueryDialect } from './dialect.ts';
import { findField } from './field-types.ts';
import { inspectProject } from './inspect.ts';
import type { Field } from './jobs.ts';
import { lexicalRules } from './lexical-rules.ts';
import { parseAttachments } from './parse-attachments.ts';
import { parseCreate } from './parse-create.ts';
import { isServerError } from './server-error.ts';
import { describeView } from './settle.ts';
import type { Session } from './transaction.ts';

/** Views that were only asked about, by `relationKey`. */
type Views = ReadonlyMap<string, View>;

interface Drill {
  readonly session: Session;
  /** What is there in fact. */
  readonly live: Inspection;
  views: Views;
}

function readStatements({ sql }: Step): readonly Statement[] {
  const text = `${sql}\n;`;
  return addReservedLines(text, splitStatements(text, lexicalRules));
}

function withAttachments(view: View, statements: readonly Statement[]): View {
  const added = statements.flatMap((statement) => parseAttachments(statement, view));
  return { ...view, attachments: sortAttachments([...view.attachments, ...added]) };
}

function readCreated(step: Step): View {
  const [first, ...others] = readStatements(step);
  if (first === undefined) throw new ViewsyncError('INTERNAL', { message: 'A step without a statement cannot be drilled.' });
  const create = parseCreate(first);
  const view: View = { ...create, columns: [], reads: readsOf(create.definition, bigqueryDialect, create.name), unrestorable: [] };
  return withAttachments(view, others);
}

/** The views once the steps are done, whether or not BigQuery would take them. */
function foresee(before: Views, steps: readonly Step[]): Views {
  const views = new Map(before);
  for (const step of steps) {
    const view = step.kind === 'create' ? readCreated(step) : views.get(relationKey(step.view));
    if (view) views.set(relationKey(step.view), step.kind === 'create' ? view : withAttachments(view, readStatements(step)));
  }
  return views;
}

/** Those that are not there as they are to be: whoever reads one is asked about together with it. */
function findUnmade(views: Views, { snapshot, outside }: Inspection): Views {
  const live = new Map([...snapshot.views, ...outside].map((view) => [relationKey(view.name), view]));
  return new Map(
    [...views].filter(([key, view]) => {
      const there = live.get(key);
      return there === undefined || there.kind !== view.kind || !isSameDefinition(there, view, bigqueryDialect);
    }),
  );
}

function findMissingColumn({ attachments }: View, fields: readonly Field[]): string | undefined {
  if (fields.length === 0) return undefined;
  return attachments.find(({ kind, key }) => columnKinds.includes(kind) && !findField(fields, key.split('.')))?.key;
}

/** What BigQuery says of a view; text when it refuses. */
async function ask({ session, live }: Drill, view: View, views: Views): Promise<View | string> {
  try {
    const described = await describeView(session, view, findUnmade(views, live));
    const missing = findMissingColumn(view, described.fields);
    return missing === undefined ? { ...view, columns: described.columns } : `there is no column "${missing}", which its file describes`;
  } catch (error) {
    if (isServerError(error) && [400, 403, 404].includes(error.status)) return error.message;
    throw error;
  }
}

async function rehearse(drill: Drill, steps: readonly Step[]): Promise<readonly StepFailure[]> {
  const views = foresee(drill.views, steps);
  const answers = await mapBounded(steps, async (step, index): Promise<readonly StepFailure[]> => {
    const view = views.get(relationKey(step.view));
    const answer = step.kind === 'create' && view ? await ask(drill, view, views) : undefined;
    return typeof answer === 'string' ? [{ index, message: answer }] : [];
  });
  return answers.flat();
}

async function execute(drill: Drill, steps: readonly Step[]): Promise<ExecuteOutcome> {
  const views = new Map(foresee(drill.views, steps));
  for (const [index, { kind, view: name }] of steps.entries()) {
    const view = views.get(relationKey(name));
    if (kind !== 'create' || view === undefined) continue;
    const answer = await ask(drill, view, views);
    if (typeof answer === 'string') return { results: [], failure: { index, message: answer } };
    views.set(relationKey(name), answer);
  }
  drill.views = views;
  return { results: steps.map(() => ({ milliseconds: 0 })) };
}

function inspect({ live, views }: Drill): Inspection {
  const sorted = [...views.values()].sort((left, right) => compareRelations(left.name, right.name));
  const description = { ...live.snapshot.description, unreadable: [] };
  return { ...live, snapshot: { ...live.snapshot, description, views: sorted }, outside: [] };
}

/** A warehouse in which views are only asked about. */
function toWarehouse(drill: Drill): Warehouse {
  const settle: Warehouse['settle'] = async (requests) =>
    new Map(requests.map(({ wanted }) => [relationKey(wanted.name), { outcome: 'different', columns: wanted.columns }]));
  const transaction: Transaction = {
    inspect: async (names) => names.flatMap((name) => drill.views.get(relationKey(name)) ?? []),
    settle,
    execute: (steps) => execute(drill, steps),
  };
  return {
    dialect: bigqueryDialect,
    inspect: async () => inspect(drill),
    settle,
    transact: (_options, work) => work(transaction),
    isBusy: async () => false,
    examine: async () => ({ clock: new Date(), findings: [] }),
    close: async () => undefined,
  };
}

/**
 * `Adapter.openScratch`: nothing is made. Each view of a commit is asked about by a dry run, on the tables that are there, together with those
 * that it reads and that are not there as the commit has them. Nothing is read and nothing is billed.
 */
export async function openScratch(session: Session): Promise<Scratch> {
  const live = await inspectProject(session.client, { schemas: ['*'] }, { ...session.reading, iam: 'skip' });
  const drill: Drill = { session, live, views: new Map() };
  return {
    place: `dry runs in project ${session.client.project}`,
    warehouse: toWarehouse(drill),
    furnish: async () => [],
    rehearse: (steps) => rehearse(drill, steps),
    remove: async () => undefined,
  };
}
