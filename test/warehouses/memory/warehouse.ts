import { isSameDefinition } from '../../../src/core/compare.ts';
import type { Step } from '../../../src/core/plan.ts';
import { compareRelations, type RelationName, relationKey } from '../../../src/core/relation.ts';
import { matchScope } from '../../../src/core/scope.ts';
import type { Scope } from '../../../src/core/snapshot.ts';
import { ViewsyncError } from '../../../src/errors.ts';
import type {
  Adapter,
  ExecuteOutcome,
  Inspection,
  Settled,
  SettleRequest,
  StepResult,
  Transaction,
  TransactionOptions,
  Warehouse,
} from '../../../src/warehouses/warehouse.ts';
import { memoryDialect } from './dialect.ts';
import { bind, type Engine, run } from './engine.ts';

async function inspect(engine: Engine, scope: Scope): Promise<Inspection> {
  const isInScope = matchScope(scope, memoryDialect);
  const views = [...engine.views.values()].sort((left, right) => compareRelations(left.name, right.name));
  const description = { warehouse: 'memory', scope, identity: { engine: 'test' }, unreadable: [] };
  return {
    snapshot: { origin: { from: 'warehouse' }, description, views: views.filter(({ name }) => isInScope(name)), containers: [], bystanders: [] },
    outside: views.filter(({ name }) => !isInScope(name)),
    session: { role: 'ME', isSuperuser: false, roles: [...engine.roles].sort(), rowSecurity: { bypassing: new Set(), exempt: new Map() }, server: 'Memory 1' },
    relations: new Set(engine.views.keys()),
    sizes: new Map(),
    milliseconds: 0,
    queries: 1,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function settleOne(engine: Engine, { wanted, live }: SettleRequest): Settled {
  try {
    const { columns } = bind(engine, wanted.name, wanted.definition);
    return { outcome: live && isSameDefinition(live, wanted, memoryDialect) ? 'same' : 'different', columns };
  } catch (error) {
    return { outcome: 'refused', because: messageOf(error) };
  }
}

async function settle(engine: Engine, requests: readonly SettleRequest[]): Promise<ReadonlyMap<string, Settled>> {
  const views = new Map([...engine.views, ...requests.map(({ wanted }) => [relationKey(wanted.name), wanted] as const)]);
  return new Map(requests.map((request) => [relationKey(request.wanted.name), settleOne({ ...engine, views }, request)]));
}

async function execute(engine: Engine, steps: readonly Step[], onStep?: (index: number) => void): Promise<ExecuteOutcome> {
  const results: StepResult[] = [];
  for (const [index, { sql }] of steps.entries()) {
    try {
      run(engine, sql);
    } catch (error) {
      return { results, failure: { index, message: messageOf(error) } };
    }
    results.push({ milliseconds: 0 });
    onStep?.(index);
  }
  return { results };
}

function toTransaction(engine: Engine): Transaction {
  return {
    inspect: async (names: readonly RelationName[]) => names.flatMap((name) => engine.views.get(relationKey(name)) ?? []),
    settle: (requests) => settle(engine, requests),
    execute: (steps, onStep) => execute(engine, steps, onStep),
  };
}

async function transact<T>(engine: Engine, { prepare, locks }: TransactionOptions, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  if (engine.isHeld) throw new ViewsyncError('RUN_IN_PROGRESS', { message: 'Another run is at work. Nothing was changed.' });
  engine.isHeld = true;
  try {
    await prepare?.();
    const gone = locks.find(({ name }) => !engine.views.has(relationKey(name)));
    if (gone) throw new ViewsyncError('WAREHOUSE_MOVED', { message: `${relationKey(gone.name)} is gone. Nothing was changed.` });
    return await work(toTransaction(engine));
  } finally {
    engine.isHeld = false;
  }
}

/** A connection to an engine; there may be several. */
function connect(engine: Engine): Warehouse {
  return {
    dialect: memoryDialect,
    inspect: (scope) => inspect(engine, scope),
    settle: (requests) => settle(engine, requests),
    transact: (options, work) => transact(engine, options, work),
    isBusy: async () => engine.isHeld,
    examine: async () => ({ clock: new Date(), findings: [] }),
    close: async () => undefined,
  };
}

/** What the registry would list; it takes no options. */
export function memoryAdapter(engine: Engine): Adapter {
  return {
    dialect: memoryDialect,
    validateOptions: (options) => Object.keys(options).map((key) => ({ path: [key], message: `"${key}" is not an option of the warehouse in memory.` })),
    connect: async () => connect(engine),
  };
}
