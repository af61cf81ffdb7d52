import type { RelationName } from '../../core/relation.ts';
import type { Attachment } from '../../core/view.ts';
import { type Relation, typedRelation } from './attachments.ts';
import { quoteIdentifier, quoteRelation } from './names.ts';

/** Extended statistics of a materialized view, which may be in another schema; `text` as `pg_get_statisticsobjdef` prints it. */
export function statisticsAttachment(statistics: RelationName, text: string): Attachment {
  const make = text.trim().replace(/\s*;$/, '');
  return { kind: 'statistics', key: quoteRelation(statistics), value: make, make, unmake: `DROP STATISTICS ${quoteRelation(statistics)}` };
}

/** Whoever makes extended statistics owns them, so a file says who is to. They cannot be without owner, so nothing unmakes it. */
export function statisticsOwnerAttachment(statistics: RelationName, owner: string): Attachment {
  const name = quoteRelation(statistics);
  return { kind: 'statistics owner', key: name, value: owner, make: `ALTER STATISTICS ${name} OWNER TO ${quoteIdentifier(owner)}`, unmake: '' };
}

/** Whose values ANALYZE is to collect more or less of. */
export type Sampled =
  | { readonly of: 'column'; readonly name: string }
  | { readonly of: 'index'; readonly index: RelationName; readonly number: number }
  | { readonly of: 'statistics'; readonly statistics: RelationName };

/** How many values ANALYZE collects, when it is not as many as of everything. */
export function statisticsTargetAttachment(relation: Relation, sampled: Sampled, target: number): Attachment {
  const { key, alter } = describeSampled(relation, sampled);
  return { kind: 'statistics target', key, value: String(target), make: `${alter} SET STATISTICS ${target}`, unmake: `${alter} SET STATISTICS -1` };
}

function describeSampled(relation: Relation, sampled: Sampled): { readonly key: string; readonly alter: string } {
  switch (sampled.of) {
    case 'column':
      return { key: `column ${sampled.name}`, alter: `ALTER ${typedRelation(relation)} ALTER COLUMN ${quoteIdentifier(sampled.name)}` };
    case 'index': {
      const { index, number } = sampled;
      return { key: `index ${index.name} ${number}`, alter: `ALTER INDEX ${quoteRelation(index)} ALTER COLUMN ${number}` };
    }
    case 'statistics': {
      const name = quoteRelation(sampled.statistics);
      return { key: `statistics ${name}`, alter: `ALTER STATISTICS ${name}` };
    }
  }
}
