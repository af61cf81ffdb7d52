import { describe, expect, test } from 'vitest';
import { viewPath } from '../../../src/core/path.ts';
import { objectsOf } from '../../../src/core/snapshot.ts';
import type { View } from '../../../src/core/view.ts';
import { readViewFile, writeViewFile } from '../../../src/core/view-file.ts';
import { postgresDialect } from '../../../src/warehouses/postgres/dialect.ts';
import { allPostgresServers, createDatabase } from '../../support/postgres-server.ts';
import { inspect } from './inspecting.ts';

const fixtures = ['obstacles.sql', 'bystanders.sql', 'every-attribute.sql', 'features.sql'];

function readBack(view: View): View {
  const path = viewPath({ viewsFolder: 'views', target: 'prod' }, view.name, postgresDialect);
  return readViewFile(writeViewFile(view, postgresDialect), path, postgresDialect).view;
}

const comparable = ({ name, kind, definition, attachments }: View) => ({ name, kind, definition, attachments });

describe.each(allPostgresServers())('on PostgreSQL $version', ({ version }) => {
  // Bodies that the server parses are known from 14 on.
  test.each(fixtures.filter((fixture) => version >= 14 || fixture !== 'bystanders.sql'))(
    'whatever is read from the server is read back from its file: %s',
    async (fixture) => {
      await using database = await createDatabase(version);
      await database.load(fixture);
      await database.query(`CREATE SCHEMA open; GRANT USAGE ON SCHEMA open TO PUBLIC; CREATE VIEW open.v AS SELECT 1 AS n`);
      const objects = objectsOf((await inspect(database.url)).snapshot);
      expect(objects.length).toBeGreaterThan(5);
      expect(objects.map(readBack).map(comparable)).toEqual(objects.map(comparable));
    },
  );
});
