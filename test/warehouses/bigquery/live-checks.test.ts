import { afterAll, beforeAll, describe } from 'vitest';
import { checkBigQuery } from '../../live/bigquery-checks.ts';
import { createProject } from '../../support/bigquery/project.ts';
import { type BigQueryServer, startBigQuery } from '../../support/bigquery/server.ts';

describe('the checks of a real project, on the simulation', () => {
  let server: BigQueryServer;
  beforeAll(async () => {
    server = await startBigQuery(createProject('my-project', { raw: 'EU' }));
  });
  afterAll(() => server[Symbol.asyncDispose]());
  checkBigQuery(() => ({ project: 'my-project', location: 'EU', member: 'user:ada@example.com', endpoint: server.url }));
});
