import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { createRole, newestServer } from '../support/postgres-server.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';
import { hostileNames, hostileTexts, quoteName, quoteText } from './hostile.ts';
import { expectAgreement } from './laws.ts';

const dropEveryView = `DO $do$ DECLARE relation record; BEGIN
  FOR relation IN SELECT format('%I.%I', schemaname, viewname) AS name FROM pg_views WHERE schemaname NOT IN ('pg_catalog', 'information_schema') LOOP
    EXECUTE 'DROP VIEW IF EXISTS ' || relation.name || ' CASCADE';
  END LOOP; END $do$`;

/** Export, drop everything, apply: the catalog must be what it was, and everything must agree. */
async function expectRoundTrip(place: Workplace): Promise<void> {
  const before = await describeCatalog(place.database.url);
  await place.export();
  await expectAgreement(place);
  await place.database.query(dropEveryView);
  await place.apply('HEAD');
  expect(await describeCatalog(place.database.url)).toEqual(before);
  await expectAgreement(place);
}

describe.each([newestServer().version])('on PostgreSQL %i', (version) => {
  test('views, columns and what they read may be called anything', async () => {
    const place = await openWorkplace({ version });
    const views = hostileNames.flatMap((name, index) => {
      const before = hostileNames[index - 1];
      const from = before === undefined ? '' : ` FROM s.${quoteName(before)}`;
      const comment = quoteText(hostileTexts[index % hostileTexts.length] ?? '');
      return [
        `CREATE VIEW s.${quoteName(name)} AS SELECT ${index} AS ${quoteName(name)}, 'x' AS ${quoteName(`${[...name].slice(0, 20).join('')}2`)}${from}`,
        `COMMENT ON COLUMN s.${quoteName(name)}.${quoteName(name)} IS ${comment}`,
        `COMMENT ON VIEW s.${quoteName(name)} IS ${comment}`,
        `GRANT SELECT (${quoteName(name)}) ON s.${quoteName(name)} TO public`,
      ];
    });
    const table = 's."Case.sql"';
    const policy = `CREATE TABLE ${table} (); CREATE POLICY p ON ${table} USING (EXISTS (SELECT FROM s."Case"))`;
    await place.database.query(`CREATE SCHEMA s; ${views.join(';\n')}; ${policy}`);
    await expectRoundTrip(place);
    const files = place.git('ls-tree', '-r', '--name-only', 'HEAD', '--', 'views').split('\n');
    expect(files).toHaveLength(hostileNames.length + 3);
    expect(new Set(files.map((path) => path.toLowerCase().normalize('NFC'))).size).toBe(files.length);
    expect(files.filter((path) => !/^[\x21-\x7e]+$/.test(path) || /[<>:"|?*\\]|[. ](\/|$)|(^|\/)\.{1,2}(\/|$)/.test(path))).toEqual([]);
  });

  test('schemas and roles may be called anything', async () => {
    const place = await openWorkplace({ version });
    const schemas = hostileNames.filter((name) => !name.startsWith('pg_'));
    const roles = hostileNames.filter((name) => name.length < 40).map((name) => `f ${name}`);
    const make = schemas.map((name, index) => {
      const role = quoteName(roles[index % roles.length] ?? '');
      const view = `${quoteName(name)}."v'""\n"`;
      return `CREATE SCHEMA ${quoteName(name)}; CREATE VIEW ${view} AS SELECT 1 AS n; ALTER VIEW ${view} OWNER TO ${role}; GRANT SELECT ON ${view} TO ${role}, public WITH GRANT OPTION`.replace(
        ', public WITH GRANT OPTION',
        ' WITH GRANT OPTION',
      );
    });
    await place.database.query(roles.map((role) => createRole(quoteName(role)).replaceAll('$do$', '$hostile$')).join('\n'));
    await place.database.query(make.join(';\n'));
    await expectRoundTrip(place);
    expect(place.git('ls-tree', '-r', '--name-only', 'HEAD', '--', 'views').split('\n')).toHaveLength(2 * schemas.length + 1);
    await place.database.query(
      `${dropEveryView.replaceAll('$do$', '$hostile$')}; DROP OWNED BY ${roles.map(quoteName).join(', ')}; DROP ROLE ${roles.map(quoteName).join(', ')}`,
    );
  });

  test('definitions and comments may hold anything', async () => {
    const place = await openWorkplace({ version });
    const views = hostileTexts.flatMap((text, index) => [
      `CREATE VIEW s.v${index} AS SELECT ${quoteText(text)} AS a, ${quoteText(`${text}${text}`)}::text || ${quoteText(text)} AS b WHERE ${quoteText(text)} <> 'x' -- ends in a comment`,
      `COMMENT ON VIEW s.v${index} IS ${quoteText(text)}`,
    ]);
    await place.database.query(`CREATE SCHEMA s; ${views.join('\n;\n')}`);
    await expectRoundTrip(place);
    expect(existsSync(join(place.directory, 'views/prod/s/v0.sql'))).toBe(true);
    expect(readFileSync(join(place.directory, 'views/prod/s/v11.sql'), 'utf8')).toContain('\r\n');
  });
});
