import { afterAll, beforeAll } from 'vitest';
import { checkRedshift } from '../../live/redshift-checks.ts';
import { type SimulatedRedshift, startRedshift } from '../../support/redshift/server.ts';

let server: SimulatedRedshift;

beforeAll(async () => {
  server = await startRedshift();
});
afterAll(() => server[Symbol.asyncDispose]());

// The checks for a real cluster hold on the simulation too: so it says there what it says here, and the checks themselves run.
checkRedshift(() => server.url);
