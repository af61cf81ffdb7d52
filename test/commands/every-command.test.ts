import { globSync } from 'node:fs';
import type { Command } from '@oclif/core';
import { describe, expect, test } from 'vitest';

const folder = new URL('../../src/commands/', import.meta.url);
const names = globSync('*.ts', { cwd: folder })
  .map((file) => file.replace(/\.ts$/, ''))
  .sort();

async function load(name: string): Promise<Command.Class> {
  return (await import(new URL(`${name}.ts`, folder).href)).default;
}

/** Flags that waive a safeguard: they have to be typed. */
const typed = ['yes', 'prune', 'allow', 'overwrite', 'verify', 'skip-broken', 'forget'];

test('the commands are the ones that the documents promise', () => {
  expect(names).toEqual([
    'apply',
    'check',
    'completion',
    'demo',
    'diff',
    'doctor',
    'drill',
    'export',
    'init',
    'log',
    'migrate',
    'plan',
    'rollback',
    'show',
    'status',
    'targets',
  ]);
});

describe.each(names)('viewsync %s', (name) => {
  test('has a summary, an example and its exit codes', async () => {
    const command = await load(name);
    expect(command.summary).toMatch(/^[A-Z].*\.$/);
    expect(command.description).toMatch(/\n\nExit codes: 0 /);
    expect(command.examples?.length).toBeGreaterThan(0);
  });

  test('prints JSON on demand', async () => {
    expect(Object.keys((await load(name)).flags)).toContain('json');
  });

  test('takes every flag from the environment but those that waive a safeguard', async () => {
    const flags = Object.entries((await load(name)).flags);
    const expected = flags.map(([flag]) => [flag, typed.includes(flag) ? undefined : `VIEWSYNC_${flag.toUpperCase().replaceAll('-', '_')}`]);
    expect(flags.map(([flag, { env }]) => [flag, env])).toEqual(expected);
  });

  test('explains every flag and argument', async () => {
    const command = await load(name);
    for (const flag of Object.values(command.flags)) expect(flag.summary).toMatch(/^[A-Z].*\.$/);
    for (const argument of Object.values(command.args)) expect(argument.description).toMatch(/^[A-Z].*\.$/);
  });
});
