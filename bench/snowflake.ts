import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { neverInterrupted } from '../src/history/interruption.ts';
import { openHistory } from '../src/history/open-history.ts';
import { exportViews } from '../src/operations/export-views.ts';
import type { Project, Target } from '../src/project.ts';
import { connectAccount } from '../src/warehouses/snowflake/adapter.ts';
import { type Account, createAccount } from '../test/support/snowflake/account.ts';
import { startSnowflake } from '../test/support/snowflake/server.ts';
import { createEnvironment } from './stage.ts';

const schemas = 40;

/** So many views spread over forty schemas, each with a grant and a comment. */
export function createViews(views: number): { readonly account: Account; readonly statements: readonly string[] } {
  const names = Array.from({ length: schemas }, (_, index) => `S${String(index).padStart(2, '0')}`);
  const statements = Array.from({ length: views }, (_, index) => {
    const view = `PROD.${names[index % schemas]}.V${String(index).padStart(5, '0')}`;
    return [`CREATE VIEW ${view} COMMENT = 'number ${index}' AS SELECT ID, TOTAL FROM PROD.S00.ORDERS`, `GRANT SELECT ON VIEW ${view} TO ROLE READER`];
  });
  return { account: createAccount({ PROD: names }, ['READER']), statements: ['CREATE TABLE PROD.S00.ORDERS (ID NUMBER, TOTAL NUMBER)', ...statements.flat()] };
}

async function openPlace(views: number) {
  const { account, statements } = createViews(views);
  const server = await startSnowflake(account);
  server.run(statements);
  const directory = mkdtempSync(join(tmpdir(), 'viewsync-bench-'));
  const environment = createEnvironment(directory);
  execFileSync('git', ['init', '--quiet', directory], { env: environment });
  const history = await openHistory(directory, environment);
  const target: Target = { name: 'prod', warehouse: 'snowflake', scope: { schemas: ['*'] }, allowUnreadable: [], options: server.options };
  const project: Project = { directory, viewsFolder: 'views', targets: [target], history, environment, interruption: neverInterrupted };
  const warehouse = await connectAccount(server.options, {});
  const run = () => exportViews(project, target, { warehouse, commit: 'commit', push: 'keep', reformat: 'new', overwrite: [], allowed: [] });
  const close = async () => {
    await warehouse.close();
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  return { account, server, warehouse, run, history, close };
}

const seconds = (from: number) => `${((performance.now() - from) / 1000).toFixed(1)} s`;

/** Round trips of inspecting, which are the same for any number of views but for pages of ten thousand and batches of 150 definitions. */
async function measureRoundTrips(views: number): Promise<string> {
  const { server, warehouse, close } = await openPlace(views);
  const from = performance.now();
  const { queries, snapshot } = await warehouse.inspect({ schemas: ['*'] });
  const time = seconds(from);
  await close();
  const batches = Math.ceil(views / 150);
  const pages = server.account.log.filter((sql) => sql.startsWith('SHOW VIEWS IN SCHEMA')).length;
  return `${String(snapshot.views.length).padStart(7)} views: ${queries} statements = ${queries - batches - pages} + ${batches} batches of 150 definitions + ${pages} pages of SHOW VIEWS, ${time}`;
}

/** Twenty thousand views, one that cannot be read and a page that is cut off: right files, right error, no deletion. */
async function measureFaults(views: number): Promise<string> {
  const { account, server, run, history, close } = await openPlace(views);
  const first = await run();
  account.hidden.add('definition of PROD.S07.V00007');
  account.injections.push({ matches: /^SHOW VIEWS IN SCHEMA "PROD"."S01"/, times: Number.POSITIVE_INFINITY, cutRows: 100 });
  account.injections.push({ matches: /^SHOW VIEWS IN DATABASE/, times: Number.POSITIVE_INFINITY, cutRows: 100 });
  server.run(['CREATE OR REPLACE VIEW PROD.S05.V00005 AS SELECT ID FROM PROD.S00.ORDERS']);
  const from = performance.now();
  const second = await run();
  const tree = await history.reader.listTree(second.commit ?? first.commit ?? '', 'views');
  const files = [...tree.keys()].filter((path) => path.endsWith('.sql')).length;
  await close();
  const deleted = second.changes.filter(({ change }) => change === 'deleted').length;
  return `${first.views} views, one unreadable and a page cut off: ${files} files, ${second.subject}, ${second.unreadable.length} unreadable, ${deleted} deleted, ${seconds(from)}`;
}

/** Runs both and returns the lines. */
export async function measureSnowflake(sizes: readonly number[]): Promise<string> {
  const lines: string[] = [];
  for (const size of sizes) lines.push(await measureRoundTrips(size));
  lines.push(await measureFaults(Math.max(...sizes)));
  return lines.join('\n');
}
