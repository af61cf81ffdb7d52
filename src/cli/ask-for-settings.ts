import { adapters } from '../warehouses/registry.ts';
import { isInteractive } from './confirm.ts';

/** The settings of a new target. */
export interface Settings {
  readonly target: string;
  readonly warehouse: string;
  readonly url: string;
  readonly schemas: readonly string[];
}

interface SettingFlags extends Settings {
  readonly yes: boolean;
  readonly json: boolean;
}

/** The flags; on a terminal, what a person makes of them. */
export async function askForSettings({ target, warehouse, url, schemas, yes, json }: SettingFlags): Promise<Settings> {
  if (yes || json || !isInteractive()) return { target, warehouse, url, schemas };
  const { input, select } = await import('@inquirer/prompts');
  const output = { output: process.stderr };
  return {
    target: await input({ message: 'Name of the target', default: target }, output),
    warehouse: await select({ message: 'Kind of warehouse', default: warehouse, choices: Object.keys(adapters) }, output),
    url: await input({ message: 'Connection string (a ${VARIABLE} keeps the password out of the file)', default: url }, output),
    schemas: (await input({ message: 'Schemas', default: schemas.join(' ') }, output)).split(/[\s,]+/).filter((glob) => glob !== ''),
  };
}
