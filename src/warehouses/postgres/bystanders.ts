import { compareRelations, type RelationName, relationKey } from '../../core/relation.ts';
import type { Loss } from '../../core/snapshot.ts';
import type { Attachment, View } from '../../core/view.ts';
import { commentAttachment, ownerAttachment, type Relation, sortAttachments } from './attachments.ts';
import type { BystanderDetailsRow, BystanderEdgeRow, MarkRow, StandingRow } from './bystander-rows.ts';
import type { PrivilegeRow } from './catalog-rows.ts';
import { revokeAttachment } from './grant-attachments.ts';
import { labelAttachment } from './label-attachments.ts';
import { everybody } from './names.ts';
import { markedKinds, stateAttachment } from './object-attachments.ts';
import { aclAttachments } from './privileges.ts';
import { extensionAttachment } from './storage-attachments.ts';
import type { Printed, PrintedText, TextKind, Texts } from './texts.ts';

/** All rows about what hangs on views, as one snapshot of the catalogs holds them. */
export interface BystanderRows {
  readonly edges: readonly BystanderEdgeRow[];
  readonly details: readonly BystanderDetailsRow[];
  readonly privileges: readonly PrivilegeRow[];
  readonly marks: readonly MarkRow[];
  readonly texts: Texts;
}

/** A bystander as the catalogs have it; `failure` says why its text is missing. */
export interface CatalogBystander {
  readonly oid: number;
  readonly view: View;
  readonly failure?: string;
}

/** What hangs on views: what a file can hold, and what cannot be restored. */
export interface Hanging {
  readonly bystanders: readonly CatalogBystander[];
  readonly losses: readonly Loss[];
  /** The bystanders that each view needs, by the view's oid. */
  readonly needs: ReadonlyMap<number, readonly RelationName[]>;
}

const textKinds: ReadonlyMap<string, TextKind> = new Map([
  ['function', 'routine'],
  ['procedure', 'routine'],
  ['aggregate', 'aggregate'],
  ['operator', 'operator'],
  ['cast', 'cast'],
  ['policy', 'policy'],
  ['rule', 'rule'],
  ['trigger', 'trigger'],
  ['check', 'check'],
  ['default', 'tableDefault'],
  ['index', 'index'],
]);

const ruleLocks = 5;

/** What the server has to print of them. */
export function listBystanderTexts(details: readonly BystanderDetailsRow[]): readonly Printed[] {
  return details.map(({ oid, kind }) => ({
    kind: textKinds.get(kind) ?? 'routine',
    oid,
    view: oid,
    locks: kind === 'rule' || kind === 'function' ? ruleLocks : 0,
  }));
}

/** The name of a bystander, from the parts that the catalogs keep. */
export function toObjectName({ schema, table, name, kind, arguments: list }: StandingRow): RelationName {
  return { schema, name, object: { kind, ...(table === null ? {} : { on: table }), ...(list === null ? {} : { arguments: list }) } };
}

function textOf(texts: Texts, { kind, oid }: BystanderDetailsRow): PrintedText {
  return texts.get(textKinds.get(kind) ?? 'routine')?.get(oid) ?? { failure: 'it was not read' };
}

/** The rights on a routine: everybody may call it at first. */
function routineRights(relation: Relation, owner: string, entries: readonly PrivilegeRow[]): readonly Attachment[] {
  const isBuiltIn = ({ grantee, grantor, grantable }: PrivilegeRow) => grantee === null && grantor === owner && !grantable;
  const others = entries.filter((entry) => !isBuiltIn(entry));
  const closed = others.length === entries.length ? [revokeAttachment(relation, { privilege: 'EXECUTE', from: everybody })] : [];
  return [...closed, ...aclAttachments(relation, { owner, entries: others, serverPrivileges: ['EXECUTE'] })];
}

const canSay = ({ kind }: MarkRow, objectKind: string | undefined) => kind !== 'member' && markedKinds[kind].includes(objectKind ?? '');

function toMark(relation: Relation, { kind, name, label }: MarkRow): Attachment {
  if (kind === 'extension') return extensionAttachment(relation, { on: 'relation' }, name ?? '');
  return labelAttachment(relation, { on: 'relation' }, { provider: name ?? '', label: label ?? '' });
}

function toAttachments(
  relation: Relation,
  row: BystanderDetailsRow,
  { privileges, marks }: Pick<BystanderRows, 'privileges' | 'marks'>,
): readonly Attachment[] {
  const { owner, state, comment } = row;
  return sortAttachments([
    ...marks.map((mark) => toMark(relation, mark)),
    ...(owner === null ? [] : [ownerAttachment(relation, owner)]),
    ...(state === null || state === 'O' ? [] : [stateAttachment(relation, state)]),
    ...(owner === null || row.class !== 'pg_proc' ? [] : routineRights(relation, owner, privileges)),
    ...(comment === null ? [] : [commentAttachment(relation, { on: 'relation' }, comment)]),
  ]);
}

