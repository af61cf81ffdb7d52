import type { SimpleGit, SimpleGitOptions } from 'simple-git';
import { gitEnvironment } from './git-process.ts';
import type { Repository } from './repository.ts';

// The environment is the user's own, and CI jobs reach their remotes through it; simple-git would remove these variables.
const allowedByTheUser: NonNullable<SimpleGitOptions['unsafe']> = {
  allowUnsafeAskPass: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeDiffExternal: true,
  allowUnsafeEditor: true,
  allowUnsafeExec: true,
  allowUnsafeGitProxy: true,
  allowUnsafePager: true,
  allowUnsafeSshCommand: true,
  allowUnsafeTemplateDir: true,
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
