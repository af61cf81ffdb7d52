import { LineCounter, parseDocument } from 'yaml';
import { array, type core, looseObject, record, strictObject, string, toJSONSchema, unknown } from 'zod';
import { didYouMean } from './core/nearest.ts';
import { ViewsyncError } from './errors.ts';
import type { Target } from './project.ts';
import { adapters } from './warehouses/registry.ts';

export const configurationFile = 'viewsync.yaml';

const usualFolder = 'views';

/** A valid `viewsync.yaml`. `views` is relative to the folder of the file. */
export interface Configuration {
  readonly targets: readonly Target[];
  readonly views: string;
}

type Path = readonly PropertyKey[];

interface Fault {
  readonly path: Path;
  readonly message: string;
}

/** A fault at a line of the file, counted from 1. */
export interface ConfigurationFault {
  readonly line: number;
  readonly message: string;
}

// A target's name is a folder, a part of a ref and what people type: lower case keeps it one and the same on every disk.
const targetName = string().regex(
  /^(?!(?:con|prn|aux|nul|com\d|lpt\d)$)[a-z0-9][a-z0-9_-]*$/,
  'A target is named with lower-case letters, digits, "_" and "-", and starts with a letter or digit.',
);

const globs = array(string().min(1, 'A glob must not be empty.'));

const pattern = string().refine(isPattern, 'This is no regular expression.');

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'su') !== undefined;
  } catch {
    return false;
  }
}

const target = looseObject({
  warehouse: string().describe('The kind of warehouse, such as postgres.'),
  schemas: globs
    .min(1, 'Name at least one schema, or leave "schemas" out for all of them.')
    .describe("Globs over schema names; a leading ! excludes. Default: every schema but the system's.")
    .optional(),
  'leave-out': globs
    .describe('Globs over the names of relations that never belong to it. Default: *__dbt_tmp and *__dbt_backup, which a running dbt makes for a while.')
    .optional(),
  ignore: strictObject({
    comments: array(pattern).describe('Regular expressions: a comment in which one is found is ignored.').optional(),
    labels: globs.describe('Globs over the names of labels and tags.').optional(),
  })
    .describe('What changes with every run of some tool: it stays out of files and is no drift.')
    .optional(),
  'allow-unreadable': globs.describe('Globs over schema.name of views whose unreadable definition is no failure.').optional(),
});

const configuration = strictObject({
  targets: record(targetName, target).describe('One entry for each warehouse or database, by name.'),
  views: string()
    .regex(/^(?!\/)(?![A-Za-z]:)[^\\]+$/, 'The folder of the views is relative to viewsync.yaml and written with "/".')
    .describe('The folder of the exported files, relative to viewsync.yaml. Default: views.')
    .optional(),
});

const anyTargets = looseObject({ targets: record(string(), unknown()) });

const ownTargetKeys: readonly string[] = Object.keys(target.shape);

/** The JSON Schema of `viewsync.yaml`, for editors. */
export function configurationSchema(): object {
  return { title: 'viewsync.yaml', ...toJSONSchema(configuration) };
}

/**
 * Reads the text of a `viewsync.yaml`. `${VARIABLE}`s stay as they are. Reports every fault at once, with its line, as `CONFIG_INVALID`
 * (`details.faults`).
 */
export async function readConfiguration(text: string): Promise<Configuration> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  if (document.errors.length > 0) throw invalid(document.errors.map((error) => ({ line: lineAt(error.pos[0]), message: firstLine(error.message) })));

  const content: unknown = document.toJS() ?? {};
  const parsed = configuration.safeParse(content, { reportInput: true });
  const faults = [
    ...(parsed.success ? findMissingTarget(parsed.data.targets) : parsed.error.issues.flatMap(describeIssue)),
    ...(await findTargetFaults(content)),
  ];
  if (faults.length > 0) throw invalid(faults.map(({ path, message }) => ({ line: lineAt(offsetOf(document, path)), message })));
  if (!parsed.success) throw parsed.error;
  return { views: parsed.data.views ?? usualFolder, targets: Object.entries(parsed.data.targets).map(toTarget) };
}

/** Where a `viewsync.yaml` keeps the views, whatever else it holds that is not understood today. */
export function readViewsFolder(text: string): string {
  const document = parseDocument(text);
  const content: unknown = document.errors.length > 0 ? {} : document.toJS();
  const views = typeof content === 'object' && content !== null && 'views' in content ? content.views : undefined;
  return typeof views === 'string' ? views : usualFolder;
}

function toTarget([name, entry]: [string, TargetEntry]): Target {
  const { warehouse, schemas = ['*'], 'leave-out': leaveOut, ignore, 'allow-unreadable': allowUnreadable = [], ...options } = entry;
  const scope = { schemas, ...(leaveOut === undefined ? {} : { leaveOut }) };
  const ignored = ignore === undefined ? {} : { ignore: { comments: ignore.comments ?? [], labels: ignore.labels ?? [] } };
  return { name, warehouse, scope, allowUnreadable, ...ignored, options };
}

type TargetEntry = (typeof configuration)['_output']['targets'][string];

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '.').replace(/\.\.$/, '.');
}

