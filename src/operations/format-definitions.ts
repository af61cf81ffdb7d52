import { availableParallelism } from 'node:os';
import type { FormatDialect } from '../core/format.ts';
import type { Progress } from '../warehouses/warehouse.ts';
import formatJob, { type FormatJob } from './format-worker.ts';

export interface FormatRequest {
  /** Whatever tells the requests apart: the path of the view's file. */
  readonly key: string;
  readonly sql: string;
}

// Starting threads costs about as much as formatting this many characters does.
const worthThreads = 200_000;
const jobLength = 50_000;

interface Work {
  readonly requests: readonly FormatRequest[];
  readonly dialect: FormatDialect;
  readonly progress?: Progress | undefined;
}

/** The requests in groups of about the same length of text. */
function toBatches(requests: readonly FormatRequest[]): FormatRequest[][] {
  const batches: FormatRequest[][] = [];
  let room = 0;
  for (const request of requests) {
    if (room <= 0) {
      batches.push([]);
      room = jobLength;
    }
    batches.at(-1)?.push(request);
    room -= request.sql.length;
  }
  return batches;
}

// The formatter leaves much behind; what is collected early never makes the process grow.
const resourceLimits = { maxYoungGenerationSizeMb: 12 };

type Run = (job: FormatJob) => Promise<readonly string[]>;

async function runBatches({ requests, dialect, progress }: Work, run: Run): Promise<ReadonlyMap<string, string>> {
  const total = requests.length;
  let done = 0;
  const formatBatch = async (batch: readonly FormatRequest[]) => {
    const texts = await run({ texts: batch.map(({ sql }) => sql), dialect });
    done += batch.length;
    progress?.({ what: 'Formatting definitions', done, total });
    return batch.map(({ key }, index) => [key, texts[index] ?? ''] as const);
  };
  return new Map((await Promise.all(toBatches(requests).map(formatBatch))).flat());
}

// The same from the sources and from the package, where every file lies one folder below the one of all code.
function workerFile(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`../operations/format-worker.${extension}`, import.meta.url).href;
}

async function runInThreads(work: Work, threads: number): Promise<ReadonlyMap<string, string>> {
  const { Tinypool } = await import('tinypool');
  const pool = new Tinypool({ filename: workerFile(), runtime: 'worker_threads', minThreads: threads, maxThreads: threads, resourceLimits });
  try {
    return await runBatches(work, (job) => pool.run(job));
  } finally {
    await pool.destroy();
  }
}

/**
 * Returns the formatted definition of each request by its key, as `formatDefinition` makes it; with worker threads when there is much to
 * do. Throws `FILE_UNREADABLE` when a text holds an unclosed quote.
 */
export async function formatDefinitions(requests: readonly FormatRequest[], dialect: FormatDialect, progress?: Progress): Promise<ReadonlyMap<string, string>> {
  const { lexicalRules, formatterLanguage } = dialect;
  const work: Work = { requests, dialect: { lexicalRules, formatterLanguage }, progress };
  const length = requests.reduce((sum, { sql }) => sum + sql.length, 0);
  const threads = Math.min(availableParallelism(), 8);
  return length < worthThreads || threads < 2 ? runBatches(work, formatJob) : runInThreads(work, threads);
}
