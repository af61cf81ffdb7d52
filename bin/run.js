#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`Error: viewsync needs Node 22.18 or newer, and this is Node ${process.versions.node}. Nothing was done.`);
  process.exit(78);
}

const { enableCompileCache } = await import('node:module');
enableCompileCache();
const { main } = await import('../dist/cli/main.js');
await main(process.argv.slice(2));
