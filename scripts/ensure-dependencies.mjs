// Installs the locked dependencies when they are not there yet, so that one command is enough on a fresh clone.
// Runs on the machine's own Node (18 or newer); what follows it runs on the Node that the installation brings.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = `${root}node_modules/.viewsync-stamp`;
const wantedNode = [22, 18];

function stamp() {
  const lock = createHash('sha256')
    .update(readFileSync(`${root}package-lock.json`))
    .digest('hex');
  return `${lock} ${process.platform} ${process.arch}\n`;
}

function isInstalled() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp();
}

function install() {
  const npm = process.env['npm_execpath'];
  const [command, leading] = npm ? [process.execPath, [npm]] : ['npm', []];
  console.error('Installing the locked dependencies (once; about a minute) ...');
  const { status } = spawnSync(command, [...leading, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(stampFile, stamp());
}

/** The version of the Node that the next command of an npm script will find. */
function nextNode() {
  const separator = process.platform === 'win32' ? ';' : ':';
  const path = `${root}node_modules/.bin${separator}${process.env['PATH'] ?? ''}`;
  const version = execFileSync('node', ['--version'], { encoding: 'utf8', env: { ...process.env, PATH: path }, shell: process.platform === 'win32' });
  return version.trim().slice(1).split('.').map(Number);
}

if (!isInstalled()) install();

const [major, minor] = nextNode();
if (major < wantedNode[0] || (major === wantedNode[0] && minor < wantedNode[1])) {
  console.error(
    `viewsync needs Node ${wantedNode.join('.')} or newer and found ${major}.${minor}; no Node package could be installed for ${process.platform} ${process.arch}. Install Node 24 and run the command again.`,
  );
  process.exit(1);
}
