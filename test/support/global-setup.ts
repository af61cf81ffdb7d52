import type { TestProject } from 'vitest/node';
import { startAllServers } from './postgres-server.ts';

/** Starts one PostgreSQL server per installed version for the whole run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = await startAllServers();
  const running = started.map((each) => each.running);
  project.provide('postgresServers', running);
  console.log(`PostgreSQL servers: ${running.map((each) => each.fullVersion).join(', ') || 'none'}`);
  return async () => {
    await Promise.all(started.map(({ server }) => server.stop()));
  };
}
