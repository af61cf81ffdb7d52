import { readFileSync } from 'node:fs';
import { createDatabase, createRole, type TestDatabase } from '../support/postgres-server.ts';
import { git, temporaryRepository } from '../support/repository.ts';
import { type Ending, runViewsync } from './command-line.ts';

const asset = (name: string) => readFileSync(new URL(`../../assets/demo/${name}`, import.meta.url), 'utf8');

export const scripts = {
  shop: asset('shop.sql').replaceAll(/CREATE ROLE (\w+);/g, (_, role: string) => createRole(role)),
  edit: asset('edit.sql'),
  migration: asset('migration.sql'),
  proof: asset('proof.sql'),
};

/** A repository and a database with the shop of the demo, as a user at a shell has them. */
export interface Shop extends AsyncDisposable {
  readonly directory: string;
  readonly database: TestDatabase;
  viewsync(...args: readonly string[]): Promise<Ending>;
}

export async function createShop(): Promise<Shop> {
  const database = await createDatabase();
  await database.query(scripts.shop);
  const directory = temporaryRepository();
  return {
    directory,
    database,
    viewsync: (...args) => runViewsync(args, { directory, environment: { DATABASE_URL: database.url } }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** A shop whose views are exported once. */
export async function createExportedShop(): Promise<Shop> {
  const shop = await createShop();
  await shop.viewsync('init', '--target', 'shop', '--yes');
  git(shop.directory, 'add', '--all');
  git(shop.directory, 'commit', '--quiet', '--message', 'Start');
  await shop.viewsync('export');
  return shop;
}
