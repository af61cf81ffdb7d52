import { Command, Flags } from '@oclif/core';
import { chooseTarget, connectTarget, openProject, type Project, type Target } from '../project.ts';
import type { Colors } from '../render/colors.ts';
import type { Progress, Warehouse } from '../warehouses/warehouse.ts';
import { colorsFor } from './colors.ts';
import { toViewsyncError } from './failure.ts';
import { interruption } from './interruption.ts';
import { type ProgressLine, startProgress } from './progress.ts';

export interface SharedFlags {
  readonly directory: string;
  readonly json: boolean;
}

export interface TargetFlags extends SharedFlags {
  readonly target?: string | undefined;
}

/** Everything that an operation on a live warehouse needs. */
export interface OpenTarget {
  readonly project: Project;
  readonly target: Target;
  readonly warehouse: Warehouse;
}

export const directoryFlags = {
  directory: Flags.string({
    char: 'C',
    summary: 'Folder of viewsync.yaml instead of the current one.',
    helpValue: 'DIR',
    default: '.',
    env: 'VIEWSYNC_DIRECTORY',
  }),
  json: Flags.boolean({ summary: 'Print the result, or the error, as JSON.', env: 'VIEWSYNC_JSON' }),
};

export const targetFlags = {
  ...directoryFlags,
  target: Flags.string({ char: 't', summary: 'Target in viewsync.yaml; not needed when there is only one.', helpValue: 'NAME', env: 'VIEWSYNC_TARGET' }),
};

/** What all commands share: opening the project, progress, and printing the result as text or JSON. */
export abstract class BaseCommand extends Command {
  private progressLine: ProgressLine | undefined;

  protected readonly colors: Colors = colorsFor(process.stdout);

  /** Tells a person at a terminal what takes long. */
  protected readonly progress: Progress = (event) => {
    this.progressLine ??= startProgress();
    this.progressLine.report(event);
  };

  protected async openProject({ directory }: SharedFlags): Promise<Project> {
    return openProject({ directory, environment: process.env, interruption });
  }

  protected async openTarget(flags: TargetFlags): Promise<{ readonly project: Project; readonly target: Target }> {
    const project = await this.openProject(flags);
    return { project, target: chooseTarget(project, flags.target) };
  }

  /** Connects for the time of the work, and closes however it ends. */
  protected async withWarehouse<T>(flags: TargetFlags, work: (open: OpenTarget) => Promise<T>): Promise<T> {
    const { project, target } = await this.openTarget(flags);
    const warehouse = await connectTarget(project, target, { command: this.id ?? 'viewsync' });
    try {
      return await work({ project, target, warehouse });
    } finally {
      await warehouse.close();
      this.stopProgress();
    }
  }

  /** The whole result to stdout: as JSON under `--json`, else as the text. */
  protected print({ json }: SharedFlags, result: unknown, text: string): void {
    this.stopProgress();
    const output = json ? JSON.stringify(result, replaceCollections, 2) : text;
    if (output !== '') process.stdout.write(output.endsWith('\n') ? output : `${output}\n`);
  }

  /** A line for people, on stderr. */
  protected tell(text: string): void {
    this.stopProgress();
    if (text !== '') process.stderr.write(`${text}\n`);
  }

  protected exitWith(code: number): void {
    process.exitCode = code;
  }

  protected stopProgress(): void {
    this.progressLine?.stop();
    this.progressLine = undefined;
  }

  /** oclif reads one exit code in text mode and the other under `--json`; `main` prints the error. */
  protected override async catch(thrown: Error): Promise<never> {
    this.stopProgress();
    const error = toViewsyncError(thrown);
    process.exitCode = error.exitCode;
    throw Object.assign(error, { oclif: { exit: error.exitCode } });
  }
}

function replaceCollections(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  return value;
}
