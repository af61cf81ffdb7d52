import { endSentence } from '../../core/sentence.ts';
import { ViewsyncError } from '../../errors.ts';
import type { Parameters } from './libpq.ts';
import type { TlsMode } from './tls.ts';

/** The server asks for a password and none was given. */
export class PasswordMissing extends Error {
  override readonly name = 'PasswordMissing';
}

export interface Failed {
  /** Host and database in words. */
  readonly place: string;
  readonly parameters: Parameters;
  readonly tlsMode: TlsMode;
}

interface Explanation {
  readonly because: string;
  readonly suggestions: readonly string[];
}

/** `CONNECTION_FAILED`: why, and what to change. */
export function connectionFailed(error: unknown, failed: Failed): ViewsyncError {
  const { because, suggestions } = explain(error, failed);
  return new ViewsyncError('CONNECTION_FAILED', {
    message: `viewsync cannot connect to ${failed.place}: ${because} Nothing was done.`,
    suggestions,
    cause: error,
  });
}

function explain(error: unknown, failed: Failed): Explanation {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof PasswordMissing) return explainPassword(failed, `the server asks "${failed.parameters['user']}" for a password, and there is none.`);
  return explainCode(codeOf(error), failed) ?? explainMessage(message, failed);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function explainPassword({ parameters }: Failed, because: string): Explanation {
  return {
    because,
    suggestions: [
      'Set the environment variable PGPASSWORD, or a password in the environment variable that `url` of viewsync.yaml names.',
      `Or add a line to ~/.pgpass (mode 0600): ${parameters['host']}:${parameters['port']}:${parameters['dbname']}:${parameters['user']}:<password>`,
    ],
  };
}

const inUrl = '`url` of the target in viewsync.yaml (or in the environment variable that it names)';

// https://nodejs.org/api/errors.html and https://www.postgresql.org/docs/current/errcodes-appendix.html
function explainCode(code: string, failed: Failed): Explanation | undefined {
  const { host, port, user, dbname } = failed.parameters;
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { because: `there is no host "${host}".`, suggestions: [`Correct the host in ${inUrl}.`] };
    case 'ECONNREFUSED':
    case 'ENOENT':
      return { because: `nothing listens there on port ${port}.`, suggestions: ['Start the server.', `Or correct host and port in ${inUrl}.`] };
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return explainTimeout(failed);
    case '28P01':
      return explainPassword(failed, `the password of "${user}" is wrong, or there is no such role.`);
    case '3D000':
      return { because: `the server has no database "${dbname}".`, suggestions: [`Correct the database in ${inUrl}.`] };
    case '53300':
      return { because: 'all connections of the server are taken.', suggestions: ['Try again later.'] };
    default:
      return undefined;
  }
}

function explainTimeout({ parameters }: Failed): Explanation {
  const { host, port } = parameters;
  return {
    because: `${host} does not answer on port ${port}.`,
    suggestions: ['Check the network, VPN and firewall.', `Or correct host and port in ${inUrl}; connect_timeout there sets how many seconds to wait.`],
  };
}

function explainMessage(message: string, failed: Failed): Explanation {
  if (/timeout expired/.test(message)) return explainTimeout(failed);
  if (/does not support SSL/.test(message)) {
    return {
      because: `the server does not speak TLS, and sslmode=${failed.tlsMode} asks for it.`,
      suggestions: ['Turn `ssl` on at the server.', `Or set sslmode=prefer in ${inUrl}, if the network can be trusted.`],
    };
  }
  if (/no encryption|SSL off/.test(message)) {
    return {
      because: `the server only takes TLS (${message}).`,
      suggestions: [`Set sslmode=require in ${inUrl}, or better sslmode=verify-full with sslrootcert.`],
    };
  }
  if (/certificate|altnames|self[- ]signed/i.test(message)) return explainCertificate(message, failed);
  return { because: endSentence(message), suggestions: [`Check ${inUrl}.`] };
}

function explainCertificate(message: string, { parameters, tlsMode }: Failed): Explanation {
  const root = parameters['sslrootcert'] ?? '~/.postgresql/root.crt';
  const isOtherHost = /altnames/i.test(message);
  return {
    because: `the server's certificate is not accepted under sslmode=${tlsMode}: ${endSentence(message)}`,
    suggestions: isOtherHost
      ? [`Use the host name that the certificate names in ${inUrl}.`, 'Or set sslmode=verify-ca there, which does not look at the name.']
      : [`Set sslrootcert in ${inUrl} to the certificate of the authority that signed it; now it is "${root}".`],
  };
}
