import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// What an ordinary run tries on the newest PostgreSQL alone, on the oldest that it starts.

const root = fileURLToPath(new URL('..', import.meta.url));
const files = globSync('test/**/*.test.ts', { cwd: root }).filter((file) => readFileSync(`${root}${file}`, 'utf8').includes('newestServer()'));
const { status } = spawnSync('npx', ['vitest', 'run', ...files, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, VIEWSYNC_POSTGRES: '15' },
});
process.exit(status ?? 1);
