import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitStatements } from '../../../src/core/statements.ts';
import { lexicalRules } from '../../../src/warehouses/snowflake/lexical-rules.ts';
import { quoteText } from '../../../src/warehouses/snowflake/names.ts';
import { outputNames } from '../../../src/warehouses/snowflake/output-names.ts';
import { parseCreate } from '../../../src/warehouses/snowflake/parse-create.ts';
import { readConstant } from '../../../src/warehouses/snowflake/string-constants.ts';

test('a text that is written as a constant is read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => readConstant(quoteText(text)) === text),
    { numRuns: 300 },
  );
});

test.each([
  ['SELECT a, t.b, "c d", x + 1 AS e FROM t', ['A', 'B', 'c d', 'E']],
  ['WITH q AS (SELECT z FROM t) SELECT DISTINCT q.z AS y, (SELECT 1 FROM t) AS n FROM q UNION SELECT 1, 2', ['Y', 'N']],
  ['SELECT EXTRACT(year FROM d) AS y, CASE WHEN a THEN 1 END AS c -- , d\nFROM t', ['Y', 'C']],
  ['SELECT * FROM t', undefined],
  ['SELECT a, t.* FROM t', undefined],
  ['SELECT a::number FROM t', undefined],
  ['SELECT a b FROM t', undefined],
  ['SELECT count(*) FROM t', undefined],
])('the columns of %s', (sql, names) => {
  expect(outputNames(sql)).toEqual(names);
});

test.each([
  ['CREATE TEMPORARY VIEW D.S.V AS SELECT 1', 'A temporary view belongs to a session'],
  ['CREATE VIEW IF NOT EXISTS D.S.V AS SELECT 1', 'IF NOT EXISTS hides'],
  ['CREATE VIEW S.V AS SELECT 1', 'needs its database and schema'],
  ['CREATE VIEW D.S.V WITH DATA METRIC FUNCTION (x) AS SELECT 1', 'Expected COPY GRANTS'],
  ['CREATE VIEW D.S.V (A NUMBER) AS SELECT 1', 'behind the name of a column'],
  ['CREATE VIEW D.S.V AS', 'a query behind AS'],
  ['CREATE TABLE D.S.V (A NUMBER)', 'MATERIALIZED VIEW or DYNAMIC TABLE'],
])('what a file cannot hold is refused by name: %s', (sql, because) => {
  const [statement] = splitStatements(`${sql};`, lexicalRules);
  expect(() => statement && parseCreate(statement)).toThrow(because);
});
