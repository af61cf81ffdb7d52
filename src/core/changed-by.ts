import { parseRelationKey } from './relation.ts';

/** The value of a trailer that says who changed a view: `shop.orders ADA`. */
export function writeChangedBy(view: string, who: string): string {
  return `${view} ${who}`;
}

const pattern = /^((?:"(?:[^"]|"")*"|[A-Za-z0-9_$]+)(?:\.(?:"(?:[^"]|"")*"|[A-Za-z0-9_$]+))*) (.+)$/su;

/** What such a trailer says; undefined when it says something else. */
export function readChangedBy(value: string): { readonly view: string; readonly who: string } | undefined {
  const [, view = '', who = ''] = pattern.exec(value) ?? [];
  return parseRelationKey(view) ? { view, who } : undefined;
}
