import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/dialect.ts';
import { pathInTarget } from '../../src/core/path.ts';
import { splitStatements } from '../../src/core/statements.ts';
import { hideUnreadable, parseHidden } from '../../src/core/verbatim.ts';
import type { View } from '../../src/core/view.ts';
import { readViewFile, writeViewFile } from '../../src/core/view-file.ts';
import { bigqueryDialect } from '../../src/warehouses/bigquery/dialect.ts';
import { postgresDialect } from '../../src/warehouses/postgres/dialect.ts';
import { redshiftDialect } from '../../src/warehouses/redshift/dialect.ts';
import { snowflakeDialect } from '../../src/warehouses/snowflake/dialect.ts';

const dialects = { postgres: postgresDialect, redshift: redshiftDialect, snowflake: snowflakeDialect, bigquery: bigqueryDialect };

const queries = [
  'SELECT a AS b FROM s.t WHERE c = \'it; is\n; GRANT SELECT ON s.v TO x;\n-- viewsync: {"legacySql":true}\n\n  ',
  'SELECT 1 /* never closed',
  '-- viewsync: {"verbatim":1}\nSELECT 1',
  '-- viewsync: {"verbatim":1}\nSELECT \'x\n-- viewsync: {"verbatim":7}\n;',
].map((query) => query.trimEnd());

const viewOf = (dialect: Dialect, definition: string): View => {
  const name = { ...(dialect.hasCatalogs ? { catalog: 'P' } : {}), schema: 'S', name: 'V' };
  const reads = [{ ...(dialect.hasCatalogs ? { catalog: 'P' } : {}), schema: 's', name: 'header' }];
  return { name, kind: 'view', definition, columns: [{ name: 'a', type: 'text' }], reads, attachments: [], unrestorable: [] };
};

describe.each(Object.entries(dialects))('a query that cannot be read on %s', (_, dialect) => {
  test.each(queries)('comes through its file as it is, whatever stands in it: %j', (definition) => {
    const view = viewOf(dialect, definition);
    const text = writeViewFile(view, dialect);
    expect(text).toContain(`AS\n-- viewsync: {"verbatim":${definition.split('\n').length}}\n${definition}\n;\n`);
    const read = readViewFile(text, pathInTarget(view.name, dialect), dialect);
    expect(read.view.definition).toBe(definition);
    expect(read.view.attachments).toEqual([]);
    expect(writeViewFile(view, dialect, read)).toBe(text);
    const other = { ...view, columns: [] };
    expect(readViewFile(writeViewFile(other, dialect, read), pathInTarget(view.name, dialect), dialect).view.definition).toBe(definition);
  });

  test('a file that was cut off inside of it is refused', () => {
    const view = viewOf(dialect, "SELECT 'x\ny\nz");
    const text = writeViewFile(view, dialect);
    expect(() => readViewFile(`${text.slice(0, text.indexOf('\nz'))}`, pathInTarget(view.name, dialect), dialect)).toThrow(/never closed|semicolon/);
  });
});

test.each([
  ['snowflake', "create or replace view D.S.V(\n\tA COMMENT 'x as y',\n\tB\n) COMMENT='as' as select a as b, 'c;\n; from t\n;", "select a as b, 'c;\n; from t"],
  ['bigquery', "CREATE MATERIALIZED VIEW `p.d.v` PARTITION BY day OPTIONS(description='as') AS SELECT 'it;\n;", "SELECT 'it;"],
  ['redshift', 'create materialized view s.v sortkey (a) as select "a from t;', 'select "a from t'],
] as const)('of a statement that %s keeps everything but the query is read', (warehouse, statement, query) => {
  const dialect = dialects[warehouse];
  const hidden = hideUnreadable(statement, dialect.lexicalRules, /\s*;?\s*$/);
  const [first] = splitStatements(hidden?.text ?? '', dialect.lexicalRules);
  const create = first && parseHidden(first, hidden, dialect.parseCreate);
  expect(create?.definition).toBe(query);
  expect(create?.attachments.length).toBeGreaterThan(0);
});
