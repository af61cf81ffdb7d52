import { parseRelationKey, relationKey } from '../core/relation.ts';
import type { View } from '../core/view.ts';
import { writeViewFile } from '../core/view-file.ts';
import { ViewsyncError } from '../errors.ts';
import type { Part } from '../warehouses/parts.ts';
import { pathOf, type Reading } from './gather-sources.ts';
import { type TargetFiles, targetFolder, viewFile, viewOf } from './view-files.ts';

/** What a run puts on the live line beside the files of its start, since nothing else tells it to whoever has to end the run. */
export interface RunMemory {
  /** What the server knew of views that stay while somebody else is at work. */
  readonly parts: readonly Part[];
  /** Views and bystanders out of scope that the run drops: no file of the target holds them. */
  readonly outside: readonly View[];
}

export const nothingRemembered: RunMemory = { parts: [], outside: [] };

/** The format of the file; it is read by the same version or a later one. */
const format = 1;

/** The text of the file; undefined where there is nothing to be remembered. Raises where it could not be read again. */
export function writeMemory({ parts, outside }: RunMemory, reading: Reading): string | undefined {
  if (parts.length + outside.length === 0) return undefined;
  const lines = parts.map((part) => JSON.stringify({ ...part, view: relationKey(part.view) })).join(',\n');
  const texts = Object.fromEntries(outside.map((view) => [relationKey(view.name), writeViewFile(view, reading.dialect)]));
  readOutside(texts, reading);
  return `{"format":${format},\n"outside":${JSON.stringify(texts, null, 1)},\n"parts":[\n${lines}\n]}\n`;
}

interface MemoryFile {
  readonly format: number;
  readonly outside: Readonly<Record<string, string>>;
  readonly parts: readonly (Omit<Part, 'view'> & { readonly view: string })[];
}

function unreadable(project: Reading['project'], target: Reading['target'], cause: unknown): ViewsyncError {
  return new ViewsyncError('FILE_UNREADABLE', {
    message: `What the interrupted run has left on the live line of "${target.name}" cannot be read. Nothing was changed.`,
    suggestions: [`git show refs/viewsync/${target.name}:${targetFolder(project, target)}/`, 'viewsync rollback'],
    cause,
  });
}

function parseMemory(text: string, { project, target }: Reading): MemoryFile {
  try {
    const file = JSON.parse(text) as MemoryFile;
    if (file.format === format && Array.isArray(file.parts) && typeof file.outside === 'object') return file;
    throw new SyntaxError(`format ${file.format}`);
  } catch (cause) {
    throw unreadable(project, target, cause);
  }
}

function readOutside(texts: MemoryFile['outside'], reading: Reading): readonly View[] {
  return Object.entries(texts).map(([key, text]) => {
    const name = parseRelationKey(key);
    const file = name && viewFile(pathOf(reading, name), text, reading.parser);
    const view = viewOf(file);
    if (view) return view;
    throw unreadable(reading.project, reading.target, file?.parsed);
  });
}

/** What the live commit that these files were read from remembers. `FILE_UNREADABLE`. */
export function readMemory({ memory }: Pick<TargetFiles, 'memory'>, reading: Reading): RunMemory {
  if (memory === undefined) return nothingRemembered;
  const { parts, outside } = parseMemory(memory.text, reading);
  const known = parts.flatMap((part): readonly Part[] => {
    const view = parseRelationKey(part.view);
    return view ? [{ ...part, view }] : [];
  });
  return { parts: known, outside: readOutside(outside, reading) };
}
