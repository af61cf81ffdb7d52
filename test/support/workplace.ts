import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { HazardName } from '../../src/core/plan.ts';
import { neverInterrupted } from '../../src/history/interruption.ts';
import { openHistory } from '../../src/history/open-history.ts';
import { type ApplyOptions, type ApplyResult, applyRevision } from '../../src/operations/apply-revision.ts';
import { type CheckOptions, type CheckResult, checkRelations } from '../../src/operations/check-relations.ts';
import { type ContinueOptions, continueMigration } from '../../src/operations/continue-migration.ts';
import { type ExportOptions, type ExportResult, exportViews } from '../../src/operations/export-views.ts';
import { type AroundOptions, migrateAround } from '../../src/operations/migrate-around.ts';
import { type MigrateResult, migrateScript, type ScriptMigrationOptions } from '../../src/operations/migrate-script.ts';
import { type PlannedRevision, planRevision } from '../../src/operations/plan-revision.ts';
import { readStatus, type Status } from '../../src/operations/read-status.ts';
import { rollbackRun } from '../../src/operations/rollback-run.ts';
import { connectTarget, type Project, type Target } from '../../src/project.ts';
import type { Warehouse } from '../../src/warehouses/warehouse.ts';
import { createDatabase, type TestDatabase } from './postgres-server.ts';
import { git, someone, temporaryRepository } from './repository.ts';

/** A repository with one target and the operations on them, each on a connection of its own. */
export interface Place {
  readonly directory: string;
  readonly project: Project;
  readonly target: Target;
  connect(): Promise<Warehouse>;
  git(...args: readonly string[]): string;
  export(options?: Partial<ExportOptions>): Promise<ExportResult>;
  plan(revision: string, options?: Partial<ApplyOptions>): Promise<PlannedRevision>;
  apply(revision: string, options?: Partial<ApplyOptions>): Promise<ApplyResult>;
  rollback(options?: Partial<ApplyOptions>): Promise<ApplyResult>;
  /** Runs a migration whose only file, `migration.sql`, is this text. */
  migrate(sql: string, options?: Partial<ScriptMigrationOptions>): Promise<MigrateResult>;
  /** Drops what depends on the relations while `work` runs, whose exit code it returns. */
  migrateAround(relations: readonly string[], work: () => Promise<number>, options?: Partial<AroundOptions>): Promise<MigrateResult>;
  continueMigration(options?: Partial<ContinueOptions>): Promise<MigrateResult>;
  check(relations: readonly string[], options?: Partial<CheckOptions>): Promise<CheckResult>;
  status(): Promise<Status>;
}

/** The same with the target's database. */
export interface Workplace extends Place {
  readonly database: TestDatabase;
}

const nobodyAllowed: readonly HazardName[] = [];

function applyDefaults(revision: string): Omit<ApplyOptions, 'warehouse'> {
  return {
    revision,
    select: [],
    exclude: [],
    absent: 'keep',
    allowed: nobodyAllowed,
    overwrite: [],
    lockTimeout: 2000,
    attempts: 2,
    verify: 'verify',
    push: 'keep',
    confirm: async () => true,
  };
}

const lockDefaults = { allowed: nobodyAllowed, lockTimeout: 2000, attempts: 2, verify: 'verify', push: 'keep' } as const;

const migrateDefaults: Omit<ScriptMigrationOptions, 'warehouse' | 'scripts'> = { ...lockDefaults, mode: 'run', misfits: 'stop', confirm: async () => true };

const exportDefaults: Omit<ExportOptions, 'warehouse'> = { commit: 'commit', push: 'keep', reformat: 'new', overwrite: [], allowed: [] };

interface PlaceParts {
  readonly directory?: string;
  /** What git is run with; without a PATH there is none. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly viewsFolder?: string;
  /** How operations come by their connections. */
  readonly use?: (connect: () => Promise<Warehouse>) => Use;
}

