import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { configDefaults, defineConfig } from 'vitest/config';
import { longSuites, whichSuites } from './test/support/which-suites.ts';

/** Whether programs may run from the folder in memory, and two gigabytes fit. */
function isUsable(folder: string): boolean {
  if (!existsSync(folder) || !existsSync('/proc/mounts')) return false;
  const mount = readFileSync('/proc/mounts', 'utf8').match(new RegExp(`^\\S+ ${folder} .*$`, 'm'))?.[0] ?? 'noexec';
  const { bavail, bsize } = statfsSync(folder);
  return !mount.includes('noexec') && bavail * bsize > 2 ** 31;
}

// git writes every commit through to the disk, which is a third of the suite's time.
if (process.env['TMPDIR'] === undefined && isUsable('/dev/shm')) process.env['TMPDIR'] = '/dev/shm';

export default defineConfig({
  test: {
    include: whichSuites() === 'long' ? [...longSuites] : ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(whichSuites() === 'short' ? longSuites : [])],
    globalSetup: 'test/support/global-setup.ts',
    pool: 'forks',
    // Two cores are busy with three: each of them waits for git and for servers a fifth of its time.
    maxWorkers: 3,
    // To start git, the system copies the page tables of the process that starts it: little memory makes that fast. Threads beside the main one only take turns with it.
    execArgv: ['--max-semi-space-size=2', '--single-threaded'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // oclif writes through console and process.stdout: intercepted output would reach neither a test nor the terminal.
    disableConsoleIntercept: true,
  },
});
