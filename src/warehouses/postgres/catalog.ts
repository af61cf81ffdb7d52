import { compareRelations, compareText, type RelationName } from '../../core/relation.ts';
import type { Column, View } from '../../core/view.ts';
import type { Relation } from './attachments.ts';
import { type OwnRows, type Printout, toAttachments } from './catalog-attachments.ts';
import type { AttributeRow, ColumnRow, CommentRow, PartRow, PrivilegeRow, ReadRow, UnrestorableRow, ViewRow } from './catalog-rows.ts';
import { type Printed, type Texts, textOf } from './texts.ts';

/** All rows about some views, as one snapshot of the catalogs holds them. */
export interface CatalogRows {
  readonly views: readonly ViewRow[];
  readonly columns: readonly ColumnRow[];
  readonly privileges: readonly PrivilegeRow[];
  readonly comments: readonly CommentRow[];
  readonly parts: readonly PartRow[];
  readonly reads: readonly ReadRow[];
  readonly attributes: readonly AttributeRow[];
  readonly unrestorable: readonly UnrestorableRow[];
}

/** A view as the catalogs have it; `failure` says why its text is missing. */
export interface CatalogView {
  readonly oid: number;
  readonly view: View;
  readonly failure?: string;
}

const ruleLocks = 5;

/** What the server has to print for these rows. */
export function listPrinted(rows: Pick<CatalogRows, 'views' | 'parts' | 'reads'>): readonly Printed[] {
  const reads = groupByView(rows.reads);
  const views = rows.views
    .filter((row) => row.defined)
    .map((row) => ({ kind: 'view' as const, oid: row.oid, view: row.oid, locks: 1 + (reads.get(row.oid)?.length ?? 0) }));
  return [...views, ...rows.parts.map((part) => ({ kind: part.kind, oid: part.oid, view: part.view, locks: part.kind === 'rule' ? ruleLocks : 0 }))];
}

/** Views from rows and texts, sorted by name. */
export function toViews(rows: CatalogRows, texts: Texts, version: number): readonly CatalogView[] {
  const groups = {
    columns: groupByView(rows.columns),
    privileges: groupByView(rows.privileges),
    comments: groupByView(rows.comments),
    parts: groupByView(rows.parts),
    reads: groupByView(rows.reads),
    attributes: groupByView(rows.attributes),
    unrestorable: groupByView(rows.unrestorable),
  };
  const views = rows.views.map((row) => {
    const own = {
      columns: groups.columns.get(row.oid) ?? [],
      privileges: groups.privileges.get(row.oid) ?? [],
      comments: groups.comments.get(row.oid) ?? [],
      parts: groups.parts.get(row.oid) ?? [],
      reads: groups.reads.get(row.oid) ?? [],
      attributes: groups.attributes.get(row.oid) ?? [],
      unrestorable: groups.unrestorable.get(row.oid) ?? [],
    };
    return toView(row, own, { texts, version });
  });
  return views.sort((left, right) => compareRelations(left.view.name, right.view.name));
}

function toView(row: ViewRow, own: OwnRows, { texts, version }: Printout): CatalogView {
  const relation: Relation = { name: { schema: row.schema, name: row.name }, kind: row.kind === 'v' ? 'view' : 'materialized view' };
  const definition = row.defined ? textOf(texts, 'view', row.oid) : { failure: 'it has no definition in the catalogs' };
  const failure = [definition, ...own.parts.map((part) => textOf(texts, part.kind, part.oid))].find((text) => 'failure' in text);
  const view: View = {
    ...relation,
    definition: 'text' in definition ? definition.text : '',
    columns: own.columns.map(toColumn),
    reads: own.reads.map(toName).sort(compareRelations),
    attachments: toAttachments(relation, { row, own, texts, version }),
    unrestorable: own.unrestorable.map((each) => each.what).sort(compareText),
  };
  return { oid: row.oid, view, ...(failure !== undefined && 'failure' in failure ? { failure: failure.failure } : {}) };
}

function toColumn({ name, type }: ColumnRow): Column {
  return { name, type };
}

function toName({ schema, name }: ReadRow): RelationName {
  return { schema, name };
}

function groupByView<Row extends { readonly view: number }>(rows: readonly Row[]): ReadonlyMap<number, readonly Row[]> {
  return Map.groupBy(rows, (row) => row.view);
}
