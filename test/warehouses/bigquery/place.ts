import { cpSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { connectTarget, type Target } from '../../../src/project.ts';
import { addTable, createProject, type Project, run, tableOf } from '../../support/bigquery/project.ts';
import type { Table } from '../../support/bigquery/resources.ts';
import { type BigQueryServer, startBigQuery } from '../../support/bigquery/server.ts';
import { keptFolder } from '../../support/kept-folder.ts';
import { temporaryFolder } from '../../support/repository.ts';
import { openPlace, type Place } from '../../support/workplace.ts';

/** A repository whose target is a project of a server of its own. */
export interface BigQueryPlace extends Place {
  readonly server: BigQueryServer;
  /** Runs statements as somebody else would. */
  run(...statements: readonly string[]): void;
  /** A view as the server keeps it. */
  table(dataset: string, name: string): Table;
}

const orders = [
  { name: 'id', type: 'INTEGER', mode: 'REQUIRED' },
  { name: 'customer', type: 'STRING', mode: 'NULLABLE' },
  { name: 'total', type: 'NUMERIC', mode: 'NULLABLE' },
  {
    name: 'address',
    type: 'RECORD',
    mode: 'NULLABLE',
    fields: [
      { name: 'street', type: 'STRING', mode: 'NULLABLE' },
      { name: 'city', type: 'STRING', mode: 'REQUIRED' },
    ],
  },
];

/** Datasets in three locations, and a table of orders. */
export function createShop(): Project {
  const project = createProject('my-project', { raw: 'EU', shop: 'EU', other: 'US', far: 'europe-west1' });
  addTable(project, 'raw', 'orders', orders);
  return project;
}

export interface Parts {
  /** A project to serve instead of the shop. */
  readonly project?: Project;
  /** A repository that is there. */
  readonly directory?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly target?: Partial<Target>;
}

export async function openBigQuery(parts: Parts = {}): Promise<BigQueryPlace> {
  const server = await startBigQuery(parts.project ?? createShop());
  onTestFinished(() => server[Symbol.asyncDispose]());
  const { project } = server;
  const options = { project: project.id, endpoint: server.url, ...parts.options };
  const target: Target = { name: 'prod', warehouse: 'bigquery', scope: { schemas: ['*'] }, allowUnreadable: [], options, ...parts.target };
  const place = await openPlace(target, (each) => connectTarget(each, target), parts.directory === undefined ? {} : { directory: parts.directory });
  return {
    ...place,
    server,
    run: (...statements) => {
      for (const sql of statements) run(project, sql);
    },
    table: (dataset, name) => tableOf(project, dataset, name),
  };
}

/** A project that was exported, to start tests from. */
export interface Stage {
  readonly directory: string;
  readonly project: Project;
}

/** A place of its own in the state of a stage: making a state once is cheaper than making it for every test. */
export function openStage({ directory, project }: Stage, parts: Parts = {}): Promise<BigQueryPlace> {
  const copy = temporaryFolder();
  cpSync(directory, copy, { recursive: true });
  return openBigQuery({ ...parts, project: structuredClone(project), directory: copy });
}

/** Keeps the state of a place for the other tests of the file. */
export function keepStage({ directory, server }: BigQueryPlace): Stage {
  const kept = keptFolder();
  cpSync(directory, kept, { recursive: true });
  return { directory: kept, project: structuredClone(server.project) };
}
