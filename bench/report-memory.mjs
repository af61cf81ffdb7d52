// Loaded into a measured process with --import: leaves behind how much memory the process had at its peak.
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) process.on('exit', () => writeFileSync(process.env['BENCH_MEMORY_FILE'], String(process.resourceUsage().maxRSS * 1024)));
