import type { Sources } from './compose-files.ts';
import type { LiveLine } from './live-line.ts';
import type { TargetFiles } from './view-files.ts';

type Base = Sources['base'];

interface Sides {
  readonly line: Pick<LiveLine, 'interrupted'>;
  readonly branch: TargetFiles;
  readonly tip: TargetFiles;
}

/**
 * The base, with the last live state for each file that the branch holds just so: there both sides agreed, whatever the commits say. A squash whose
 * message was written anew has lost what they said. The end of an interrupted run is no state that was live.
 */
export function withAgreed(base: Base, { line, branch, tip }: Sides): Base {
  if (line.interrupted) return base;
  const agreed = [...tip.views].filter(([path, { text }]) => branch.views.get(path)?.text === text);
  if (agreed.length === 0) return base;
  const known = base === 'unknown' ? [...tip.views.keys(), ...branch.views.keys()].map((path) => [path, 'unknown'] as const) : base;
  return new Map([...known, ...agreed]);
}
