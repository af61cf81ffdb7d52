import type { RelationName } from '../../core/relation.ts';
import { quotedWords } from '../postgres-family/reserved-words.ts';

// Reserved on Redshift beside PostgreSQL's words. https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html
const ownWords = new Set(
  `aes128 aes256 allowoverwrite backup blanksasnull bytedict bzip2 connect credentials current_user_id deflate defrag delta delta32k disable emptyasnull
  enable encode encrypt encryption explicit globaldict256 globaldict64k gzip identity ignore interlaced language lun luns lzo lzop minus mostly16 mostly32
  mostly8 namespace new nulls offline oid old open parallel partition percent permissions pivot prior raw readratio recover rejectlog resort respect
  restore snapshot start sysdate system tag tdes text255 text32k timestamp top truncatecolumns unpivot wallet without`.split(/\s+/),
);

const plainName = /^[a-z_][a-z0-9_]*$/;

/** A name as Redshift's SQL needs it: quoted where it would be read as another one, or as a keyword. */
export function quoteIdentifier(name: string): string {
  const isPlain = plainName.test(name) && !quotedWords.has(name) && !ownWords.has(name);
  return isPlain ? name : `"${name.replaceAll('"', '""')}"`;
}

export function quoteRelation(name: RelationName): string {
  return `${quoteIdentifier(name.schema)}.${quoteIdentifier(name.name)}`;
}

/** A string constant; a backslash escapes in all of them. */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

export type GranteeKind = 'user' | 'group' | 'role' | 'public';

/** Whom a right is given to, as GRANT spells it: `bob`, `GROUP analysts`, `ROLE reporting`, `PUBLIC`. Users, groups and roles may have one name. */
export function spellGrantee(kind: GranteeKind, name: string): string {
  if (kind === 'public') return 'PUBLIC';
  return kind === 'user' ? quoteIdentifier(name) : `${kind.toUpperCase()} ${quoteIdentifier(name)}`;
}