function invalid(faults: readonly ConfigurationFault[]): ViewsyncError {
  const sorted = [...faults].sort((left, right) => left.line - right.line);
  const count = sorted.length === 1 ? 'a fault' : `${sorted.length} faults`;
  return new ViewsyncError('CONFIG_INVALID', {
    message: [`${configurationFile} has ${count}; nothing was done.`, ...sorted.map(({ line, message }) => `  line ${line}: ${message}`)].join('\n'),
    suggestions: [`Correct ${sorted.length === 1 ? 'it' : 'them'} in ${configurationFile}, then run the command again.`],
    details: { faults: sorted },
  });
}

function describeIssue(issue: core.$ZodIssue): readonly Fault[] {
  const known = Object.keys(configuration.shape);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: `"${key}" is not a key of this file.${didYouMean(key, known)}` }));
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ path: issue.path, message }));
  const where = issue.path.length === 0 ? '' : `"${issue.path.join('.')}": `;
  return [{ path: issue.path, message: `${where}${describeType(issue)}` }];
}

function describeType(issue: core.$ZodIssue): string {
  if (issue.code !== 'invalid_type') return issue.message;
  const wanted =
    { record: 'entries with a name each', object: 'keys with values', array: 'a list', string: 'a text' }[issue.expected as string] ?? issue.expected;
  return `Expected ${wanted}${issue.input === undefined ? ', and it is missing' : ''}.`;
}

function findMissingTarget(targets: Readonly<Record<string, TargetEntry>>): readonly Fault[] {
  if (Object.keys(targets).length > 0) return [];
  return [{ path: ['targets'], message: 'There is no target yet; "targets" needs at least one.' }];
}

/** Faults of the entries whose own shape is right, also where something else in the file is not. */
async function findTargetFaults(content: unknown): Promise<readonly Fault[]> {
  const targets = Object.entries(anyTargets.safeParse(content).data?.targets ?? {});
  const readable = targets.flatMap(([name, entry]) => {
    const { data } = target.safeParse(entry);
    return data === undefined ? [] : [findOptionFaults(name, data)];
  });
  return (await Promise.all(readable)).flat();
}

async function findOptionFaults(name: string, entry: TargetEntry): Promise<readonly Fault[]> {
  const load = adapters[entry.warehouse];
  const path = ['targets', name];
  if (load === undefined) {
    const known = Object.keys(adapters);
    const message = `"${entry.warehouse}" is not a kind of warehouse.${didYouMean(entry.warehouse, known)} Known are: ${known.join(', ')}.`;
    return [{ path: [...path, 'warehouse'], message }];
  }
  const { options } = toTarget([name, entry]);
  const faults = (await load()).validateOptions(options);
  return faults.map((fault) => withNearestKey({ path: [...path, ...fault.path], message: fault.message }));
}

/** An adapter knows its own keys only; a slip in one of ours is told here. */
function withNearestKey({ path, message }: Fault): Fault {
  const suggestion = didYouMean(String(path.at(-1)), ownTargetKeys);
  return { path, message: message.includes('Did you mean') ? message : `${message}${suggestion}` };
}

interface Located {
  readonly range?: readonly [number, number, number] | null;
}

interface Collection {
  readonly items: readonly { readonly key?: Located & { readonly value?: unknown }; readonly value?: unknown }[];
}

/** Where the key of the path stands; the nearest enclosing one that is there when it is missing. */
function offsetOf(document: { readonly contents: unknown }, path: Path): number {
  let offset = 0;
  let node: unknown = document.contents;
  for (const part of path) {
    const items = (node as Partial<Collection> | null)?.items ?? [];
    const pair = items.find(({ key }) => key?.value === part);
    if (pair === undefined) return (items[Number(part)] as Located | undefined)?.range?.[0] ?? offset;
    offset = pair.key?.range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}

const variable = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** The text with every `${VARIABLE}` replaced. `VARIABLE_UNSET` names the ones that are unset or empty. */
export function interpolate(text: string, environment: Readonly<Record<string, string | undefined>>): string {
  const unset = [...text.matchAll(variable)].map((match) => match[1] ?? '').filter((name) => !environment[name]);
  if (unset.length > 0) throw variableUnset([...new Set(unset)]);
  return text.replace(variable, (_, name: string) => environment[name] ?? '');
}

function variableUnset(names: readonly string[]): ViewsyncError {
  const list = names.map((name) => `"${name}"`).join(', ');
  return new ViewsyncError('VARIABLE_UNSET', {
    message: `${configurationFile} uses ${names.length === 1 ? `the environment variable ${list}, which is` : `the environment variables ${list}, which are`} not set. Nothing was done.`,
    suggestions: names.map((name) => `export ${name}=...`),
    details: { variables: names },
  });
}

/** The options of a target with every `${VARIABLE}` in them replaced, at any depth. */
export function interpolateOptions(
  options: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, unknown>> {
  const replace = (value: unknown): unknown => {
    if (typeof value === 'string') return interpolate(value, environment);
    if (Array.isArray(value)) return value.map(replace);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replace(inner)]));
  };
  return replace(options) as Readonly<Record<string, unknown>>;
}
