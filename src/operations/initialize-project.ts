import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { configurationFile, readConfiguration } from '../config.ts';
import { containerKey } from '../core/deletions.ts';
import { ViewsyncError } from '../errors.ts';
import { initializeRepository } from '../history/initialize-repository.ts';
import { adapterOf, chooseTarget, connectTarget, type Environment } from '../project.ts';
import type { Adapter, Inspection } from '../warehouses/warehouse.ts';
import { attributesLine, configurationText, type StarterContent, workflowText } from './starter-files.ts';

export interface InitializeRequest {
  readonly directory: string;
  readonly environment: Environment;
  readonly target: string;
  readonly warehouse: string;
  /** As it is to stand in `viewsync.yaml`, where the kind of warehouse takes one: with `${VARIABLE}` instead of a password. */
  readonly url: string;
  /** Other keys of the target, in the same way. */
  readonly options?: Readonly<Record<string, string>>;
  readonly schemas: readonly string[];
  /** The version of viewsync that the nightly workflow runs. */
  readonly version: string;
}

/** What a new project consists of. */
export interface InitializedProject {
  readonly directory: string;
  readonly repository: 'created' | 'found';
  /** Paths relative to the folder; `kept` is a file that was there and stays as it is. */
  readonly files: readonly StarterFile[];
  /** A target that can be exported now. */
  readonly target: string;
  /** Schemas or datasets with views that this role sees, and how many of them are in scope. What others share and what the vendor brings is left out. */
  readonly containers: readonly FoundContainer[];
}

export interface FoundContainer {
  readonly container: string;
  readonly views: number;
  readonly inScope: number;
}

export interface StarterFile {
  readonly path: string;
  readonly outcome: 'written' | 'appended' | 'kept';
}

/**
 * Connects to the warehouse, then writes `viewsync.yaml`, `.gitattributes` and the nightly workflow; makes a git repository where there
 * is none. Writes nothing when the connection fails (`CONNECTION_FAILED`, `VARIABLE_UNSET`), when `viewsync.yaml` is there already, or
 * when the url holds a password (`USAGE`).
 */
export async function initializeProject(request: InitializeRequest): Promise<InitializedProject> {
  const directory = resolve(request.directory);
  await refuseExisting(directory);
  refusePassword(request.url);
  const adapter = await adapterOf(request);
  const options = { ...(takesUrl(adapter) ? { url: request.url } : {}), ...request.options };
  const content = { ...request, options, drivers: adapter.drivers ?? [] };
  const containers = await tryConnection(request, configurationText(content));
  await mkdir(directory, { recursive: true });
  const { prefix, isNew } = await initializeRepository({ directory, environment: request.environment });
  const files = await writeFiles(directory, { ...content, prefix });
  return { directory, repository: isNew ? 'created' : 'found', files, target: request.target, containers };
}

async function refuseExisting(directory: string): Promise<void> {
  if ((await readIfThere(join(directory, configurationFile))) === undefined) return;
  throw new ViewsyncError('USAGE', {
    message: `There is already a ${configurationFile} in "${directory}". Add a target to it by hand; nothing was written.`,
    suggestions: ['viewsync export'],
  });
}

/** The file is committed: a password in it could never be taken back. */
function refusePassword(url: string): void {
  const password = /\/\/[^/@]*:([^@]*)@/.exec(url)?.[1] ?? /[?&\s]password=([^&\s]*)/.exec(url)?.[1] ?? '';
  if (password.replace(/\$\{\w+\}/g, '') === '') return;
  throw new ViewsyncError('USAGE', {
    message: `The url holds a password, and ${configurationFile} will be committed. Put the url into an environment variable; nothing was written.`,
    suggestions: ["export DATABASE_URL='...'; viewsync init --url '${DATABASE_URL}'"],
  });
}

function takesUrl({ validateOptions }: Adapter): boolean {
  return validateOptions({ url: '${DATABASE_URL}' }).every(({ path }) => path[0] !== 'url');
}

/** Reads what there is, so that the first export surprises nobody. */
async function tryConnection(request: InitializeRequest, text: string): Promise<readonly FoundContainer[]> {
  const configuration = await readConfiguration(text);
  const target = chooseTarget(configuration, request.target);
  const warehouse = await connectTarget(request, target, { command: 'init' });
  try {
    return countViews(await warehouse.inspect(target.scope));
  } finally {
    await warehouse.close();
  }
}

function countViews({ snapshot, outside }: Inspection): readonly FoundContainer[] {
  const inScope = [...snapshot.views, ...snapshot.description.unreadable].map(({ name }) => containerKey(name));
  const all = [...inScope, ...outside.map(({ name }) => containerKey(name))];
  const count = (keys: readonly string[], key: string) => keys.filter((each) => each === key).length;
  return [...new Set(all)].sort().map((container) => ({ container, views: count(all, container), inScope: count(inScope, container) }));
}

async function writeFiles(directory: string, content: StarterContent): Promise<readonly StarterFile[]> {
  const root = content.prefix === '' ? directory : resolve(directory, ...content.prefix.split('/').map(() => '..'));
  const workflow = relative(directory, join(root, '.github', 'workflows', 'viewsync.yml'))
    .split(sep)
    .join('/');
  return [
    await writeNew(directory, configurationFile, configurationText(content)),
    await appendLine(directory, '.gitattributes', attributesLine),
    await writeNew(directory, workflow, workflowText(content)),
  ];
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

async function writeNew(directory: string, path: string, text: string): Promise<StarterFile> {
  const file = join(directory, path);
  if ((await readIfThere(file)) !== undefined) return { path, outcome: 'kept' };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { flag: 'wx' });
  return { path, outcome: 'written' };
}

async function appendLine(directory: string, path: string, line: string): Promise<StarterFile> {
  const file = join(directory, path);
  const before = await readIfThere(file);
  if (before === undefined) return writeNew(directory, path, `${line}\n`);
  if (before.split(/\r?\n/).includes(line)) return { path, outcome: 'kept' };
  await writeFile(file, `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${line}\n`);
  return { path, outcome: 'appended' };
}
