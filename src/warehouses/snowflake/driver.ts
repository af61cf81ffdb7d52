import { env } from 'node:process';
import type { ConnectionOptions, Connection as DriverConnection } from 'snowflake-sdk';
import { ViewsyncError } from '../../errors.ts';

type Driver = typeof import('snowflake-sdk');

/** The default export of a CommonJS module, or the module itself. */
type Loaded = Driver & { readonly default?: Driver };

/** Imports the driver, which is a peer that only those install who use Snowflake. `DRIVER_MISSING` with the command that installs it. */
async function importDriver(): Promise<Loaded> {
  try {
    return await import('snowflake-sdk');
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND')) throw cause;
    throw new ViewsyncError('DRIVER_MISSING', {
      message: 'The client of Snowflake is not installed: viewsync leaves it to those who need it. Nothing was done.',
      suggestions: ['npm install snowflake-sdk', 'npm install --global snowflake-sdk   (where viewsync is installed globally)'],
      cause,
    });
  }
}

let loading: Promise<Driver> | undefined;

/**
 * The driver asks the metadata addresses of three clouds as soon as it is imported, loads a native library, and writes a log file into the current folder
 * and lines to stdout: each has to be switched off before. https://docs.snowflake.com/en/developer-guide/node-js/nodejs-driver-logs
 */
async function loadQuietly(): Promise<Driver> {
  env['SNOWFLAKE_DISABLE_PLATFORM_DETECTION'] = 'true';
  env['SNOWFLAKE_DISABLE_MINICORE'] = 'true';
  const loaded = await importDriver();
  const driver = loaded.default ?? loaded;
  driver.configure({ logLevel: 'OFF', additionalLogToConsole: false });
  return driver;
}

/** Opens a session with the driver's own options; errors come as the driver raises them. */
export async function openSession(options: ConnectionOptions): Promise<DriverConnection> {
  loading ??= loadQuietly();
  const driver = await loading;
  const connection = driver.createConnection(options);
  // Its promise is kept also when signing in was refused: only the callback is told.
  return new Promise((resolve, reject) => {
    connection.connectAsync((error) => (error ? reject(error) : resolve(connection))).catch(reject);
  });
}
