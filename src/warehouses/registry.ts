import type { Adapter } from './warehouse.ts';

/** Loads an adapter on first use, so that a driver costs nothing to those who do not need it. */
export const adapters: Readonly<Record<string, () => Promise<Adapter>>> = {
  postgres: async () => (await import('./postgres/adapter.ts')).postgres,
  redshift: async () => (await import('./redshift/adapter.ts')).redshift,
  bigquery: async () => (await import('./bigquery/adapter.ts')).bigquery,
  snowflake: async () => (await import('./snowflake/adapter.ts')).snowflake,
};
