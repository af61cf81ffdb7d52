import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

// A simulated life of a repository and its database: npm run simulate -- --nights 365 --seed 7
const { values } = parseArgs({ options: { nights: { type: 'string', default: '365' }, seed: { type: 'string', default: '7' } } });
const environment = { ...process.env, VIEWSYNC_NIGHTS: values.nights, VIEWSYNC_SEED: values.seed };
const { status } = spawnSync('vitest', ['run', 'test/faults/simulation'], { stdio: 'inherit', env: environment });
process.exitCode = status ?? 1;
