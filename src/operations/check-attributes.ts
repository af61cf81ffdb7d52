import type { FileAttributes } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import type { Check } from './examine-target.ts';
import { targetFolder, targetPath } from './view-files.ts';

interface Trouble {
  readonly attribute: string;
  readonly values: ReadonlySet<string>;
  readonly paths: readonly string[];
}

type Describe = (values: string, files: string) => Pick<Check, 'found' | 'suggestions'>;

const stored = 'viewsync stores what it reads as it is';

/** What each attribute does to views, for people. */
const descriptions: Readonly<Record<string, Describe>> = {
  filter: (values, files) => ({
    found: `The filter "${values}" applies to ${files}, and not to what viewsync commits: ${stored}, so nothing of it is encrypted or kept elsewhere. A file that somebody else commits goes through the filter, and viewsync cannot read it in the commit then.`,
    suggestions: ["echo 'FOLDER/** -filter' >> .gitattributes", 'To keep definitions from being read, restrict who may read the repository.'],
  }),
  'working-tree-encoding': (values, files) => ({
    found: `Git writes ${files} in ${values} to the work tree, and viewsync reads UTF-8 there: ${stored}, and a file that is edited looks broken.`,
    suggestions: ["echo 'FOLDER/** !working-tree-encoding' >> .gitattributes"],
  }),
  ident: (_, files) => ({
    found: `Git replaces $Id$ in ${files}: ${stored}, and a definition that holds $Id$ is another one once somebody commits its file.`,
    suggestions: ["echo 'FOLDER/** -ident' >> .gitattributes"],
  }),
  text: (_, files) => ({
    found: `Git converts line ends of ${files}: ${stored}, and a literal that holds CR LF is another one once somebody commits its file.`,
    suggestions: ["echo 'FOLDER/** -text' >> .gitattributes"],
  }),
};

/** `eol` and the old `crlf` say that a file is text, unless `text` says that it is none. */
function troubleOf({ text, eol, crlf, ...others }: FileAttributes): readonly (readonly [attribute: string, value: string])[] {
  const convertsEnds = text === undefined ? eol !== undefined || crlf !== undefined : text !== 'unset';
  return [...Object.entries(others), ...(convertsEnds ? [['text', text ?? 'set'] as const] : [])];
}

function collect(attributes: ReadonlyMap<string, FileAttributes>): readonly Trouble[] {
  const found = [...attributes].flatMap(([path, each]) => troubleOf(each).map(([attribute, value]) => ({ path, attribute, value })));
  return [...Map.groupBy(found, ({ attribute }) => attribute)].map(([attribute, all]) => ({
    attribute,
    values: new Set(all.map(({ value }) => value)),
    paths: all.map(({ path }) => path),
  }));
}

function describe({ attribute, values, paths }: Trouble, folder: string): readonly Check[] {
  const [first = '', ...more] = paths;
  const files = more.length === 0 ? first : `${first} and ${more.length} more ${more.length === 1 ? 'file' : 'files'}`;
  const content = descriptions[attribute]?.([...values].join(', '), files);
  if (content === undefined) return [];
  const suggestions = (content.suggestions ?? []).map((each) => each.replace('FOLDER', folder));
  return [{ check: 'attributes', outcome: 'warning', found: content.found, suggestions }];
}

/** Whether git leaves the bytes of the files of views alone; nothing where no files are. */
export async function checkAttributes(project: Project, target: Target): Promise<readonly Check[]> {
  const { history } = project;
  const { commit } = await history.head();
  const folder = targetFolder(project, target);
  const files = commit === undefined ? new Map() : await history.reader.listTree(commit, folder);
  const attributes = await history.readAttributes([...new Set([targetPath(project, target), `${folder}/schema/view.sql`, ...files.keys()])]);
  const wrong = collect(new Map([...attributes].filter(([path]) => files.size === 0 || files.has(path)))).flatMap((trouble) =>
    describe(trouble, project.viewsFolder || folder),
  );
  return wrong.length > 0 ? wrong : [{ check: 'attributes', outcome: 'good', found: 'Git leaves the bytes of the files of views alone.' }];
}
