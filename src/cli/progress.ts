import type { Progress } from '../warehouses/warehouse.ts';

/** Tells on stderr what goes on, once it has gone on for a second; only on a terminal. */
export interface ProgressLine {
  readonly report: Progress;
  stop(): void;
}

const patience = 1000;

export function startProgress(): ProgressLine {
  if (!process.stderr.isTTY) return { report: () => undefined, stop: () => undefined };
  let text = '';
  let spinner: { text: string; stop(): unknown } | undefined;
  let isStopped = false;
  const timer = setTimeout(async () => {
    const { default: ora } = await import('ora');
    if (!isStopped) spinner = ora({ text, stream: process.stderr, discardStdin: false }).start();
  }, patience);
  return {
    report: ({ what, done, total }) => {
      text = total === undefined ? `${what} ${done > 0 ? done : ''}`.trimEnd() : `${what} ${done} of ${total}`;
      if (spinner !== undefined) spinner.text = text;
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
      spinner?.stop();
    },
  };
}
