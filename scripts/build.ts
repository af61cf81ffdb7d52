import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Packages that find files of their own at run time and therefore cannot be bundled. */
const external = [
  'tinypool',
  '@pnpm/tabtab',
  '@google-cloud/bigquery',
  'google-auth-library',
  'snowflake-sdk',
  '@aws-sdk/client-redshift',
  '@aws-sdk/client-redshift-serverless',
];

// Every output lies one folder below dist, as every source lies one folder or more below src: '../../' is the package's root in both.
const entryPoints = ['src/index.ts', 'src/cli/main.ts', 'src/operations/format-worker.ts', ...globSync('src/commands/*.ts', { cwd: root })].map((path) => ({
  in: path,
  out: path === 'src/index.ts' ? 'library/index' : path.slice('src/'.length, -'.ts'.length),
}));

const banner = `import { createRequire as createRequireOfBundle } from 'node:module';const require = createRequireOfBundle(import.meta.url);`;

async function bundle(): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints,
    external,
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    minify: true,
    keepNames: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    banner: { js: banner },
    logLevel: 'warning',
  });
}

async function declareTypes(): Promise<void> {
  const compiler = spawn(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.library.json'], { cwd: root, stdio: 'inherit' });
  const [code] = await once(compiler, 'exit');
  if (code !== 0) throw new Error('tsc could not write the declarations of the library.');
}

async function describeCommands(): Promise<void> {
  const { Plugin } = await import('@oclif/core');
  const plugin = new Plugin({ root, type: 'core', ignoreManifest: true });
  await plugin.load();
  await writeFile(`${root}oclif.manifest.json`, JSON.stringify(plugin.manifest));
}

async function describeConfiguration(): Promise<void> {
  const { configurationSchema } = await import('../src/config.ts');
  await writeFile(`${root}viewsync.schema.json`, `${JSON.stringify(configurationSchema(), null, 2)}\n`);
}

await rm(`${root}dist`, { recursive: true, force: true });
await Promise.all([bundle(), declareTypes(), describeConfiguration()]);
await describeCommands();