interface Graph {
  readonly views: ReadonlyMap<number, RelationName>;
  readonly names: ReadonlyMap<number, RelationName>;
  readonly edges: ReadonlyMap<number, readonly BystanderEdgeRow[]>;
}

/** The views that something hangs on, directly or through routines. */
function viewsBehind(oid: number, graph: Graph, seen: Set<number> = new Set()): readonly RelationName[] {
  if (seen.has(oid)) return [];
  seen.add(oid);
  return (graph.edges.get(oid) ?? []).flatMap(({ view, through }) => {
    if (through !== null) return viewsBehind(through, graph, seen);
    return (view === null ? undefined : graph.views.get(view)) ?? [];
  });
}

function unique(names: readonly RelationName[]): readonly RelationName[] {
  return [...new Map(names.map((name) => [relationKey(name), name])).values()].sort(compareRelations);
}

function neededBy(oid: number, { edges, names }: Graph): readonly RelationName[] {
  return unique((edges.get(oid) ?? []).flatMap(({ through }) => (through === null ? undefined : names.get(through)) ?? []));
}

function toBystander(row: BystanderDetailsRow, rows: BystanderRows, graph: Graph): CatalogBystander {
  const relation = { name: toObjectName(row), kind: 'bystander' as const };
  const text = textOf(rows.texts, row);
  const needs = neededBy(row.oid, graph);
  const own = { privileges: rows.privileges.filter(({ view }) => view === row.oid), marks: rows.marks.filter(({ oid }) => oid === row.oid) };
  const view: View = {
    ...relation,
    definition: 'text' in text ? text.text : '',
    columns: [],
    reads: unique(viewsBehind(row.oid, graph)),
    ...(needs.length === 0 ? {} : { needs }),
    attachments: toAttachments(relation, row, own),
    unrestorable: [],
  };
  return { oid: row.oid, view, ...('failure' in text ? { failure: text.failure } : {}) };
}

/** Why no file can hold an object, by its oid. */
function findObstacles({ details, marks }: BystanderRows): ReadonlyMap<number, string> {
  const kinds = new Map(details.map(({ oid, kind }) => [oid, kind]));
  return new Map([
    ...details.flatMap(({ oid, schema, obstacle }) => {
      const because = schema.startsWith('pg_temp_') ? 'it is temporary, and ends with the session that made it' : obstacle;
      return because === null ? [] : [[oid, because] as const];
    }),
    ...marks.filter((mark) => !canSay(mark, kinds.get(mark.oid))).map(({ oid, obstacle }) => [oid, obstacle] as const),
  ]);
}

/** What an edge leads to, where no file can hold it: data, or a kind of object that is not known. */
function findLosses(rows: BystanderRows, graph: Graph, obstacles: ReadonlyMap<number, string>): readonly Loss[] {
  const fitting = new Set(rows.details.flatMap(({ oid }) => (obstacles.has(oid) ? [] : [oid])));
  const lost = rows.edges.filter(({ object, defines }) => !defines && !fitting.has(object));
  const grouped = Map.groupBy(lost, ({ object, description }) => {
    const reason = obstacles.get(object);
    return reason === undefined ? description : `${description} (${reason})`;
  });
  const ofEdge = ({ view, through }: BystanderEdgeRow) => (through === null ? graph.views.get(view ?? 0) : graph.names.get(through)) ?? [];
  return [...grouped].map(([description, edges]) => ({ description, of: unique(edges.flatMap(ofEdge)) }));
}

/** A view's oid and name. */
export interface NamedView {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

/** Everything that hangs on views, from rows and texts, sorted by name. */
export function toHanging(rows: BystanderRows, views: readonly NamedView[]): Hanging {
  const obstacles = findObstacles(rows);
  const graph: Graph = {
    views: new Map(views.map(({ oid, schema, name }) => [oid, { schema, name }])),
    names: new Map(rows.details.map((row) => [row.oid, toObjectName(row)])),
    edges: Map.groupBy(rows.edges, ({ object }) => object),
  };
  const bystanders = rows.details.filter(({ oid }) => !obstacles.has(oid)).map((row) => toBystander(row, rows, graph));
  const defining = [...new Set(rows.edges.filter(({ defines }) => defines).map(({ object }) => object))];
  return {
    bystanders: bystanders.sort((left, right) => compareRelations(left.view.name, right.view.name)),
    losses: findLosses(rows, graph, obstacles),
    needs: new Map(defining.map((oid) => [oid, neededBy(oid, graph)])),
  };
}
