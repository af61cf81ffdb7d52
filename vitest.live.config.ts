import { defineConfig } from 'vitest/config';

/** Checks on real accounts, in scratch schemas that they make and drop: `npm run test:live`. */
export default defineConfig({
  test: {
    include: ['test/live/**/*.live.ts'],
    globalSetup: 'test/live/say-what-runs.ts',
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    passWithNoTests: true,
  },
});
