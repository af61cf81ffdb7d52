import { ViewsyncError } from '../errors.ts';
import { hasSameOrder, isSameAttachment } from './compare.ts';
import type { Dialect, ParsedCreate, Statement } from './dialect.ts';
import { withoutIgnored } from './ignore.ts';
import { pathInTarget } from './path.ts';
import { readsOf } from './references.ts';
import { relationKey } from './relation.ts';
import { endStatement } from './reserved-line.ts';
import { addReservedLines, positionAt, splitStatements } from './statements.ts';
import { sameTokens } from './tokens.ts';
import { hideMarked, markQuery, parseHidden } from './verbatim.ts';
import { type Attachment, isView, type View } from './view.ts';
import { isHeaderOf, namesRead, readHeader, type ViewHeader, writeHeader } from './view-header.ts';

/** A statement as the file holds it, up to its semicolon, with the comments that stand before it and the attachments that it makes. */
export interface FilePart {
  readonly comments: string;
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

/** A view file that was read, with the bytes that writing it again keeps. */
export interface ParsedViewFile {
  readonly view: View;
  readonly text: string;
  readonly header: ViewHeader;
  /** What stands before the CREATE statement. */
  readonly headerText: string;
  readonly create: FilePart;
  /** The other statements in the order of the file. */
  readonly parts: readonly FilePart[];
  /** Comments behind the last statement. */
  readonly ending: string;
}

interface Source {
  readonly text: string;
  readonly path: string;
  readonly dialect: Dialect;
}

function failAt(
  { text, path }: Source,
  offset: number,
  content: { readonly message: string; readonly code?: 'FORMAT_TOO_NEW'; readonly cause?: unknown },
): never {
  const { line, column } = positionAt(text, offset);
  throw new ViewsyncError(content.code ?? 'FILE_UNREADABLE', {
    message: `${path}:${line}: ${content.message}`,
    details: { path, line, column, offset },
    cause: content.cause,
  });
}

/** Runs a part of the reading; an error that knows its offset gets file and line. */
function withPlace<T>(source: Source, offset: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ViewsyncError) || (error.code !== 'FILE_UNREADABLE' && error.code !== 'FORMAT_TOO_NEW')) throw error;
    const known = error.details['offset'];
    const code = error.code === 'FORMAT_TOO_NEW' ? { code: error.code } : {};
    return failAt(source, typeof known === 'number' ? known : offset, { message: error.message, cause: error, ...code });
  }
}

function failMisplaced({ path }: Source, create: ParsedCreate, expected: string): never {
  throw new ViewsyncError('FILE_MISPLACED', {
    message: `${path} creates ${create.name.object ? '' : 'the view '}${relationKey(create.name)}, whose file is ${expected}. Nothing was changed.`,
    suggestions: [`Move the file to ${expected}, or correct the name in its CREATE statement.`],
    details: { path, expected },
  });
}

function checkPlace(source: Source, create: ParsedCreate): void {
  const expected = pathInTarget(create.name, source.dialect).split('/');
  const found = source.path.split('/');
  if (expected.join('/') === found.slice(-expected.length).join('/')) return;
  failMisplaced(source, create, [...found.slice(0, -expected.length), ...expected].join('/'));
}

const attachmentId = ({ kind, key }: Attachment): string => `${kind}\0${key}`;

function describe({ kind, key }: Attachment): string {
  return key === '' ? kind : `${kind} ${JSON.stringify(key)}`;
}

function parseOthers(source: Source, view: ParsedCreate, statements: readonly Statement[]): (readonly Attachment[])[] {
  return statements.map((statement) => withPlace(source, statement.start, () => source.dialect.parseAttachments(statement, view)));
}

function checkUnique(source: Source, create: ParsedCreate, parsed: readonly (readonly [Statement, readonly Attachment[]])[]): void {
  const seen = new Set(create.attachments.map(attachmentId));
  for (const [statement, attachments] of parsed) {
    for (const attachment of attachments) {
      if (seen.has(attachmentId(attachment))) failAt(source, statement.start, { message: `The ${describe(attachment)} is set twice in this file.` });
      seen.add(attachmentId(attachment));
    }
  }
}

