import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findEmbeddedBinaries, startServer } from '../../../src/warehouses/postgres/embedded-server.ts';
import { createDatabase, postgresServers } from '../../support/postgres-server.ts';

describe.each(postgresServers())('PostgreSQL $version', ({ version }) => {
  test('gives each test a database of its own', async () => {
    await using database = await createDatabase(version);
    const [row] = await database.query('SELECT current_database() AS name, current_setting($$server_version_num$$)::int / 10000 AS version');
    expect(row).toEqual({ name: database.name, version });
  });
});

describe('an embedded server', () => {
  test('leaves nothing behind when it is stopped', async () => {
    const server = await startServer({ binaries: findEmbeddedBinaries() });
    expect(existsSync(`${server.socketDirectory}/.s.PGSQL.${server.port}`)).toBe(true);
    await server.stop();
    expect(existsSync(server.socketDirectory)).toBe(false);
  });

  test('says what is wrong when it cannot start', async () => {
    const start = startServer({ binaries: findEmbeddedBinaries(), settings: { shared_buffers: 'nonsense' } });
    await expect(start).rejects.toMatchObject({ code: 'SERVER_MISSING', message: expect.stringContaining('nonsense') });
  });
});
