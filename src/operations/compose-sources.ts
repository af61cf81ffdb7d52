import type { Progress } from '../warehouses/warehouse.ts';
import { type Composition, findUnformatted, type Sources } from './compose-files.ts';
import { formatDefinitions } from './format-definitions.ts';

/** Formats the definitions that stand in no file yet, or all of them. */
export async function composeSources(sources: Sources, which: 'new' | 'all', progress?: Progress): Promise<Composition> {
  const requests = [...findUnformatted(sources, which)].map(([key, sql]) => ({ key, sql }));
  return { ...sources, bytes: which === 'all' ? 'new' : 'kept', formatted: await formatDefinitions(requests, sources.dialect, progress) };
}
