import { spawnSync } from 'node:child_process';

// Every statement and every run of git at which an export and an apply can be killed, interrupted or cut off, and fifty random moments of each: npm run kills, or one
// part of it: npm run kills -- faults/killed -t apply
const chosen = process.argv.slice(2);
const files = chosen.length > 0 ? chosen : ['faults/killed', 'faults/interrupted', 'faults/server-gone'];
const { status } = spawnSync('vitest', ['run', ...files], { stdio: 'inherit', env: { ...process.env, VIEWSYNC_KILLS: 'all' } });
process.exitCode = status ?? 1;
