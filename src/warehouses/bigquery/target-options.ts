import { didYouMean } from '../../core/nearest.ts';
import type { Adapter } from '../warehouse.ts';

/** The keys of a BigQuery target. */
export interface TargetOptions {
  readonly project: string;
  /** That one, and further ones whose views are kept. */
  readonly projects: readonly string[];
  readonly endpoint: string | undefined;
  readonly iam: 'read' | 'skip';
  /** Milliseconds. */
  readonly patience: number;
}

const keys = ['project', 'projects', 'iam', 'patience', 'endpoint'];
const patience = 120;

/** One message for each fault of a key of `viewsync.yaml`; a variable makes a text of what it stands for. */
export function validateOption(key: string, value: unknown): ReturnType<Adapter['validateOptions']> {
  if (!keys.includes(key)) return [{ path: [key], message: `"${key}" is not an option of a bigquery target.${didYouMean(key, keys)}` }];
  if (key === 'projects' && !(Array.isArray(value) && value.every((item) => typeof item === 'string')))
    return [{ path: [key], message: '"projects" must be a list of further projects whose views are kept: [finance, logistics].' }];
  if (key === 'iam' && !['true', 'false'].includes(String(value)))
    return [{ path: [key], message: '"iam" must be true or false: whether rights on single views are kept.' }];
  if (key === 'patience' && !(Number(value) > 0))
    return [{ path: [key], message: '"patience" must be a number of seconds: how long a call that BigQuery cannot take now is tried again.' }];
  if ((key === 'project' || key === 'endpoint') && typeof value !== 'string') return [{ path: [key], message: `"${key}" must be text.` }];
  return [];
}

export function readOptions(options: Readonly<Record<string, unknown>>): TargetOptions {
  const { project, projects = [], endpoint, iam, patience: seconds } = options;
  return {
    project: String(project),
    projects: [...new Set([project, ...(projects as readonly unknown[])].map(String))],
    endpoint: typeof endpoint === 'string' ? endpoint : undefined,
    iam: String(iam) === 'true' ? 'read' : 'skip',
    patience: Number(seconds ?? patience) * 1000,
  };
}
