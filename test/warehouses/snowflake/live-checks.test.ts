import { afterAll, beforeAll, describe } from 'vitest';
import { checkSnowflake } from '../../live/snowflake-checks.ts';
import { createAccount } from '../../support/snowflake/account.ts';
import { type SnowflakeServer, startSnowflake } from '../../support/snowflake/server.ts';

describe('the checks of a real account, on the simulation', () => {
  let server: SnowflakeServer;
  beforeAll(async () => {
    server = await startSnowflake(createAccount({ PROD: [] }, ['PUBLIC']));
  });
  afterAll(() => server[Symbol.asyncDispose]());
  checkSnowflake(() => ({ options: server.options, database: 'PROD' }));
});
