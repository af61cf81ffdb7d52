import { expect, test } from 'vitest';
import { type RetryOptions, retry } from '../../src/warehouses/retry.ts';

const busy = new Error('busy');
const options: RetryOptions = { deadline: 1000, firstDelay: 1, isRetryable: (error) => error === busy };

/** Fails so many times, then answers with the number of the attempt. */
function failing(times: number, error: Error = busy) {
  let attempts = 0;
  const work = async () => {
    attempts += 1;
    if (attempts <= times) throw error;
    return attempts;
  };
  return { work, attempts: () => attempts };
}

test('tries again until it succeeds, longer and longer apart', async () => {
  const delays: number[] = [];
  const onRetry = ({ delay }: { delay: number }) => delays.push(delay);
  expect(await retry(failing(3).work, { ...options, firstDelay: 4, onRetry })).toBe(4);
  for (const [index, delay] of delays.entries()) expect([delay >= 4 * 2 ** index, delay <= 8 * 2 ** index]).toEqual([true, true]);
});

test('raises at once what no other attempt would change', async () => {
  const { work, attempts } = failing(3, new Error('denied'));
  await expect(retry(work, options)).rejects.toThrow('denied');
  expect(attempts()).toBe(1);
});

test('raises the last error when the deadline passes', async () => {
  const from = performance.now();
  await expect(retry(failing(Number.POSITIVE_INFINITY).work, { ...options, deadline: 60, firstDelay: 20 })).rejects.toBe(busy);
  expect(performance.now() - from).toBeLessThan(1000);
});

test('ends the waiting when it is interrupted', async () => {
  const controller = new AbortController();
  const waiting = retry(failing(Number.POSITIVE_INFINITY).work, { ...options, deadline: 60_000, firstDelay: 30_000, signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  await expect(waiting).rejects.toBe(busy);
});

test('what succeeded while it was interrupted has succeeded, and what failed says why', async () => {
  const interrupting = (end: () => number) => {
    const controller = new AbortController();
    const work = async () => {
      controller.abort();
      return end();
    };
    return retry(work, { ...options, signal: controller.signal });
  };
  expect(await interrupting(() => 7)).toBe(7);
  const fail = () => {
    throw busy;
  };
  await expect(interrupting(fail)).rejects.toBe(busy);
});
