import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';

/** Packages that the bundle does not hold and that a user's installation therefore needs. */
const external = ['tinypool', '@pnpm/tabtab'];

const manifest = new URL('../package.json', import.meta.url);
const kept = new URL('../package.json.kept', import.meta.url);

type Manifest = Record<string, unknown> & { readonly dependencies: Readonly<Record<string, string>> };

/** What is published: no development settings, and neither Node nor a PostgreSQL server. */
function publishedManifest({ dependencies, devDependencies: _development, optionalDependencies: _platform, scripts: _scripts, ...rest }: Manifest): Manifest {
  return { ...rest, dependencies: Object.fromEntries(Object.entries(dependencies).filter(([name]) => external.includes(name))) };
}

async function strip(): Promise<void> {
  const text = await readFile(manifest, 'utf8');
  await writeFile(kept, text);
  await writeFile(manifest, `${JSON.stringify(publishedManifest(JSON.parse(text)), null, 2)}\n`);
}

async function restore(): Promise<void> {
  if (existsSync(kept)) await rename(kept, manifest);
}

await (process.argv[2] === 'restore' ? restore() : strip());
