import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { workflowText } from '../src/operations/starter-files.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => parse(readFileSync(join(root, path), 'utf8'));
const content = {
  target: 'prod',
  warehouse: 'postgres',
  options: { url: '${DATABASE_URL}?sslrootcert=${CA_FILE}' },
  drivers: [],
  schemas: ['*'],
  version: '1.2.3',
  prefix: '',
};

describe('workflows', () => {
  test.each([...globSync('.github/workflows/*.yml', { cwd: root })])('%s checks out the whole history', (path) => {
    const jobs: { steps: { uses?: string; with?: Record<string, unknown> }[] }[] = Object.values(read(path).jobs);
    const checkouts = jobs.flatMap(({ steps }) => steps.filter(({ uses }) => uses?.startsWith('actions/checkout')));
    expect(checkouts.length).toBe(jobs.length);
    for (const checkout of checkouts) expect(checkout.with?.['fetch-depth']).toBe(0);
  });

  test('the nightly one may write contents in the job that pushes and nothing else anywhere, and gets its secrets by name', () => {
    const { permissions, jobs, on } = parse(workflowText(content));
    expect([permissions, jobs.targets.permissions, jobs.export.permissions]).toEqual([{}, { contents: 'read' }, { contents: 'write' }]);
    expect(Object.keys(on)).toEqual(['schedule', 'workflow_dispatch']);
    expect(jobs.export.steps[0].with).toEqual({ 'fetch-depth': 0 });
    expect(jobs.export.steps.at(-1)).toEqual({
      run: 'npx --yes viewsync@1.2.3 export --push',
      env: { VIEWSYNC_TARGET: '${{ matrix.target }}', DATABASE_URL: '${{ secrets.DATABASE_URL }}', CA_FILE: '${{ secrets.CA_FILE }}' },
    });
  });

  test('the monthly drill of the runbook may read, takes the whole history, and gets its secrets by name', () => {
    const [, snippet = ''] = /```yaml\n(name: drill[\s\S]*?)```/.exec(readFileSync(join(root, 'docs/restore-runbook.md'), 'utf8')) ?? [];
    const { permissions, jobs, on } = parse(snippet);
    expect([permissions, jobs.drill.permissions, Object.keys(on)]).toEqual([{}, { contents: 'read' }, ['schedule', 'workflow_dispatch']]);
    expect(jobs.drill.steps[0].with).toEqual({ 'fetch-depth': 0 });
    expect(jobs.drill.steps.at(-1)).toEqual({ run: 'npx --yes viewsync drill HEAD', env: { DATABASE_URL: '${{ secrets.DATABASE_URL }}' } });
  });

  test('the action runs the command that it is given, and no more than that', () => {
    const { inputs, runs } = read('action.yml');
    expect(inputs.command.default).toBe('export --push');
    expect(runs.using).toBe('composite');
    for (const { run } of runs.steps) expect(run ?? '').not.toContain('${{');
  });
});
