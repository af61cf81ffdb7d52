import { tokenize } from '../../core/lexer.ts';
import { nameParts } from '../../core/name-tokens.ts';
import { parseRelationKey, type RelationName, relationKey } from '../../core/relation.ts';
import type { View } from '../../core/view.ts';
import { lexicalRules } from './lexical-rules.ts';
import { quoteIdentifier } from './names.ts';

/** What the databases of a drill are called: each stands for one that the views are in. */
export interface ScratchNames {
  /** The scratch database of a database; a name is given to one that has none. */
  of(catalog: string): string;
  list(): readonly string[];
  /** The databases that have one. */
  known(): readonly string[];
  /** A name of ours instead of the scratch one. */
  back(name: RelationName): RelationName;
  backText(text: string): string;
}

/** `prefix` is unique, so that whatever holds it is ours. */
export function nameScratch(prefix: string): ScratchNames {
  const names = new Map<string, string>();
  const of = (catalog: string) => {
    const known = names.get(catalog) ?? `${prefix}_${names.size}`;
    names.set(catalog, known);
    return known;
  };
  const catalogOf = (scratch: string) => [...names].find(([, name]) => name === scratch)?.[0] ?? scratch;
  return {
    of,
    list: () => [...names.values()],
    known: () => [...names.keys()],
    back: ({ catalog = '', ...name }) => ({ ...name, catalog: catalogOf(catalog) }),
    backText: (text) =>
      [...names].reduce((part, [catalog, scratch]) => part.replaceAll(`"${scratch}"`, quoteIdentifier(catalog)).replaceAll(scratch, catalog), text),
  };
}

/** A query with every name that begins with a known database beginning with its scratch one. */
export function moveQuery(definition: string, catalogs: ReadonlySet<string>, names: ScratchNames): string {
  const tokens = tokenize(definition, lexicalRules).filter(({ kind }) => kind !== 'comment');
  const moved: { readonly start: number; readonly end: number; readonly text: string }[] = [];
  for (let index = 0; index < tokens.length; ) {
    const chain = nameParts(tokens, index, { folds: 'upper' });
    const [catalog = ''] = chain?.parts ?? [];
    const first = tokens[index];
    if (chain && first && chain.parts.length >= 3 && catalogs.has(catalog)) {
      const name = names.of(catalog);
      moved.push({ start: first.start, end: first.end, text: first.kind === 'word' ? name : quoteIdentifier(name) });
    }
    index = chain?.next ?? index + 1;
  }
  return moved.reduceRight((text, { start, end, text: name }) => text.slice(0, start) + name + text.slice(end), definition);
}

/** A key as `relationKey` makes it, with the database's own name. */
export function backKey(key: string, names: ScratchNames): string {
  const name = parseRelationKey(key);
  return name === undefined ? key : relationKey(names.back(name));
}

export function backView(view: View, names: ScratchNames): View {
  return {
    ...view,
    name: names.back(view.name),
    definition: names.backText(view.definition),
    reads: view.reads.map(names.back),
    attachments: view.attachments.map((attachment) => ({
      ...attachment,
      make: names.backText(attachment.make),
      unmake: names.backText(attachment.unmake),
    })),
  };
}
