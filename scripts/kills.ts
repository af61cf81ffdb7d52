import { spawnSync } from 'node:child_process';

// Every statement and every run of git at which an export and an apply can be killed, interrupted or cut off, and fifty random moments of each: npm run kills
const files = ['killed', 'interrupted', 'server-gone'].map((name) => `test/faults/${name}.test.ts`);
const { status } = spawnSync('vitest', ['run', ...files], { stdio: 'inherit', env: { ...process.env, VIEWSYNC_KILLS: 'all' } });
process.exitCode = status ?? 1;
