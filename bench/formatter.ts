import { availableParallelism } from 'node:os';
import { Tinypool } from 'tinypool';

const jobSize = 50;

/** Milliseconds that the formatter alone takes for the texts, in as many threads as the export uses. */
export async function timeFormatter(texts: readonly string[]): Promise<number> {
  const threads = Math.min(availableParallelism(), 8);
  const started = performance.now();
  const pool = new Tinypool({
    filename: new URL('format-thread.ts', import.meta.url).href,
    runtime: 'worker_threads',
    minThreads: threads,
    maxThreads: threads,
  });
  const jobs = Array.from({ length: Math.ceil(texts.length / jobSize) }, (_, index) => texts.slice(index * jobSize, (index + 1) * jobSize));
  await Promise.all(jobs.map((job) => pool.run(job)));
  const milliseconds = performance.now() - started;
  await pool.destroy();
  return milliseconds;
}
