import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = globSync('src/**/*.ts', { cwd: root }).sort();
const text = (path: string) => readFileSync(join(root, path), 'utf8');

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isDynamic: boolean;
  readonly isType: boolean;
}

const staticImport = /^(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?'([^']+)'/gm;
const dynamicImport = /\bimport\('([^']+)'\)/g;

function importsOf(path: string): readonly Import[] {
  const source = text(path);
  const resolved = (name: string) => (name.startsWith('.') ? normalize(join(dirname(path), name)) : name);
  return [
    ...[...source.matchAll(staticImport)].map((match) => ({ from: path, to: resolved(match[2] ?? ''), isDynamic: false, isType: match[1] !== undefined })),
    ...[...source.matchAll(dynamicImport)].map((match) => ({ from: path, to: resolved(match[1] ?? ''), isDynamic: true, isType: false })),
  ];
}

const imports = sources.flatMap(importsOf);
const within = (folder: string) => (path: string) => path.startsWith(`src/${folder}/`);
const packageOf = (name: string) =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
const isPackage = (name: string) => !name.startsWith('src/') && !name.startsWith('node:');

function violations(isConcerned: (path: string) => boolean, isAllowed: (found: Import) => boolean): readonly string[] {
  return imports
    .filter(({ from }) => isConcerned(from))
    .filter((found) => !isAllowed(found))
    .map(({ from, to }) => `${from} imports ${to}`);
}

/** Which packages a layer may use; a package that stands nowhere here may be used by no one. */
const packagesOf: readonly { readonly packages: readonly string[]; readonly isUser: (path: string) => boolean; readonly isDynamic?: boolean }[] = [
  { packages: ['@oclif/core', 'ansis', '@inquirer/prompts', 'ora', '@pnpm/tabtab'], isUser: (path) => within('cli')(path) || within('commands')(path) },
  { packages: ['simple-git', 'isomorphic-git'], isUser: within('history') },
  { packages: ['pg', 'pg-connection-string', 'pgpass'], isUser: within('warehouses/postgres-family') },
  { packages: ['picomatch', 'fastest-levenshtein'], isUser: within('core') },
  { packages: ['sql-formatter'], isUser: (path) => within('core')(path) || within('warehouses')(path) || path === 'src/operations/format-worker.ts' },
  { packages: ['tinypool'], isUser: within('operations') },
  { packages: ['p-retry'], isUser: within('warehouses') },
  { packages: ['@google-cloud/bigquery', 'google-auth-library'], isUser: within('warehouses/bigquery') },
  { packages: ['@aws-sdk/client-redshift', '@aws-sdk/client-redshift-serverless'], isUser: within('warehouses/redshift') },
  { packages: ['snowflake-sdk', 'smol-toml'], isUser: within('warehouses/snowflake') },
  { packages: ['zod', 'yaml'], isUser: (path) => path === 'src/config.ts' || within('warehouses')(path) || within('operations')(path) },
  { packages: ['diff', 'cli-table3'], isUser: (path) => within('render')(path) || within('core')(path) },
];

