import { relationKey } from '../../../src/core/relation.ts';
import type { View } from '../../../src/core/view.ts';
import { viewsQuery } from '../../../src/warehouses/postgres/catalog-queries.ts';
import { inspectDatabase } from '../../../src/warehouses/postgres/inspect.ts';
import { readServer } from '../../../src/warehouses/postgres/server.ts';
import { connect } from '../../../src/warehouses/postgres-family/connect.ts';
import type { Connection } from '../../../src/warehouses/postgres-family/connection.ts';
import type { Inspection } from '../../../src/warehouses/warehouse.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres-server.ts';

interface InspectOptions {
  readonly schemas?: readonly string[];
  readonly lockTimeout?: number;
  /** Told whenever another connection is opened. */
  readonly onConnect?: () => void;
  /** Runs after each look at the catalogs, before the texts that belong to it are printed. */
  readonly meanwhile?: (round: number) => Promise<unknown>;
}

/** Inspects on a connection of its own. */
export async function inspect(url: string, { schemas = ['*'], meanwhile, lockTimeout = 10_000, onConnect }: InspectOptions = {}): Promise<Inspection> {
  const connection = await connect(url, {});
  try {
    const server = await readServer(connection);
    return await inspectDatabase(observed(meanwhile === undefined ? connection : disturbed(connection, meanwhile), onConnect), {
      server,
      scope: { schemas },
      lockTimeout,
    });
  } finally {
    await connection.close();
  }
}

function observed(connection: Connection, onConnect: (() => void) | undefined): Connection {
  const connectAgain = () => {
    onConnect?.();
    return connection.connectAgain();
  };
  return { ...connection, connectAgain };
}

function disturbed(connection: Connection, meanwhile: (round: number) => Promise<unknown>): Connection {
  let round = 0;
  return {
    ...connection,
    query: async <Row>(sql: string, parameters?: readonly unknown[]) => {
      const rows = await connection.query<Row>(sql, parameters);
      if (sql === viewsQuery) await meanwhile(++round);
      return rows;
    },
  };
}

/** A view, in scope or out of it, by its `relationKey`. */
export function find(inspection: Inspection, key: string): View {
  const view = [...inspection.snapshot.views, ...inspection.outside].find((each) => relationKey(each.name) === key);
  if (view === undefined) throw new Error(`There is no view ${key}.`);
  return view;
}

export const keys = (inspection: Inspection): readonly string[] => inspection.snapshot.views.map((view) => relationKey(view.name));

/** A fresh database with something in it. */
export async function database(version: number, sql: string): Promise<TestDatabase> {
  const created = await createDatabase(version);
  await created.query(sql);
  return created;
}
