import type { TestProject } from 'vitest/node';
import { startAllServers } from './postgres-server.ts';
import { longSuites, whichSuites } from './which-suites.ts';

/** Starts one PostgreSQL server per installed version for the whole run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = await startAllServers();
  const running = started.map((each) => each.running);
  project.provide('postgresServers', running);
  console.log(`PostgreSQL servers: ${running.map((each) => each.fullVersion).join(', ') || 'none'}`);
  if (whichSuites() === 'short') console.log(`Not in this run: ${longSuites.length} suites that take minutes of their own (npm run test:long).`);
  return async () => {
    await Promise.all(started.map(({ server }) => server.stop()));
  };
}