/** Reads the other statements, twice: what one means may depend on another, as a grant's on the owner, who may be named behind it. */
function readParts(source: Source, create: ParsedCreate, statements: readonly Statement[]): (readonly Attachment[])[] {
  const first = parseOthers(source, create, statements);
  const parts = parseOthers(source, { ...create, attachments: [...create.attachments, ...first.flat()] }, statements);
  checkUnique(
    source,
    create,
    statements.map((statement, index) => [statement, parts[index] ?? []] as const),
  );
  return parts;
}

const reserved = /^[ \t]*-- viewsync:/m;

/** The comments between two offsets, of which none may be a line that is reserved for versions to come. */
function commentsBetween(source: Source, start: number, end: number): string {
  const text = source.text.slice(start, end);
  const line = reserved.exec(text);
  if (line !== null) {
    const message = 'This line holds something that this version of viewsync does not know. Use a newer version.';
    failAt(source, start + line.index, { message, code: 'FORMAT_TOO_NEW' });
  }
  return text.trim();
}

function sortAttachments(attachments: readonly Attachment[], kinds: readonly string[]): readonly Attachment[] {
  return attachments.toSorted((left, right) => kinds.indexOf(left.kind) - kinds.indexOf(right.kind));
}

function makeView(create: ParsedCreate, header: ViewHeader, attachments: readonly Attachment[], dialect: Dialect): View {
  const { name, kind, definition } = create;
  const reads = isView(create) ? readsOf(definition, dialect, name).filter((read) => relationKey(read) !== relationKey(name)) : namesRead(header);
  return { name, kind, definition, columns: header.columns, reads, attachments: sortAttachments(attachments, dialect.attachmentKinds), unrestorable: [] };
}

function makePart(source: Source, statement: Statement, before: number, attachments: readonly Attachment[]): FilePart {
  const text = source.text.slice(statement.start, statement.stop);
  return { comments: commentsBetween(source, before, statement.start), text, attachments };
}

function readStatements(source: Source, text: string): readonly [Statement, ...Statement[]] {
  const { lexicalRules, statementRuns } = source.dialect;
  const [first, ...others] = withPlace(source, 0, () => splitStatements(text, lexicalRules, statementRuns));
  if (first === undefined) return failAt(source, 0, { message: 'There is no CREATE statement in this file.' });
  const last = others.at(-1) ?? first;
  // A file that was cut off would be read as another view.
  if (last.stop === last.end) return failAt(source, last.end, { message: 'The last statement does not end with a semicolon. Was the file cut off?' });
  return [first, ...(source.dialect.hasReservedLines ? addReservedLines(source.text, [first, ...others]).filter(({ start }) => start > first.start) : others)];
}

/**
 * Reads one view file; `path` ends in the place of the view's file. Throws `FILE_UNREADABLE` with file and line for anything that
 * `docs/file-format.md` does not list, `FILE_MISPLACED` when the path is another view's, `FORMAT_TOO_NEW` for a reserved line.
 */
export function readViewFile(text: string, path: string, dialect: Dialect): ParsedViewFile {
  const source: Source = { text: text.replace(/^\uFEFF/, ' '), path, dialect };
  const hidden = hideMarked(source.text, dialect.lexicalRules);
  const [first, ...others] = readStatements(source, hidden?.text ?? source.text);
  const create = withPlace(source, first.start, () => parseHidden(first, hidden, dialect.parseCreate));
  checkPlace(source, create);
  const headerText = commentsBetween(source, 0, first.start);
  const header = readHeader(headerText);
  const attachments = readParts(source, create, others);
  const stops = [first, ...others].map(({ stop }) => stop);
  return {
    view: makeView(create, header, [...create.attachments, ...attachments.flat()], dialect),
    text,
    header,
    headerText,
    create: { ...makePart(source, first, first.start, create.attachments), comments: '' },
    parts: others.map((statement, index) => makePart(source, statement, stops[index] ?? 0, attachments[index] ?? [])),
    ending: commentsBetween(source, stops.at(-1) ?? 0, text.length),
  };
}

