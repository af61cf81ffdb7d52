import type { CreateForm } from '../../core/dialect.ts';
import { readTokens } from '../../core/lexer.ts';
import type { Attachment, View } from '../../core/view.ts';
import { columnNames } from './attachments.ts';
import { lexicalRules } from './lexical-rules.ts';
import { quoteIdentifier, quoteRelation, quoteText } from './names.ts';

const ofKind = (view: View, kind: string) => view.attachments.filter((attachment) => attachment.kind === kind);

function tagList(tags: readonly { readonly tag: string; readonly value: string }[]): string {
  return `WITH TAG (${tags.map(({ tag, value }) => `${tag} = ${quoteText(value)}`).join(', ')})`;
}

function columnText(view: View, column: string): string {
  const tags = ofKind(view, 'column tag').flatMap(({ key, value }) => {
    const start = `${quoteIdentifier(column)} `;
    return key.startsWith(start) ? [{ tag: key.slice(start.length), value }] : [];
  });
  const policies = ['masking policy', 'projection policy'].flatMap((kind) =>
    ofKind(view, kind).flatMap(({ key, value }) => (key === column ? [`WITH ${kind.toUpperCase()} ${value}`] : [])),
  );
  return [quoteIdentifier(column), ...policies, ...(tags.length === 0 ? [] : [tagList(tags)])].join(' ');
}

function columnList(view: View): string {
  const [list] = ofKind(view, 'columns');
  return list === undefined
    ? ''
    : `(\n  ${columnNames(list)
        .map((column) => columnText(view, column))
        .join(',\n  ')}\n)`;
}

function clausesOf(view: View): string[] {
  const text = (kind: string, write: (attachment: Attachment) => string) => ofKind(view, kind).map(write);
  const policy = ({ kind, value }: Attachment) => `WITH ${kind.toUpperCase()} ${value}`;
  const tags = ofKind(view, 'tag').map(({ key, value }) => ({ tag: key, value }));
  return [
    ...['fixed option', 'option'].flatMap((kind) => text(kind, ({ key, value }) => `${key} = ${value}`)),
    ...text('cluster by', ({ value }) => `CLUSTER BY (${value})`),
    ...text('change tracking', () => 'CHANGE_TRACKING = TRUE'),
    ...['row access policy', 'aggregation policy', 'join policy'].flatMap((kind) => text(kind, policy)),
    ...(tags.length === 0 ? [] : [tagList(tags)]),
    ...text('contact', ({ key, value }) => `WITH CONTACT (${key} = ${value})`),
  ];
}

function firstWords(view: View, form: CreateForm): string {
  const create = form === 'create' ? 'CREATE' : 'CREATE OR REPLACE';
  const has = (kind: string) => ofKind(view, kind).length > 0;
  const words = [create, ...(has('secure') ? ['SECURE'] : []), ...(has('recursive') ? ['RECURSIVE'] : []), view.kind.toUpperCase()];
  return `${words.join(' ')} ${quoteRelation(view.name)}`;
}

/** A comment at the end would take in the semicolon behind it. */
function closeDefinition(definition: string, form: CreateForm): string {
  return form !== 'file' && readTokens(definition, lexicalRules).at(-1)?.kind === 'comment' ? `${definition}\n` : definition;
}

/**
 * The CREATE statement. A replace keeps no more than the grants, so everything else is restated; the comment follows by itself, because it
 * would change the text that SHOW VIEWS prints. https://docs.snowflake.com/en/sql-reference/sql/create-view
 * https://docs.snowflake.com/en/sql-reference/sql/create-materialized-view wants COPY GRANTS before the columns.
 */
export function createView(view: View, form: CreateForm): string {
  const grants = form === 'create' ? [] : ['COPY GRANTS'];
  const list = columnList(view);
  const isGrantsFirst = view.kind === 'materialized view';
  const start = isGrantsFirst || list === '' ? firstWords(view, form) : `${firstWords(view, form)} ${list}`;
  const behind = isGrantsFirst && list !== '' ? [list] : [];
  return [start, ...grants, ...behind, ...clausesOf(view), `AS\n${closeDefinition(view.definition, form)}`].join('\n');
}
