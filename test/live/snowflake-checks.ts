import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Step } from '../../src/core/plan.ts';
import type { View } from '../../src/core/view.ts';
import { snowflake } from '../../src/warehouses/snowflake/adapter.ts';
import { type Connection, openConnection } from '../../src/warehouses/snowflake/connection.ts';
import { quoteIdentifier } from '../../src/warehouses/snowflake/names.ts';
import { readOptions } from '../../src/warehouses/snowflake/options.ts';
import type { Warehouse } from '../../src/warehouses/warehouse.ts';

export interface LiveAccount {
  /** Options of a target; empty where variables or `connections.toml` say it all. */
  readonly options: Readonly<Record<string, unknown>>;
  /** A database in which the role may create schemas. */
  readonly database: string;
}

interface Scratch {
  readonly connection: Connection;
  readonly warehouse: Warehouse;
  /** `"DB"."SCHEMA"`. */
  readonly schema: string;
  run(...statements: readonly string[]): Promise<void>;
  readViews(): Promise<readonly View[]>;
}

const name = `VIEWSYNC_LIVE_${process.pid}`;

const setUp = (schema: string) => [
  `CREATE SCHEMA ${schema}`,
  `CREATE TABLE ${schema}.BASE (ID NUMBER, NAME TEXT)`,
  `CREATE SECURE VIEW ${schema}.A (ID COMMENT 'the number', NAME) COMMENT = 'it''s a' CHANGE_TRACKING = TRUE AS /* first */ SELECT ID, NAME FROM BASE`,
  `CREATE VIEW ${schema}."lower.case" AS SELECT * FROM ${schema}.A`,
  `GRANT SELECT ON VIEW ${schema}.A TO ROLE PUBLIC`,
];

async function openScratch({ options, database }: LiveAccount): Promise<Scratch> {
  const connection = await openConnection(await readOptions(options, process.env, { command: 'test' }));
  const schema = `${quoteIdentifier(database)}.${quoteIdentifier(name)}`;
  const run = async (...statements: readonly string[]) => {
    for (const sql of statements) await connection.query(sql);
  };
  await run(...setUp(schema));
  const warehouse = await snowflake.connect(options, process.env, { command: 'test' });
  const readViews = async () => (await warehouse.inspect({ schemas: [`${database}.${name}.*`] })).snapshot.views;
  return { connection, warehouse, schema, run, readViews };
}

/** Opens it before the tests and takes everything away after them. */
function useScratch(getAccount: () => LiveAccount): () => Scratch {
  let scratch: Scratch | undefined;
  beforeAll(async () => {
    scratch = await openScratch(getAccount());
  });
  afterAll(async () => {
    await scratch?.connection.query(`DROP SCHEMA ${scratch.schema}`);
    await scratch?.warehouse.close();
    await scratch?.connection.close();
  });
  return () => scratch as Scratch;
}

const step = (kind: Step['kind'], view: View, sql: string): Step => ({ kind, view: view.name, sql, because: 'a check' });
const makesOf = ({ attachments }: View) => attachments.map(({ kind, key, value }) => [kind, key, value].join(' ').trim());

