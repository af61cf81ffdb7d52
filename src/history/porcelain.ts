import type { SimpleGit, SimpleGitOptions } from 'simple-git';
import { gitEnvironment } from './git-process.ts';
import type { Repository } from './repository.ts';

// simple-git refuses settings that can run programs or lead elsewhere. Here they come from the user's own environment, and CI jobs
// reach their remotes through them; nothing of it comes from a repository or a warehouse.
const allowedByTheUser: NonNullable<SimpleGitOptions['unsafe']> = {
  allowUnsafeAlias: true,
  allowUnsafeAskPass: true,
  allowUnsafeCommandBinaries: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeDiffExternal: true,
  allowUnsafeDiffTextConv: true,
  allowUnsafeEditor: true,
  allowUnsafeExec: true,
  allowUnsafeFilter: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeGitProxy: true,
  allowUnsafeGpgProgram: true,
  allowUnsafeHooksPath: true,
  allowUnsafeInclude: true,
  allowUnsafeMergeDriver: true,
  allowUnsafePack: true,
  allowUnsafePager: true,
  allowUnsafeProtocolOverride: true,
  allowUnsafeSshCommand: true,
  allowUnsafeSubmodule: true,
  allowUnsafeTemplateDir: true,
  allowUnsafeUrlRewrite: true,
};

/** simple-git in the repository, with the user's whole environment. Loaded on first use, since its import takes longer than most git commands. */
export async function openPorcelain(repository: Repository): Promise<SimpleGit> {
  const { simpleGit } = await import('simple-git');
  const environment = gitEnvironment(repository.environment);
  return simpleGit({
    baseDir: repository.directory,
    allowEnvironment: Object.keys(environment),
    unsafe: allowedByTheUser,
  }).env(environment);
}