function isKnown(left: Attachment | undefined, right: Attachment, dialect: Dialect): boolean {
  return left !== undefined && isSameAttachment(left, right, dialect);
}

function isSameList(left: readonly Attachment[], right: readonly Attachment[], dialect: Dialect): boolean {
  const byId = new Map(left.map((attachment) => [attachmentId(attachment), attachment]));
  const isEach = left.length === right.length && right.every((attachment) => isKnown(byId.get(attachmentId(attachment)), attachment, dialect));
  return isEach && hasSameOrder(left, right, dialect);
}

function writeCreate(view: View, dialect: Dialect, previous: ParsedViewFile | undefined): string {
  const marked = { ...view, definition: markQuery(view.definition, dialect.lexicalRules) };
  const canonical = `${dialect.createView(marked, 'file')}\n;`;
  if (previous === undefined || previous.view.kind !== view.kind || relationKey(previous.view.name) !== relationKey(view.name)) return canonical;
  const inline = view.attachments.filter(({ kind }) => dialect.inlineKinds.includes(kind));
  const isSame = isSameList(previous.create.attachments, inline, dialect) && sameTokens(previous.view.definition, view.definition, dialect);
  return isSame ? previous.create.text : canonical;
}

/** The parts of the previous file that may stay, by the id of each attachment that they make. */
function keptParts(view: View, dialect: Dialect, previous: ParsedViewFile | undefined): ReadonlyMap<string, FilePart> {
  if (previous === undefined) return new Map();
  const wanted = new Map(view.attachments.map((attachment) => [attachmentId(attachment), attachment]));
  const isKept = (part: FilePart) => part.attachments.every((attachment) => isKnown(wanted.get(attachmentId(attachment)), attachment, dialect));
  const kept = previous.parts.filter(isKept);
  return new Map(kept.flatMap((part) => part.attachments.map((attachment) => [attachmentId(attachment), part] as const)));
}

function partText({ comments, text }: FilePart): string {
  return comments === '' ? text : `${comments}\n${text}`;
}

function writeParts(view: View, dialect: Dialect, previous: ParsedViewFile | undefined): string {
  const kept = keptParts(view, dialect, previous);
  const texts = new Set<string | FilePart>();
  for (const attachment of view.attachments) {
    if (!dialect.inlineKinds.includes(attachment.kind)) texts.add(kept.get(attachmentId(attachment)) ?? endStatement(attachment.make));
  }
  return [...texts].map((text) => (typeof text === 'string' ? text : partText(text))).join('\n');
}

function writeTop(view: View, previous: ParsedViewFile | undefined): string {
  if (previous !== undefined && isHeaderOf(previous.header, view)) return previous.headerText;
  const notes = previous?.header.notes ?? '';
  return notes === '' ? writeHeader(view) : `${writeHeader(view)}\n\n${notes}`;
}

function isUnchanged(view: View, dialect: Dialect, previous: ParsedViewFile): boolean {
  const isSame = previous.view.kind === view.kind && relationKey(previous.view.name) === relationKey(view.name) && isHeaderOf(previous.header, view);
  return isSame && isSameList(previous.view.attachments, view.attachments, dialect) && sameTokens(previous.view.definition, view.definition, dialect);
}

/**
 * Returns the text of a view's file. With the file as it was before, header, definition and each statement keep their bytes while their
 * own value is unchanged, and the whole file does when nothing of the view has changed.
 */
export function writeViewFile(whole: View, dialect: Dialect, previous?: ParsedViewFile): string {
  const view = withoutIgnored(whole, dialect);
  if (previous !== undefined && isUnchanged(view, dialect, previous)) return previous.text;
  const sections = [writeTop(view, previous), writeCreate(view, dialect, previous), writeParts(view, dialect, previous), previous?.ending ?? ''];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}
