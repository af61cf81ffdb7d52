import type { Grant } from './attachments.ts';
import { spellGrantee } from './names.ts';

// https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html, and the letters of PostgreSQL 8.0 beside Redshift's own `D`
const privileges: Readonly<Record<string, string>> = {
  r: 'SELECT',
  a: 'INSERT',
  w: 'UPDATE',
  d: 'DELETE',
  D: 'DROP',
  x: 'REFERENCES',
  R: 'RULE',
  t: 'TRIGGER',
  A: 'ALTER',
  T: 'TRUNCATE',
};

/** The rights that a line of an access list gives; `unknown` holds what cannot be read. */
export interface AclRights {
  readonly grants: readonly Grant[];
  readonly unknown: readonly string[];
}

const line = /^(group )?("(?:[^"]|"")*"|[^"=]*)=([A-Za-z*]*)\/(.+)$/s;

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

/** What an entry gives to whom; the grantor is left out, since nobody can grant in another's name. */
function readLine(
  text: string,
): { readonly grantee: string; readonly isUser: boolean; readonly name: string; readonly letters: readonly string[] } | undefined {
  const [, group, quoted = '', letters = ''] = line.exec(text) ?? [];
  if (letters === '') return undefined;
  const name = unquote(quoted);
  const kind = group !== undefined ? 'group' : name === '' ? 'public' : 'user';
  return { grantee: spellGrantee(kind, name), isUser: kind === 'user', name, letters: letters.match(/[A-Za-z]\*?/g) ?? [] };
}

/** The rights of users, groups and everybody in an access list, one entry per line; the owner's are left out. */
export function readAcl(acl: string | null, owner: string): AclRights {
  const entries = (acl ?? '').split('\n').filter((text) => text !== '');
  const read = entries.map((text) => ({ text, entry: readLine(text) })).filter(({ entry }) => !(entry?.isUser === true && entry.name === owner));
  const rights = read.flatMap(({ text, entry }) =>
    (entry?.letters ?? ['']).map((letter) => ({ text, entry, privilege: privileges[letter.charAt(0)], grantable: letter.endsWith('*') })),
  );
  const grants = rights.flatMap(({ entry, privilege, grantable }) => (entry && privilege ? [{ privilege, grantee: entry.grantee, grantable }] : []));
  const unknown = rights.filter(({ entry, privilege }) => !entry || !privilege).map(({ text }) => `the right "${text}", which viewsync does not know`);
  return { grants: mergeGrants(grants), unknown: [...new Set(unknown)] };
}

/** A right that two people gave to one is one, grantable if either was. */
export function mergeGrants(grants: readonly Grant[]): readonly Grant[] {
  const merged = new Map<string, Grant>();
  for (const grant of grants) {
    const id = JSON.stringify([grant.grantee, grant.privilege, grant.column]);
    merged.set(id, { ...grant, grantable: grant.grantable || merged.get(id)?.grantable === true });
  }
  return [...merged.values()];
}
