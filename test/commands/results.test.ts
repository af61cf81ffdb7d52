import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createShop, scripts } from './shop.ts';

/** The keys that docs/scripting.md lists by command, in the first table of its section. */
function documentedKeys(): ReadonlyMap<string, readonly string[]> {
  const source = readFileSync(new URL('../../docs/scripting.md', import.meta.url), 'utf8');
  const section = source.slice(source.indexOf('## Results'), source.indexOf('## Errors'));
  return new Map(
    [...(/(?:^\|.*\n)+/m.exec(section)?.[0] ?? '').matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, command = '', keys = '']) => [
      command,
      [...keys.matchAll(/`(\w+)`/g)].map(([, key = '']) => key),
    ]),
  );
}

test('every result under --json has the keys that docs/scripting.md lists, and no others', async () => {
  const documented = documentedKeys();
  expect([...documented.keys()]).toEqual([
    'init',
    'export',
    'status',
    'diff',
    'log',
    'show',
    'plan',
    'apply',
    'rollback',
    'check',
    'migrate',
    'drill',
    'completion',
  ]);
  await using shop = await createShop();
  const seen = new Map<string, Set<string>>([...documented.keys()].map((command) => [command, new Set()]));
  const run = async (command: string, ...args: readonly string[]) => {
    const { exitCode, stdout, stderr } = await shop.viewsync(command, ...args, '--json');
    expect({ exitCode, stderr }, stdout).toEqual({ exitCode: 0, stderr: '' });
    for (const document of [JSON.parse(stdout)].flat()) for (const key of Object.keys(document)) seen.get(command)?.add(key);
  };
  await run('init', '--target', 'shop', '--yes');
  await run('export');
  await shop.database.query(scripts.migration);
  await run('status');
  await run('diff');
  await run('show', 'shop.order_totals');
  await run('plan', 'HEAD');
  await run('apply', 'HEAD', '--yes');
  await run('rollback', '--yes');
  await run('check', 'shop.orders');
  await run('migrate', '--on', 'shop.orders', '--yes', '--json', '--', 'true');
  await run('log');
  await run('drill', 'HEAD~1');
  await run('completion', 'bash');
  seen.get('status')?.add('run');
  seen.get('apply')?.add('broken');
  expect(Object.fromEntries([...seen].map(([command, keys]) => [command, [...keys].sort()]))).toEqual(
    Object.fromEntries([...documented].map(([command, keys]) => [command, [...keys].sort()])),
  );
});