export interface WorkplaceParts extends PlaceParts {
  readonly version?: number;
  readonly database?: TestDatabase;
  readonly target?: Partial<Target>;
  /** `fresh`: a connection for each operation, where the server does not stay. */
  readonly connections?: 'kept' | 'fresh';
}

/** A fresh one; the database goes when the test is over, unless it was given. */
export async function openWorkplace(parts: WorkplaceParts = {}): Promise<Workplace> {
  const database = parts.database ?? (await createDatabase(parts.version));
  if (!parts.database) onTestFinished(() => database[Symbol.asyncDispose]());
  const target: Target = {
    name: 'prod',
    warehouse: 'postgres',
    scope: { schemas: ['*'] },
    allowUnreadable: [],
    options: { url: database.url },
    ...parts.target,
  };
  return {
    database,
    ...(await openPlace(target, (project) => connectTarget(project, target), { ...parts, use: parts.connections === 'fresh' ? useFresh : useKept })),
  };
}

type Use = <T>(work: (warehouse: Warehouse) => Promise<T>) => Promise<T>;

function useFresh(connect: () => Promise<Warehouse>): Use {
  return async (work) => {
    const warehouse = await connect();
    try {
      return await work(warehouse);
    } finally {
      await warehouse.close();
    }
  };
}

/** Half of what an operation costs the server is a new session's empty caches, so one that has done its work is used again; never one that failed, nor by two at once. */
function useKept(connect: () => Promise<Warehouse>): Use {
  const idle: Warehouse[] = [];
  onTestFinished(async () => void (await Promise.all(idle.map((warehouse) => warehouse.close()))));
  return async (work) => {
    const warehouse = idle.pop() ?? (await connect());
    try {
      const result = await work(warehouse);
      idle.push(warehouse);
      return result;
    } catch (error) {
      await warehouse.close();
      throw error;
    }
  };
}

/** A repository for a target of any kind. */
export async function openPlace(target: Target, connectTo: (project: Project) => Promise<Warehouse>, parts: PlaceParts = {}): Promise<Place> {
  const directory = parts.directory ?? temporaryRepository();
  const history = await openHistory(directory, parts.environment ?? someone);
  const viewsFolder = parts.viewsFolder ?? join(history.prefix, 'views');
  const project: Project = { directory, viewsFolder, targets: [target], history, environment: someone, interruption: neverInterrupted };
  const connect = () => connectTo(project);
  const using = (parts.use ?? useFresh)(connect);
  return {
    directory,
    project,
    target,
    connect,
    git: (...args) => git(directory, ...args),
    export: (options = {}) => using((warehouse) => exportViews(project, target, { ...exportDefaults, warehouse, ...options })),
    plan: (revision, options = {}) => using((warehouse) => planRevision(project, target, { ...applyDefaults(revision), warehouse, ...options })),
    apply: (revision, options = {}) => using((warehouse) => applyRevision(project, target, { ...applyDefaults(revision), warehouse, ...options })),
    rollback: (options = {}) => using((warehouse) => rollbackRun(project, target, { ...applyDefaults('HEAD'), warehouse, ...options })),
    migrate: (sql, options = {}) =>
      using((warehouse) => migrateScript(project, target, { ...migrateDefaults, scripts: [{ file: 'migration.sql', text: sql }], warehouse, ...options })),
    migrateAround: (relations, runCommand, options = {}) =>
      using((warehouse) =>
        migrateAround(project, target, { ...lockDefaults, label: 'work', confirm: async () => true, connect, relations, runCommand, warehouse, ...options }),
      ),
    continueMigration: (options = {}) =>
      using((warehouse) => continueMigration(project, target, { ...lockDefaults, confirm: async () => true, warehouse, ...options })),
    check: (relations, options = {}) =>
      using((warehouse) => checkRelations(project, target, { backup: 'look', push: 'keep', relations, warehouse, ...options })),
    status: () => using((warehouse) => readStatus(project, target, { warehouse })),
  };
}
