import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chooseTarget, connectTarget, openProject } from '../src/project.ts';
import { someone, temporaryFolder, temporaryRepository, writeFiles } from './support/repository.ts';

const one = 'targets:\n  prod:\n    warehouse: postgres\n    url: ${SHOP_URL}\n';
const two = `${one}  staging:\n    warehouse: postgres\n`;
const open = (directory: string) => openProject({ directory, environment: someone });

describe('opening a project', () => {
  test('finds viewsync.yaml in the folder or above it', async () => {
    const directory = temporaryRepository();
    writeFiles(directory, { 'viewsync.yaml': one });
    mkdirSync(join(directory, 'deep/er'), { recursive: true });
    const { directory: found, viewsFolder, targets } = await open(join(directory, 'deep/er'));
    expect({ found, viewsFolder, names: targets.map(({ name }) => name) }).toEqual({ found: directory, viewsFolder: 'views', names: ['prod'] });
  });

  test('places the views relative to viewsync.yaml, anywhere in a repository', async () => {
    const directory = temporaryRepository();
    writeFiles(directory, { 'data/warehouse/viewsync.yaml': `${one}views: ../sql/views\n` });
    expect((await open(join(directory, 'data/warehouse'))).viewsFolder).toBe('data/sql/views');
  });

  test.each(['..', '../elsewhere', '.', './'])('refuses the views folder "%s", which is not one of its own inside the repository', async (views) => {
    const directory = temporaryRepository();
    writeFiles(directory, { 'viewsync.yaml': `${one}views: ${views}\n` });
    await expect(open(directory)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('suggests viewsync init where there is no viewsync.yaml', async () => {
    await expect(open(temporaryFolder())).rejects.toMatchObject({ code: 'CONFIG_MISSING', suggestions: expect.arrayContaining(['viewsync init']) });
  });

  test('says that viewsync.yaml is a folder', async () => {
    const directory = temporaryFolder();
    mkdirSync(join(directory, 'viewsync.yaml'));
    await expect(open(directory)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      exitCode: 78,
      message: expect.stringMatching(/it is a folder\. Nothing was done\.$/),
    });
  });

  test('needs a git repository', async () => {
    const directory = temporaryFolder();
    writeFiles(directory, { 'viewsync.yaml': one });
    await expect(open(directory)).rejects.toMatchObject({ code: 'NOT_A_REPOSITORY' });
  });
});

describe('choosing a target', () => {
  const targetsOf = async (text: string) => {
    const directory = temporaryRepository();
    writeFiles(directory, { 'viewsync.yaml': text });
    return open(directory);
  };

  test('takes the only one', async () => {
    expect(chooseTarget(await targetsOf(one)).name).toBe('prod');
  });

  test('takes the one that is named', async () => {
    expect(chooseTarget(await targetsOf(two), 'staging').name).toBe('staging');
  });

  test('needs a name where there are several, and lists them', async () => {
    const project = await targetsOf(two);
    expect(() => chooseTarget(project)).toThrow(expect.objectContaining({ code: 'USAGE', suggestions: ['--target prod', '--target staging'] }));
  });

  test('names the nearest one when the name is unknown', async () => {
    const project = await targetsOf(two);
    expect(() => chooseTarget(project, 'stagin')).toThrow('Did you mean "staging"?');
  });

  test('connecting names a variable that is not set', async () => {
    const project = await targetsOf(one);
    await expect(connectTarget(project, chooseTarget(project))).rejects.toMatchObject({
      code: 'VARIABLE_UNSET',
      message: expect.stringContaining('"SHOP_URL"'),
    });
  });
});
