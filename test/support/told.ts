import { expect } from 'vitest';
import { type ErrorCode, ViewsyncError } from '../../src/errors.ts';
import type { ErrorDocument } from '../../src/render/error.ts';

/** In which words it is said what state things are in. */
const states = [
  /[Nn]othing (was |has )?(changed|done|read|recorded|run|pushed|begun|started)\b/,
  /[Rr]olled back/,
  /moved no branch/,
  /recorded in this repository, but not pushed/,
  /^Interrupted/,
  /steps were (applied|undone)/,
  /took effect as a whole or not at all/,
];

interface Expected {
  readonly code: ErrorCode | RegExp;
  readonly exitCode: number;
  /** What happened and why. */
  readonly because: string | RegExp;
  /** What to type next, in one of the suggestions. */
  readonly next: string | RegExp;
}

const matching = (expected: string | RegExp) => (typeof expected === 'string' ? expect.stringContaining(expected) : expect.stringMatching(expected));

/** Requires of an error, or of what `--json` prints of one, what a person needs: what happened and why, what to type next, what state things are in. */
export function expectTold(found: unknown, { code, exitCode, because, next }: Expected, hint = ''): void {
  const error = found instanceof ViewsyncError ? found : (found as ErrorDocument | undefined)?.error;
  expect(error, hint).toMatchObject({ code: typeof code === 'string' ? code : matching(code), exitCode, message: matching(because) });
  const { message = '', suggestions = [] } = error ?? {};
  expect(suggestions, hint).toContainEqual(matching(next));
  expect(
    states.some((state) => state.test(message)),
    `${hint}: does not say what state things are in: ${message}`,
  ).toBe(true);
}
