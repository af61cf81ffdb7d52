import type { Client } from 'pg';
import type { ServerError } from './connection.ts';

// On a line of its own: the comment that a statement may end with does not take it along.
const separator = '\n;\n';

const syntaxError = '42601';

interface Answer {
  /** How many statements have run. */
  readonly completed: number;
  readonly error?: unknown;
}

/** Loads what sends statements in one message and counts those that have run, of which the driver says nothing once one has failed. */
export async function loadSender(client: Client): Promise<(statements: readonly string[]) => Promise<Answer>> {
  const { Query } = (await import('pg')).default;
  return (statements) => {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    let completed = 0;
    const query = new Query(statements.join(separator), (error) => resolve({ completed, ...(error ? { error } : {}) }));
    client.query(Object.assign(query, { handleCommandComplete: () => completed++ }));
    return promise;
  };
}

/** The statement at a position, which counts characters of the whole message from 1. */
function findAt(position: number, statements: readonly string[]): number {
  let end = 0;
  return statements.findIndex((statement) => {
    end += [...statement].length + separator.length;
    return position <= end;
  });
}

/** Which statement failed, by its index: the one behind those that have run, but a text that cannot be parsed fails before any runs. */
export function findRefused({ code, position }: ServerError, completed: number, statements: readonly string[]): number {
  if (code !== syntaxError || completed > 0 || position === undefined) return completed;
  return Math.max(0, findAt(Number(position), statements));
}
