/** The part of the package that takes the file and the environment from its caller. */
declare module 'pgpass/lib/helper.js' {
  import type { Readable } from 'node:stream';

  interface ConnectionInformation {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
  }

  export function getFileName(environment: Readonly<Record<string, string | undefined>>): string;
  export function usePgPass(stats: { readonly mode: number }, file?: string): boolean;
  export function getPassword(connection: ConnectionInformation, stream: Readable, callback: (password: string | undefined) => void): void;
}
