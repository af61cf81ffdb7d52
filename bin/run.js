#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`Error: viewsync needs Node 22.18 or newer, and this is Node ${process.versions.node}. Nothing was done.`);
  process.exit(78);
}

const [{ enableCompileCache }, { setFlagsFromString }] = await Promise.all([import('node:module'), import('node:v8')]);
enableCompileCache();
// Garbage that waits until the heap has doubled costs memory, and with less room than this collecting it costs a tenth of the time.
setFlagsFromString('--heap-growing-percent=70');
const { main } = await import('../dist/cli/main.js');
await main(process.argv.slice(2));
