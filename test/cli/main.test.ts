import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runViewsync } from '../commands/command-line.ts';
import { someone, temporaryFolder, temporaryRepository, writeFiles } from '../support/repository.ts';

describe('a command line that cannot be understood', () => {
  test.each([
    ['an unknown flag', ['status', '--colour']],
    ['an unknown command', ['sttus']],
    ['a missing argument', ['show']],
    ['an argument too many', ['show', 'a', 'b']],
    ['a bad duration', ['apply', 'HEAD', '--lock-timeout', 'soon']],
    ['an unknown hazard', ['plan', 'HEAD', '--allow', 'EVERYTHING']],
  ])('%s exits with 64, tells the person on stderr, and prints nothing on stdout', async (_, args) => {
    const ending = await runViewsync(args, { directory: temporaryFolder() });
    expect(ending).toMatchObject({ exitCode: 64, stdout: '' });
    expect(ending.stderr).toMatch(/^Error: .*Nothing was done\..* \[USAGE\]\nTry: /s);
  });

  test('names the nearest command', async () => {
    const { stderr } = await runViewsync(['sttus'], { directory: temporaryFolder() });
    expect(stderr).toContain('Did you mean "status"?');
  });

  test.each([[['status', '--colour', '--json']], [['sttus', '--json']]])('is one JSON document under --json', async (args) => {
    const { exitCode, stdout, stderr } = await runViewsync(args, { directory: temporaryFolder() });
    expect({ exitCode, stderr }).toEqual({ exitCode: 64, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'USAGE', exitCode: 64, suggestions: ['viewsync --help'] } });
  });
});

describe('an error', () => {
  test('exits with its code and says what to type next', async () => {
    const directory = temporaryFolder();
    const { exitCode, stderr } = await runViewsync(['status'], { directory });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 78,
      stderr: `Error: There is no viewsync.yaml in "${directory}" or in a folder above it. Nothing was done. [CONFIG_MISSING]\nTry: viewsync init\nor:  viewsync demo\n`,
    });
  });

  test('under --json holds nothing but code, exit code, message, suggestions and details', async () => {
    const { stdout } = await runViewsync(['status', '--json'], { directory: temporaryFolder() });
    expect(Object.keys(JSON.parse(stdout).error)).toEqual(['code', 'exitCode', 'message', 'suggestions', 'details']);
  });

  test('an unset variable is named', async () => {
    const directory = temporaryRepository();
    writeFiles(directory, { 'viewsync.yaml': 'targets:\n  prod:\n    warehouse: postgres\n    url: ${NO_SUCH_URL}\n' });
    const { exitCode, stderr } = await runViewsync(['status'], { directory });
    expect(exitCode).toBe(78);
    expect(stderr).toContain('"NO_SUCH_URL"');
  });

  test('never shows a password', async () => {
    const directory = temporaryRepository();
    writeFiles(directory, { 'viewsync.yaml': 'targets:\n  prod:\n    warehouse: postgres\n    url: ${SHOP_URL}\n' });
    const environment = { SHOP_URL: 'postgresql://ada:topsecret@127.0.0.1:1/shop' };
    for (const args of [['status'], ['status', '--json']]) {
      const { exitCode, stdout, stderr } = await runViewsync(args, { directory, environment });
      expect(exitCode).toBe(69);
      expect(stdout + stderr).not.toContain('topsecret');
    }
  });
});

describe('flags from the environment', () => {
  test('are taken as if they were typed', async () => {
    const directory = temporaryFolder();
    const { stdout } = await runViewsync(['status'], { directory, environment: { VIEWSYNC_JSON: '1' } });
    expect(JSON.parse(stdout).error.code).toBe('CONFIG_MISSING');
  });
});

describe('help', () => {
  test('lists every command', async () => {
    const { exitCode, stdout } = await runViewsync(['--help'], { directory: temporaryFolder() });
    expect(exitCode).toBe(0);
    for (const name of ['apply', 'demo', 'diff', 'export', 'init', 'log', 'plan', 'rollback', 'show', 'status'])
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  });

  test('of a command has examples and exit codes', async () => {
    const { exitCode, stdout } = await runViewsync(['apply', '--help'], { directory: temporaryFolder() });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('EXAMPLES');
    expect(stdout).toContain('Exit codes: 0 ');
    expect(stdout).toContain('VIEWSYNC_LOCK_TIMEOUT');
  });
});

describe('Ctrl-C', () => {
  test('ends with 130 and says so', async () => {
    const directory = temporaryRepository();
    writeFiles(directory, { 'viewsync.yaml': 'targets:\n  prod:\n    warehouse: postgres\n    url: ${SHOP_URL}\n' });
    await using silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { readonly port: number };
    const environment = { ...someone, SHOP_URL: `postgresql://ada@127.0.0.1:${port}/shop?sslmode=disable` };
    const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
    const child = spawn(process.execPath, [program, 'status'], { cwd: directory, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const [socket] = await once(silent, 'connection');
    child.kill('SIGINT');
    const [[code], stderr] = await Promise.all([once(child, 'close'), text(child.stderr)]);
    socket.destroy();
    expect({ code, stderr }).toMatchObject({ code: 130, stderr: expect.stringContaining('[INTERRUPTED]') });
  });
});

describe('colours', () => {
  const failure = (environment: Readonly<Record<string, string>>) => runViewsync(['status'], { directory: temporaryFolder(), environment });

  test('go to a terminal only, unless FORCE_COLOR asks for them', async () => {
    expect((await failure({})).stderr).not.toContain('\u001b[');
    expect((await failure({ FORCE_COLOR: '1' })).stderr).toContain('\u001b[31m');
  });

  test('stay away under NO_COLOR', async () => {
    expect((await failure({ NO_COLOR: '1' })).stderr).not.toContain('\u001b[');
  });
});
