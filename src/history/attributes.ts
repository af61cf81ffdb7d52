import { runGit } from './git-process.ts';
import type { FileAttributes } from './history.ts';
import type { Repository } from './repository.ts';

// https://git-scm.com/docs/gitattributes: what makes the bytes in the work tree other ones than those that are stored.
const asked = ['filter', 'text', 'eol', 'crlf', 'ident', 'working-tree-encoding'];

/** See `History.readAttributes`. */
export async function readAttributes(repository: Repository, paths: readonly string[]): Promise<ReadonlyMap<string, FileAttributes>> {
  if (repository.root === undefined || paths.length === 0) return new Map();
  const { stdout } = await runGit(repository, ['check-attr', '-z', '--stdin', ...asked], { input: paths.map((path) => `${path}\0`).join('') });
  const fields = stdout.toString().split('\0');
  const found = new Map<string, FileAttributes>();
  for (let index = 0; index + 2 < fields.length; index += 3) {
    const [path = '', attribute = '', value = ''] = fields.slice(index, index + 3);
    found.set(path, { ...found.get(path), ...meaning(attribute, value) });
  }
  return (await convertsLineEnds(repository)) ? new Map([...found].map(([path, attributes]) => [path, { text: 'auto', ...attributes }])) : found;
}

/** `-text`, or as it was called before `-crlf`, is a word about line ends; what else is unset does nothing. */
function meaning(attribute: string, value: string): FileAttributes {
  if (value === 'unspecified') return {};
  if (value !== 'unset') return { [attribute]: value };
  return attribute === 'text' || attribute === 'crlf' ? { text: value } : {};
}

// https://git-scm.com/docs/git-config#Documentation/git-config.txt-coreautocrlf: for files without a word about their line ends.
async function convertsLineEnds(repository: Repository): Promise<boolean> {
  const { stdout } = await runGit(repository, ['config', '--get', 'core.autocrlf'], { accept: [0, 1] });
  return ['true', 'input'].includes(stdout.toString().trim());
}
