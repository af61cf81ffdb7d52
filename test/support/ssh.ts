import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { findFreePort } from './postgres-server.ts';
import { temporaryFolder } from './repository.ts';

/** A way to reach a repository over ssh: what git runs in place of `ssh`, and the URL of a folder there. */
export interface SshRoute {
  readonly command: string;
  url(remote: string): string;
  /** What was asked of the other side. */
  commands(): readonly string[];
}

/** A program that git takes for `ssh`, and that runs the command of the other side here, as git's own tests have it. */
export function pretendSsh(refusal?: string): SshRoute {
  const folder = temporaryFolder();
  const [script, log] = [join(folder, 'reach'), join(folder, 'log')];
  writeFileSync(log, '');
  const answer = refusal === undefined ? 'exec sh -c "$*"' : `echo '${refusal}' >&2; exit 255`;
  writeFileSync(script, `#!/bin/sh\n[ "$1" = -G ] && exit 1\nshift\necho "$*" >> '${log}'\n${answer}\n`);
  chmodSync(script, 0o755);
  return { command: script, url: (remote) => `ssh://git@example.invalid${remote}`, commands: () => readFileSync(log, 'utf8').trim().split('\n') };
}

/** Where Debian, Fedora and macOS have it; `VIEWSYNC_SSHD` names another one. */
export const sshd = process.env['VIEWSYNC_SSHD'] ?? '/usr/sbin/sshd';

export const hasSshd = existsSync(sshd);

/** A real ssh server on the loopback interface, with keys of its own. */
export async function serveSsh(): Promise<SshRoute> {
  const folder = temporaryFolder();
  const port = await findFreePort();
  for (const key of ['host', 'user']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, key)]);
  writeFileSync(
    join(folder, 'config'),
    `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${folder}/host\nAuthorizedKeysFile ${folder}/user.pub\nPidFile none\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\n`,
  );
  // As root it wants an empty folder to shut itself up in.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const child = spawn(sshd, ['-D', '-e', '-f', join(folder, 'config')], { stdio: 'ignore' });
  onTestFinished(() => void child.kill());
  await untilListening(port);
  const options = `-p ${port} -i ${folder}/user -F /dev/null -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`;
  return { command: `ssh ${options}`, url: (remote) => `ssh://127.0.0.1${remote}`, commands: () => [] };
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
        .once('connect', () => resolve(true))
        .once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await wait(50);
  }
  throw new Error(`The ssh server did not begin to listen on port ${port}.`);
}
