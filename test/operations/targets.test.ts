import { expect, test } from 'vitest';
import { listTargets } from '../../src/operations/list-targets.ts';
import { noColors } from '../../src/render/colors.ts';
import { renderTargets } from '../../src/render/targets.ts';

const target = (name: string, schemas: readonly string[]) => ({
  name,
  warehouse: 'postgres',
  scope: { schemas },
  allowUnreadable: [],
  options: { url: 'postgres://ada:s3cr3t@db/shop' },
});
const targets = [target('prod', ['*', '!scratch_*']), target('copy', ['shop'])];

test('targets are listed in the order of viewsync.yaml as a matrix, without a word of how to reach them', () => {
  expect(listTargets({ targets })).toEqual({
    include: [
      { target: 'prod', warehouse: 'postgres' },
      { target: 'copy', warehouse: 'postgres' },
    ],
  });
});

test('for people it is a line for each target', () => {
  expect(renderTargets(listTargets({ targets }), noColors)).toBe('prod  postgres\ncopy  postgres');
});
