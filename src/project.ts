import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, posix, resolve } from 'node:path';
import { type Configuration, configurationFile, interpolateOptions, readConfiguration } from './config.ts';
import { type Ignored, ignoring } from './core/ignore.ts';
import { didYouMean } from './core/nearest.ts';
import type { Scope } from './core/snapshot.ts';
import { ViewsyncError } from './errors.ts';
import type { History } from './history/history.ts';
import { type Interruption, neverInterrupted } from './history/interruption.ts';
import { openHistory } from './history/open-history.ts';
import { adapters } from './warehouses/registry.ts';
import type { Adapter, Caller, Warehouse } from './warehouses/warehouse.ts';

/** One entry of `viewsync.yaml`, validated, its `${VARIABLE}`s still in place until it is connected to. */
export interface Target {
  readonly name: string;
  /** A name in the adapter registry. */
  readonly warehouse: string;
  readonly scope: Scope;
  /** Globs over `schema.name` of views whose unreadable definition is no failure. */
  readonly allowUnreadable: readonly string[];
  /** Metadata that stays out of files and is no drift. */
  readonly ignore?: Ignored;
  /** The adapter's own keys, such as `url`. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** A folder with a `viewsync.yaml`, inside a git repository. */
export interface Project {
  /** Absolute folder of `viewsync.yaml`. */
  readonly directory: string;
  /** The views folder relative to the root of the repository, with `/`: `views`, `analytics/views`. */
  readonly viewsFolder: string;
  readonly targets: readonly Target[];
  readonly history: History;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly interruption: Interruption;
}

/** The values of `${VARIABLE}`s and what drivers look up, such as `PGPASSWORD`. */
export type Environment = Project['environment'];

export interface OpenOptions {
  /** A folder with a `viewsync.yaml`, or one below it. */
  readonly directory: string;
  readonly environment: Environment;
  /** Nobody interrupts if not given. */
  readonly interruption?: Interruption;
}

/**
 * Opens the project that a folder belongs to. Connects to nothing. `CONFIG_MISSING` without a `viewsync.yaml` here or above,
 * `CONFIG_INVALID`, `NOT_A_REPOSITORY`.
 */
export async function openProject({ directory, environment, interruption = neverInterrupted }: OpenOptions): Promise<Project> {
  const { folder, configuration } = await readNearest(directory);
  const history = await openHistory(folder, environment, interruption);
  return { directory: folder, viewsFolder: locateViews(configuration, history), targets: configuration.targets, history, environment, interruption };
}

async function readNearest(directory: string): Promise<{ readonly folder: string; readonly configuration: Configuration }> {
  const folder = findConfigurationFolder(directory);
  const file = join(folder, configurationFile);
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw unreadable(file, cause);
  });
  return { folder, configuration: await readConfiguration(text) };
}

function unreadable(file: string, cause: NodeJS.ErrnoException): ViewsyncError {
  const because = cause.code === 'EISDIR' ? 'it is a folder' : cause.code === 'EACCES' ? 'this user may not read it' : cause.message;
  return new ViewsyncError('CONFIG_INVALID', { message: `"${file}" cannot be read: ${because}. Nothing was done.`, suggestions: [`ls -ld '${file}'`], cause });
}

/** The names of the targets of the `viewsync.yaml` here or above. Asks neither git nor a warehouse. `CONFIG_MISSING`, `CONFIG_INVALID`. */
export async function readTargetNames(directory: string): Promise<readonly string[]> {
  const { configuration } = await readNearest(directory);
  return configuration.targets.map(({ name }) => name);
}

function findConfigurationFolder(directory: string): string {
  const start = resolve(directory);
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, configurationFile))) return folder;
    if (folder === dirname(folder)) break;
  }
  throw new ViewsyncError('CONFIG_MISSING', {
    message: `There is no ${configurationFile} in "${start}" or in a folder above it. Nothing was done.`,
    suggestions: ['viewsync init', 'viewsync demo'],
  });
}

function locateViews({ views }: Configuration, { prefix }: History): string {
  const folder = posix.join(prefix, views).replace(/\/$/, '');
  if (folder !== '.' && folder !== '..' && !folder.startsWith('../')) return folder;
  throw new ViewsyncError('CONFIG_INVALID', {
    message: `${configurationFile} keeps the views in "${views}", which is not a folder of its own inside the git repository. Nothing was done.`,
    suggestions: ['views: views'],
  });
}

/** The target of that name; without a name the only one there is. `USAGE` when there is none of that name or a choice. */
export function chooseTarget({ targets }: Pick<Project, 'targets'>, name?: string): Target {
  const names = targets.map((target) => target.name);
  const chosen = name === undefined && targets.length === 1 ? targets[0] : targets.find((target) => target.name === name);
  if (chosen !== undefined) return chosen;
  const problem =
    name === undefined ? `${configurationFile} has ${names.length} targets and none was chosen.` : `There is no target "${name}".${didYouMean(name, names)}`;
  throw new ViewsyncError('USAGE', { message: `${problem} Nothing was done.`, suggestions: names.map((known) => `--target ${known}`) });
}

/** The adapter for a target's kind of warehouse. */
export async function adapterOf({ warehouse }: Pick<Target, 'warehouse'>): Promise<Adapter> {
  const load = adapters[warehouse];
  if (load !== undefined) return load();
  throw new ViewsyncError('CONFIG_INVALID', { message: `"${warehouse}" is not a kind of warehouse. Nothing was done.`, suggestions: Object.keys(adapters) });
}

/** Opens a connection to a target; the caller closes it. `VARIABLE_UNSET`, `CONNECTION_FAILED`. */
export async function connectTarget({ environment }: Pick<Project, 'environment'>, target: Target, caller?: Caller): Promise<Warehouse> {
  const adapter = await adapterOf(target);
  const warehouse = await adapter.connect(interpolateOptions(target.options, environment), environment, caller);
  return target.ignore ? { ...warehouse, dialect: ignoring(warehouse.dialect, target.ignore) } : warehouse;
}
