import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { configurationFile, readConfiguration } from '../config.ts';
import { ViewsyncError } from '../errors.ts';
import { initializeRepository } from '../history/initialize-repository.ts';
import { chooseTarget, connectTarget, type Environment } from '../project.ts';
import { attributesLine, configurationText, type StarterContent, workflowText } from './starter-files.ts';

export interface InitializeRequest {
  readonly directory: string;
  readonly environment: Environment;
  readonly target: string;
  readonly warehouse: string;
  /** As it is to stand in `viewsync.yaml`: with `${VARIABLE}` instead of a password. */
  readonly url: string;
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
  await tryConnection(request);
  await mkdir(directory, { recursive: true });
  const { prefix, isNew } = await initializeRepository({ directory, environment: request.environment });
  const files = await writeFiles(directory, { ...request, prefix });
  return { directory, repository: isNew ? 'created' : 'found', files, target: request.target };
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

async function tryConnection(request: InitializeRequest): Promise<void> {
  const configuration = await readConfiguration(configurationText({ ...request, prefix: '' }));
  const warehouse = await connectTarget(request, chooseTarget(configuration, request.target));
  await warehouse.close();
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
