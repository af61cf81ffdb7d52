/** The part of the package that takes the file and the environment from its caller. */
declare module 'pgpass/lib/helper.js' {
  import type { Readable } from 'node:stream';

  interface ConnectionInformation {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
  }

  /** Of a CommonJS module only the default export is there in every environment, a bundle included. */
  const helper: {
    getFileName(environment: Readonly<Record<string, string | undefined>>): string;
    usePgPass(stats: { readonly mode: number }, file?: string): boolean;
    getPassword(connection: ConnectionInformation, stream: Readable, callback: (password: string | undefined) => void): void;
  };
  export default helper;
}
