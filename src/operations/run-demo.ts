import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ViewsyncError } from '../errors.ts';
import type { Environment } from '../project.ts';
import { type Scene, scenes } from './demo-scenes.ts';

/** Where the story is told, and who carries it out. */
export interface Stage {
  /** One line for the audience. */
  tell(line: string): void;
  /** What somebody runs in the database. */
  show(sql: string): void;
  /** Runs a command in the demo's folder, its output for all to see; resolves to its exit code. */
  run(command: readonly [string, ...string[]], place: { readonly directory: string; readonly environment: Environment }): Promise<number>;
}

export interface DemoRequest {
  /** Must be absent, empty, or the folder of an earlier demo, which is replaced. */
  readonly directory: string;
  readonly environment: Environment;
}

export interface DemoResult {
  readonly directory: string;
  /** What the server says of the views, boiled down to one checksum. */
  readonly views: number;
  readonly checksum: string;
  readonly isRestored: boolean;
}

interface Proof {
  readonly views: number;
  readonly checksum: string;
}

interface Play {
  readonly stage: Stage;
  readonly directory: string;
  readonly environment: Environment;
  readonly query: <Row>(script: string) => Promise<readonly Row[]>;
  remembered: Proof | undefined;
}

const assets = new URL('../../assets/demo/', import.meta.url);

/** A file that tells a folder made by the demo from any other. */
const mark = 'viewsync-demo';

/**
 * Plays the whole story on an embedded server: backup, drift, an accident, the way back. Leaves a repository behind, and no server.
 * `SERVER_MISSING` names the package to install, `PATH_TAKEN` when the folder holds something else.
 */
export async function runDemo({ directory, environment }: DemoRequest, stage: Stage): Promise<DemoResult> {
  const folder = resolve(directory);
  const { findEmbeddedBinaries, startServer } = await import('../warehouses/postgres/embedded-server.ts');
  const { runScript } = await import('../warehouses/postgres/run-script.ts');
  const binaries = findEmbeddedBinaries();
  await clearFolder(folder);
  const server = await startServer({ binaries });
  try {
    stage.tell(`PostgreSQL ${server.version} runs on a private socket.`);
    const play: Play = {
      stage,
      directory: folder,
      environment: { ...environment, DATABASE_URL: server.url },
      query: (script) => runScript(server.url, script),
      remembered: undefined,
    };
    for (const scene of scenes) await playScene(scene, play);
    const proof = await readProof(play);
    return { directory: folder, ...proof, isRestored: proof.checksum === play.remembered?.checksum };
  } finally {
    await server.stop();
  }
}

async function clearFolder(folder: string): Promise<void> {
  const entries = existsSync(folder) ? await readdir(folder) : [];
  if (entries.length > 0 && !existsSync(join(folder, '.git', mark))) {
    throw new ViewsyncError('PATH_TAKEN', {
      message: `The folder "${folder}" holds something else than an earlier demo. Nothing was done.`,
      suggestions: ['viewsync demo --directory another-folder'],
    });
  }
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
}

async function playScene(scene: Scene, play: Play): Promise<void> {
  if (scene.tell !== '') play.stage.tell(scene.tell);
  if ('command' in scene) return playCommand(scene.command, play);
  if ('script' in scene) return playScript(scene, play);
  return playProof(scene.proof, play);
}

async function playCommand(command: readonly [string, ...string[]], play: Play): Promise<void> {
  const { directory, environment, stage } = play;
  const exitCode = await stage.run(command, { directory, environment });
  if (exitCode !== 0) throw new ViewsyncError('INTERNAL', { message: `The demo stopped: "${command.join(' ')}" ended with exit code ${exitCode}.` });
  if (command[0] === 'git' && command[1] === 'init') await markFolder(directory);
}

/** The demo must not need a git identity of the machine, nor leave one behind elsewhere. */
async function markFolder(directory: string): Promise<void> {
  await writeFile(join(directory, '.git', mark), '');
  const path = join(directory, '.git', 'config');
  await writeFile(path, `${await readFile(path, 'utf8')}[user]\n\tname = Demo\n\temail = demo@example.com\n[commit]\n\tgpgSign = false\n`);
}

async function playScript({ script, shows }: Extract<Scene, { script: string }>, { stage, query }: Play): Promise<void> {
  const text = await readFile(new URL(script, assets), 'utf8');
  if (shows === 'statements') stage.show(text.trimEnd());
  await query(text);
}

async function readProof({ query }: Play): Promise<Proof> {
  const [proof] = await query<Proof>(await readFile(new URL('proof.sql', assets), 'utf8'));
  return proof ?? { views: 0, checksum: '' };
}

async function playProof(kind: Extract<Scene, { proof: string }>['proof'], play: Play): Promise<void> {
  const proof = await readProof(play);
  play.stage.tell(`  ${proof.views} views, checksum ${proof.checksum ?? 'none'}`);
  if (kind === 'remember') play.remembered = proof;
  if (kind === 'same' && proof.checksum !== play.remembered?.checksum)
    throw new ViewsyncError('INTERNAL', { message: 'The demo failed: the views are not what they were.' });
  if (kind === 'same') play.stage.tell('  The same as before the accident: definitions, columns, owners, grants, comments, options and indexes.');
}