/** What the adapter takes for granted: `docs/verification.md` lists it. In a schema of its own, which is dropped afterwards. */
export function checkSnowflake(getAccount: () => LiveAccount): void {
  const open = useScratch(getAccount);

  test('the queries of the catalog run, and a view is read with all that belongs to it', async () => {
    const views = await open().readViews();
    expect(views.map((view) => view.name.name)).toEqual(['lower.case', 'A']);
    const view = views.find((each) => each.name.name === 'A') as View;
    expect(view.definition).toMatch(/^\/\* first \*\/ SELECT ID, NAME FROM BASE$/);
    expect(makesOf(view)).toEqual(
      expect.arrayContaining(['secure  secure', 'change tracking  on', "comment  it's a", 'comment column ID the number', 'grant ROLE PUBLIC SELECT']),
    );
  });

  test('a replace keeps the rights, loses what it does not restate, and is compiled', async () => {
    const { warehouse, readViews } = open();
    const before = await readViews();
    const view = before.find((each) => each.name.name === 'A') as View;
    const failed = await warehouse.transact({ lockTimeout: 5000, attempts: 1, locks: [view] }, async (transaction) => {
      const { failure } = await transaction.execute([step('replace', view, warehouse.dialect.createView(view, 'replace'))]);
      return [failure, await transaction.findBroken?.(before.map((each) => each.name))];
    });
    expect(failed).toEqual([undefined, []]);
    const after = (await readViews()).find((each) => each.name.name === 'A') as View;
    expect(makesOf(after).filter((make) => !make.startsWith('comment'))).toEqual(makesOf(view).filter((make) => !make.startsWith('comment')));
    await open().run(...view.attachments.filter(({ kind }) => kind === 'comment').map(({ make }) => make));
    expect(await readViews()).toEqual(before);
  });

  test('a view that selects * no longer works when what it reads gets a column', async () => {
    const { warehouse, run, schema, readViews } = open();
    const views = await readViews();
    const star = views.find((each) => each.name.name === 'lower.case') as View;
    await run(`CREATE OR REPLACE VIEW ${schema}.A AS SELECT ID, NAME, 1 AS MORE FROM ${schema}.BASE`);
    const broken = await warehouse.transact(
      { lockTimeout: 5000, attempts: 1, locks: [] },
      (transaction) => transaction.findBroken?.([star.name]) ?? Promise.resolve([]),
    );
    expect(broken.map(({ reason }) => reason)).toEqual([expect.stringMatching(/declared 2 column\(s\), but view query produces 3/)]);
  });

  test('an open transaction that has locked nothing is listed by its name', async () => {
    const { warehouse } = open();
    const second = await snowflake.connect(getAccount().options, process.env, { command: 'test' });
    await warehouse.transact({ lockTimeout: 5000, attempts: 1, locks: [] }, async () => expect(await second.isBusy()).toBe(true));
    await second.close();
  });
}

/** What no document says, and what the simulation does not know: the answer is printed, and either is fine. */
export function exploreSnowflake(getAccount: () => LiveAccount): void {
  const open = useScratch(getAccount);
  const ask = async (question: string, sql: string): Promise<void> => {
    const answer = await open()
      .connection.query<Record<string, unknown>>(sql)
      .then(
        (rows) => JSON.stringify(rows.slice(0, 5)),
        (error: Error) => `refused: ${error.message}`,
      );
    process.stdout.write(`${question} ${answer}\n`);
    expect(answer).not.toBe('');
  };

  test('GET_DDL with an argument that is no constant', () => ask('GET_DDL of a column?', `SELECT GET_DDL('VIEW', COLUMN1) FROM VALUES ('${open().schema}.A')`));
  test('what GET_DDL holds of comments, change tracking and contacts', () => ask('GET_DDL?', `SELECT GET_DDL('VIEW', '${open().schema}.A', TRUE) AS DDL`));
  test('CREATE OR ALTER VIEW with another query', () =>
    ask('CREATE OR ALTER?', `CREATE OR ALTER VIEW ${open().schema}."lower.case" AS SELECT ID FROM ${open().schema}.BASE`));
  test('GRANTED_TO of a database role', async () => {
    const { schema, run } = open();
    const role = `${quoteIdentifier(getAccount().database)}.${name}_ROLE`;
    await run(`CREATE DATABASE ROLE ${role}`, `GRANT SELECT ON VIEW ${schema}.A TO DATABASE ROLE ${role}`);
    const privileges = `${quoteIdentifier(getAccount().database)}.INFORMATION_SCHEMA.TABLE_PRIVILEGES`;
    await ask('GRANTED_TO?', `SELECT GRANTEE, GRANTED_TO FROM ${privileges} WHERE TABLE_SCHEMA = '${name}' AND TABLE_NAME = 'A'`);
    await run(`DROP DATABASE ROLE ${role}`);
  });
  test('a clone of the schema as it was holds its views', async () => {
    const { schema, run } = open();
    const clone = `${quoteIdentifier(getAccount().database)}.${name}_CLONE`;
    await run(`CREATE SCHEMA ${clone} CLONE ${schema} AT (OFFSET => -1)`);
    await ask('Views of the clone?', `SHOW VIEWS IN SCHEMA ${clone} LIMIT 10`);
    await run(`DROP SCHEMA ${clone}`);
  });
}
