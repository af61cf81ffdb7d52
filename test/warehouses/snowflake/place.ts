import { onTestFinished } from 'vitest';
import { ignoring } from '../../../src/core/ignore.ts';
import type { Target } from '../../../src/project.ts';
import { connectAccount, type Patience } from '../../../src/warehouses/snowflake/adapter.ts';
import { type Account, createAccount } from '../../support/snowflake/account.ts';
import { type SnowflakeServer, startSnowflake } from '../../support/snowflake/server.ts';
import { openPlace, type Place } from '../../support/workplace.ts';

/** A repository whose target is an account of a server of its own. */
export interface SnowflakePlace extends Place {
  readonly server: SnowflakeServer;
  readonly account: Account;
}

/** The lock is looked for twice at once. */
export const quick: Patience = { lock: { renew: 200, lease: 10_000, look: 5 }, deadlines: { statement: 60_000, retries: 10_000, interrupted: 1000 } };

export interface Parts {
  readonly account?: Account;
  readonly target?: Partial<Target>;
  readonly directory?: string;
}

export async function openSnowflake(statements: readonly string[], parts: Parts = {}): Promise<SnowflakePlace> {
  const account = parts.account ?? createAccount({ PROD: ['SHOP', 'OTHER'] }, ['READER', 'WRITER']);
  const server = await startSnowflake(account);
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.run(statements);
  const target: Target = { name: 'prod', warehouse: 'snowflake', scope: { schemas: ['*'] }, allowUnreadable: [], options: server.options, ...parts.target };
  const connect = async () => {
    const warehouse = await connectAccount(server.options, {}, { patience: quick });
    return target.ignore ? { ...warehouse, dialect: ignoring(warehouse.dialect, target.ignore) } : warehouse;
  };
  const place = await openPlace(target, connect, parts.directory === undefined ? {} : { directory: parts.directory });
  return { ...place, server, account };
}

/** A copy of everything that the server keeps of its relations, but who changed them last and when. */
export function stateOf({ account }: Pick<SnowflakePlace, 'account'>): unknown {
  return structuredClone([...account.databases.values()]).flatMap(({ schemas }) =>
    [...schemas.values()].flatMap(({ relations }) =>
      [...relations.values()]
        .map(({ definition, lastDdlBy: _, created: _created, lastDdl: _lastDdl, text: _text, grants, ...relation }) => ({
          ...relation,
          definition: definition.replaceAll(/\s+/g, ' ').trim(),
          grants: grants.map(({ privilege, grantedTo, grantee, isGrantable }) => `${privilege} ${grantedTo} ${grantee} ${isGrantable}`).sort(),
        }))
        .sort((left, right) => (left.name < right.name ? -1 : 1)),
    ),
  );
}
