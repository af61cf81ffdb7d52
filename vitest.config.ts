import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // oclif writes through console and process.stdout: intercepted output would reach neither a test nor the terminal.
    disableConsoleIntercept: true,
  },
});
