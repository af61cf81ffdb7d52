import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// Every suite on every supported PostgreSQL, or on the ones named: npm run test:matrix -- 13 14

const supported = ['13', '14', '15', '16', '17', '18'];
const versions = process.argv.slice(2).filter((argument) => /^\d+$/.test(argument));
const others = process.argv.slice(2).filter((argument) => !/^\d+$/.test(argument));
const root = fileURLToPath(new URL('..', import.meta.url));

function run(command: string, args: readonly string[], options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv }): void {
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32', ...options });
  if (status !== 0) process.exit(status ?? 1);
}

run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: `${root}test/matrix` });
for (const version of versions.length > 0 ? versions : supported) {
  run('npx', ['vitest', 'run', ...others], { cwd: root, env: { ...process.env, VIEWSYNC_POSTGRES: version, VIEWSYNC_TESTS: 'all' } });
}
