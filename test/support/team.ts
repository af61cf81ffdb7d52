import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Target } from '../../src/project.ts';
import { createDatabase, type TestDatabase } from './postgres-server.ts';
import { commitFiles, git, temporaryFolder, temporaryRepository } from './repository.ts';
import { openWorkplace, type Workplace } from './workplace.ts';

/** Two tables and three views, one of which reads another. */
export const shop = `
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2));
CREATE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 100;
CREATE VIEW shop.best AS SELECT customer, sum(total) AS spent FROM shop.big GROUP BY customer;
CREATE VIEW shop.ids AS SELECT id FROM shop.orders WHERE id > 0;`;

/** A remote, its database, and as many clones of it as there are machines. */
export interface Team {
  readonly database: TestDatabase;
  readonly remote: string;
  readonly url: string;
  machine(target?: Partial<Target>, ...cloneOptions: readonly string[]): Promise<Workplace>;
}

/** A bare remote with one commit on `main`, and a database with the shop. */
export async function openTeam(url = (remote: string) => `file://${remote}`): Promise<Team> {
  const database = await createDatabase();
  onTestFinished(() => database[Symbol.asyncDispose]());
  await database.query(shop);
  const remote = temporaryRepository('--bare');
  const seed = temporaryRepository();
  commitFiles(seed, { 'README.md': 'A shop\n', '.gitattributes': 'views/** -text\n' }, 'Start');
  git(seed, 'push', '--quiet', remote, 'main');
  const machine: Team['machine'] = async (target, ...options) => {
    const directory = join(temporaryFolder(), 'clone');
    git(seed, 'clone', '--quiet', ...options, `file://${remote}`, directory);
    git(directory, 'remote', 'set-url', 'origin', url(remote));
    return openWorkplace({ database, directory, ...(target ? { target } : {}) });
  };
  return { database, remote, url: url(remote), machine };
}

/** Rewrites a view's file as a person does in an editor. */
export function edit(place: Pick<Workplace, 'directory'>, view: string, change: (text: string) => string): void {
  const file = join(place.directory, `views/prod/${view.replace('.', '/')}.sql`);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

/** Edits and commits. */
export function commitEdit(place: Workplace, view: string, change: (text: string) => string): string {
  edit(place, view, change);
  place.git('commit', '--quiet', '--all', '--message', `Edit ${view}`);
  return place.git('rev-parse', 'HEAD');
}

/** What the server holds for a view now. */
export async function liveText({ database }: Pick<Workplace, 'database'>, view: string): Promise<string> {
  const [row] = await database.query(`SELECT pg_get_viewdef('${view}'::regclass) AS text`);
  return String(row?.['text']);
}

/** Changes a view in the warehouse behind everybody's back: `drift(place, 7)` keeps only what is above 7. */
export async function drift({ database }: Pick<Workplace, 'database'>, above: number, view = 'shop.ids'): Promise<void> {
  const columns = view === 'shop.ids' ? 'id FROM shop.orders WHERE id' : 'id, customer, total FROM shop.orders WHERE total';
  await database.query(`CREATE OR REPLACE VIEW ${view} AS SELECT ${columns} > ${above}`);
}

/** State of each view that is not in sync. */
export async function states(place: Workplace): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries((await place.status()).differing.map(({ view, state }) => [view, state]));
}