describe('imports', () => {
  test('the scanner sees static, type, multi-line, re-exporting and dynamic imports', () => {
    const seen = imports.map(({ to }) => to);
    expect(seen).toContain('@oclif/core');
    expect(seen).toContain('src/errors.ts');
    expect(imports.some(({ isDynamic }) => isDynamic)).toBe(true);
  });

  test('core imports only core, errors and pure libraries', () => {
    const pure = ['sql-formatter', 'picomatch', 'fastest-levenshtein', 'diff', 'node:crypto'];
    expect(violations(within('core'), ({ to }) => within('core')(to) || to === 'src/errors.ts' || pure.includes(to))).toEqual([]);
  });

  test('render imports only render, core and errors', () => {
    const pure = ['diff', 'cli-table3'];
    expect(
      violations(within('render'), ({ to, isType }) => within('render')(to) || within('core')(to) || to === 'src/errors.ts' || pure.includes(to) || isType),
    ).toEqual([]);
  });

  test('a pure dialect or catalog does no input or output', () => {
    const isPure = (path: string) => within('warehouses')(path) && /^(dialect|catalog)/.test(basename(path));
    expect(violations(isPure, ({ to }) => !/^node:(?!crypto)/.test(to) && !['pg', 'pgpass'].includes(packageOf(to)))).toEqual([]);
  });

  test('history knows neither warehouses nor operations', () => {
    expect(violations(within('history'), ({ to }) => !/^src\/(warehouses|operations|commands|cli|render)\//.test(to))).toEqual([]);
  });

  test('a warehouse knows no other warehouse, no history and no operation', () => {
    const folder = (path: string) => path.split('/')[2];
    // What two warehouses share because the one grew out of the other; it knows neither.
    const isFamily = ({ from, to }: Pick<Import, 'from' | 'to'>) =>
      within('warehouses/postgres-family')(to) && ['postgres', 'redshift'].includes(folder(from) ?? '');
    const isOwn = ({ from, to }: Import) =>
      !within('warehouses')(to) ||
      folder(from) === folder(to) ||
      isFamily({ from, to }) ||
      /^src\/warehouses\/[^/]+\.ts$/.test(to) ||
      from === 'src/warehouses/registry.ts';
    expect(violations(within('warehouses'), (found) => isOwn(found) && !/^src\/(history|operations|commands|cli|render)\//.test(found.to))).toEqual([]);
  });

  test('operations know neither commands nor rendering', () => {
    expect(violations(within('operations'), ({ to }) => !/^src\/(commands|cli|render)\//.test(to))).toEqual([]);
  });

  test('every package is used only in its own layer', () => {
    const misuse = imports
      .filter(({ to }) => isPackage(to))
      .filter(({ from, to }) => !packagesOf.some(({ packages, isUser }) => packages.includes(packageOf(to)) && isUser(from)));
    expect(misuse.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test('drivers and git libraries are loaded on first use', () => {
    const lazy = [
      'pg',
      'pgpass',
      '@aws-sdk/client-redshift',
      '@aws-sdk/client-redshift-serverless',
      'simple-git',
      'isomorphic-git',
      'sql-formatter',
      'ora',
      '@inquirer/prompts',
      'tinypool',
      'snowflake-sdk',
      '@google-cloud/bigquery',
      'google-auth-library',
    ];
    const eager = imports.filter(
      ({ to, from, isDynamic, isType }) => lazy.includes(packageOf(to)) && !isDynamic && !isType && from !== 'src/operations/format-worker.ts',
    );
    expect(eager.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test('process and console stand only in cli and commands', () => {
    const isFree = (path: string) => within('cli')(path) || within('commands')(path);
    const users = sources.filter(
      (path) => !isFree(path) && /\b(process\.(env|argv|exit|exitCode|stdout|stderr|stdin|on|once)\b|console\.)/.test(withoutComments(text(path))),
    );
    expect(users).toEqual([]);
  });
});

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

describe('words', () => {
  test('no code that could reach a warehouse says CASCADE', () => {
    expect(sources.filter((path) => /\bcascade\b/i.test(withoutComments(text(path))))).toEqual([]);
  });

  test('files are named for what is in them', () => {
    const empty = /(^|-)(utils?|helpers?|manager|services?|common|misc)[-.]|^(types|index)\.ts$/;
    expect(sources.filter((path) => empty.test(basename(path)) && path !== 'src/index.ts')).toEqual([]);
    expect(sources.filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.ts$/.test(basename(path)))).toEqual([]);
  });

  test('folders lie at most three below src', () => {
    expect(sources.filter((path) => path.split('/').length > 5)).toEqual([]);
  });
});

describe('size', () => {
  const lengths = sources.map((path) => text(path).split('\n').length - 1);

  test('no file is longer than 250 lines, and half of them have at most 80', () => {
    expect(sources.filter((_, index) => (lengths[index] ?? 0) > 250)).toEqual([]);
    expect(quantile(lengths, 0.5)).toBeLessThanOrEqual(80);
  });

  test('no function is longer than 40 lines, a tenth of them longer than 25, and half of them at most 8', () => {
    const functions = sources.flatMap((path) => functionsOf(path));
    expect(functions.length).toBeGreaterThan(sources.length);
    expect(functions.filter(({ lines }) => lines > 40).map(({ name }) => name)).toEqual([]);
    expect(
      quantile(
        functions.map(({ lines }) => lines),
        0.9,
      ),
    ).toBeLessThanOrEqual(25);
    expect(
      quantile(
        functions.map(({ lines }) => lines),
        0.5,
      ),
    ).toBeLessThanOrEqual(8);
  });
});

/** Named functions and methods; the formatter puts the closing brace at the indentation of the first line. */
function functionsOf(path: string): readonly { readonly name: string; readonly lines: number }[] {
  const lines = text(path).split('\n');
  const isStart =
    /^( *)(?:(?:export |default |async |static |override |protected |private |public )*function\b|(?:static |override |protected |private |public |async )*[\w#]+(?:<[^>]*>)?\([^)]*\)(?:: [^=]+)? \{$|(?:export )?const \w+ = (?:async )?\([^)]*\)(?:: [^=]+)? => \{$)/;
  return lines.flatMap((line, index) => {
    const match = isStart.exec(line);
    if (match === null || /^\s*(if|for|while|switch|catch)\b/.test(line)) return [];
    const end = lines.findIndex(
      (other, position) => position >= index && other.startsWith(`${match[1]}}`) && !other.startsWith(`${match[1]}}:`) && !/^\s*\}[):]/.test(other),
    );
    return end < index ? [] : [{ name: `${path}: ${line.trim()}`, lines: end - index + 1 }];
  });
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
}
