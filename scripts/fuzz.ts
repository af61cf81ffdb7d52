import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

// Random schemas, damaged at random and restored: npm run fuzz -- --seeds 500 --from 1
const { values } = parseArgs({ options: { seeds: { type: 'string', default: '500' }, from: { type: 'string', default: '1' } } });
const environment = { ...process.env, VIEWSYNC_SEEDS: values.seeds, VIEWSYNC_FROM: values.from };
const { status } = spawnSync('vitest', ['run', 'test/fuzz'], { stdio: 'inherit', env: environment });
process.exitCode = status ?? 1;
