#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`Error: viewsync needs Node 22.18 or newer, and this is Node ${process.versions.node}. Nothing was done.`);
  process.exit(78);
}

const [{ enableCompileCache }, { setFlagsFromString }] = await Promise.all([import('node:module'), import('node:v8')]);
enableCompileCache();
// Room for new objects that grows with the number of views, and garbage that waits until the heap has doubled, cost memory and save next to no time.
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--heap-growing-percent=20');
const { main } = await import('../dist/cli/main.js');
await main(process.argv.slice(2));
