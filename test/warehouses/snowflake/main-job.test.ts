import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findRelation } from '../../support/snowflake/account.ts';
import { openSnowflake, type SnowflakePlace, stateOf } from './place.ts';

const shop = [
  'CREATE TABLE PROD.SHOP.ORDERS (ID NUMBER, TOTAL NUMBER, EMAIL TEXT)',
  `CREATE SECURE VIEW PROD.SHOP.BIG (ID COMMENT 'the number', TOTAL, EMAIL WITH MASKING POLICY PROD.SHOP.MASK USING (EMAIL, ID))
  COMMENT = 'big orders' CHANGE_TRACKING = TRUE WITH ROW ACCESS POLICY PROD.SHOP.ROWS ON (ID) WITH TAG (PROD.SHOP.TEAM = 'Ada''s')
  AS // more than ten
SELECT ID, TOTAL, EMAIL FROM ORDERS WHERE TOTAL > 10 /* ) $$ */`,
  'GRANT SELECT ON VIEW PROD.SHOP.BIG TO ROLE READER WITH GRANT OPTION',
  'GRANT REFERENCES ON VIEW PROD.SHOP.BIG TO SHARE PARTNER',
  'CREATE VIEW PROD.SHOP.EVERYTHING AS SELECT * FROM PROD.SHOP.BIG',
  'CREATE VIEW PROD.OTHER."Best" AS SELECT ID FROM PROD.SHOP.BIG -- all',
  'GRANT SELECT ON VIEW PROD.OTHER."Best" TO ROLE READER',
];

const fileOf = ({ directory }: SnowflakePlace, path: string) => readFileSync(join(directory, 'views/prod', path), 'utf8');

function editFile(place: SnowflakePlace, path: string, change: (text: string) => string): void {
  writeFileSync(join(place.directory, 'views/prod', path), change(fileOf(place, path)));
}

test('every view has a file that says all there is to it, and a second export changes nothing', async () => {
  const place = await openSnowflake(shop);
  expect(await place.export()).toMatchObject({ subject: 'prod: baseline, 3 views', server: 'Snowflake 9.30.1', unreadable: [] });
  expect(fileOf(place, 'prod/shop/big.sql')).toMatchInlineSnapshot(`
    "-- view: PROD.SHOP.BIG
    -- reads: PROD.SHOP.ORDERS
    -- columns: ID NUMBER(38,0)
    --          TOTAL NUMBER(38,0)
    --          EMAIL VARCHAR

    CREATE OR REPLACE SECURE VIEW "PROD"."SHOP"."BIG" (
      "ID",
      "TOTAL",
      "EMAIL" WITH MASKING POLICY "PROD"."SHOP"."MASK" USING ("EMAIL", "ID")
    )
    COPY GRANTS
    CHANGE_TRACKING = TRUE
    WITH ROW ACCESS POLICY "PROD"."SHOP"."ROWS" ON ("ID")
    WITH TAG ("PROD"."SHOP"."TEAM" = 'Ada''s')
    AS
    // more than ten
    SELECT
      ID,
      TOTAL,
      EMAIL
    FROM
      ORDERS
    WHERE
      TOTAL > 10 /* ) $$ */
    ;

    GRANT OWNERSHIP ON VIEW "PROD"."SHOP"."BIG" TO ROLE "VIEWSYNC" COPY CURRENT GRANTS;
    GRANT SELECT ON VIEW "PROD"."SHOP"."BIG" TO ROLE "READER" WITH GRANT OPTION;
    GRANT REFERENCES ON VIEW "PROD"."SHOP"."BIG" TO SHARE "PARTNER";
    ALTER VIEW "PROD"."SHOP"."BIG" SET COMMENT = 'big orders';
    COMMENT ON COLUMN "PROD"."SHOP"."BIG"."ID" IS 'the number';
    "
  `);
  expect(fileOf(place, 'prod/other/b+e+s+t.sql')).toMatchInlineSnapshot(`
    "-- view: PROD.OTHER.Best
    -- reads: PROD.SHOP.BIG
    -- columns: ID NUMBER(38,0)

    CREATE OR REPLACE VIEW "PROD"."OTHER"."Best"
    COPY GRANTS
    AS
    SELECT
      ID
    FROM
      PROD.SHOP.BIG -- all
    ;

    GRANT OWNERSHIP ON VIEW "PROD"."OTHER"."Best" TO ROLE "VIEWSYNC" COPY CURRENT GRANTS;
    GRANT SELECT ON VIEW "PROD"."OTHER"."Best" TO ROLE "READER";
    "
  `);
  expect((await place.export()).commit).toBeUndefined();
  expect((await place.plan('HEAD')).plan.steps).toEqual([]);
});

test('HEAD brings back what was dropped with everything that belongs to it; rollback undoes that, and redoes it', async () => {
  const place = await openSnowflake(shop);
  const before = stateOf(place);
  await place.export();
  place.server.run(['DROP VIEW PROD.OTHER."Best"', 'DROP VIEW PROD.SHOP.EVERYTHING', 'DROP VIEW PROD.SHOP.BIG']);
  const left = stateOf(place);
  await place.apply('HEAD');
  expect(stateOf(place)).toEqual(before);
  await place.rollback();
  expect(stateOf(place)).toEqual(left);
  await place.rollback();
  expect(stateOf(place)).toEqual(before);
  expect(await place.status()).toMatchObject({ differing: [], views: 3 });
});

test('a replaced view keeps grants, shares, tags, policies and comments, and what selects * from it gets its new column', async () => {
  const place = await openSnowflake(shop);
  await place.export();
  editFile(place, 'prod/shop/big.sql', (text) =>
    text
      .replace('  TOTAL,\n  EMAIL\nFROM', '  TOTAL,\n  EMAIL,\n  1 AS LEVEL\nFROM')
      .replace('USING ("EMAIL", "ID")\n)', 'USING ("EMAIL", "ID"),\n  "LEVEL"\n)'),
  );
  const { plan } = await place.apply('worktree', { allowed: ['WIDENS_ACCESS'] });
  expect(plan.steps.map(({ kind, view, because }) => `${kind} ${view.name}: ${because}`)).toMatchInlineSnapshot(`
    [
      "replace BIG: its definition differs",
      "replace EVERYTHING: it takes over the columns of PROD.SHOP.BIG, which change",
      "alter BIG: a replace loses it",
      "alter BIG: a replace loses it",
    ]
  `);
  const big = findRelation(place.account, ['PROD', 'SHOP', 'BIG']);
  expect(big).toMatchObject({ comment: 'big orders', isSecure: true, changeTracking: true, tags: new Map([['PROD.SHOP.TEAM', "Ada's"]]) });
  expect(big?.grants.map(({ grantee, isGrantable }) => [grantee, isGrantable])).toEqual([
    ['READER', true],
    ['PARTNER', false],
  ]);
  expect(findRelation(place.account, ['PROD', 'SHOP', 'EVERYTHING'])?.columns.map(({ name }) => name)).toEqual(['ID', 'TOTAL', 'EMAIL', 'LEVEL']);
  expect((await place.status()).differing).toEqual([]);
});
