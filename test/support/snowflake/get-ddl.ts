import { type Account, type Column, denied, findRelation, isVisible, missing, type Relation, rolesInSession, type Session } from './account.ts';

const plain = /^[A-Z_][A-Z0-9_$]*$/;

const quote = (name: string) => (plain.test(name) ? name : `"${name.replaceAll('"', '""')}"`);

const text = (value: string) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

interface Sight {
  readonly policies: boolean;
  readonly tags: boolean;
}

function tagList(tags: ReadonlyMap<string, string>, { tags: isSeen }: Sight): string {
  if (tags.size === 0) return '';
  const entries = [...tags].sort().map(([tag, value]) => (isSeen ? `${tag}=${text(value)}` : "#UNKNOWN_TAG='#UNKNOWN_VALUE'"));
  return ` WITH TAG (${entries.join(', ')})`;
}

function columnText({ name, comment, maskingPolicy, projectionPolicy, tags }: Column, sight: Sight): string {
  const policy = (kind: string, value: string) => (value === '' ? '' : ` WITH ${kind} ${sight.policies ? value : '#UNKNOWN_POLICY'}`);
  const said = comment === '' ? '' : ` COMMENT ${text(comment)}`;
  return `${quote(name)}${said}${policy('MASKING POLICY', maskingPolicy)}${policy('PROJECTION POLICY', projectionPolicy)}${tagList(tags, sight)}`;
}

function policyTexts({ policies }: Relation, sight: Sight): string {
  return [...policies].map(([kind, value]) => ` with ${kind.toLowerCase()} ${sight.policies ? value : '#UNKNOWN_POLICY'}`).join('');
}

/**
 * What GET_DDL prints: a generated head without COPY GRANTS, and what stands behind AS as it was typed.
 * https://docs.snowflake.com/en/sql-reference/functions/get_ddl
 */
function print(relation: Relation, sight: Sight, printed: string): string {
  const secure = relation.isSecure ? 'secure ' : '';
  const recursive = relation.isRecursive ? 'recursive ' : '';
  const name = [relation.database, relation.schema, printed].map(quote).join('.');
  const columns = relation.columns.map((column) => columnText(column, sight)).join(',\n\t');
  const comment = relation.comment === '' ? '' : ` COMMENT=${text(relation.comment)}`;
  const options = [...relation.options].map(([key, value]) => ` ${key.toLowerCase()} = ${value}`).join('');
  const cluster = relation.clusterBy === '' ? '' : ` cluster by (${relation.clusterBy})`;
  const head = `create or replace ${secure}${recursive}${relation.type.toLowerCase()} ${name}(\n\t${columns}\n)`;
  return `${head}${comment}${options}${cluster}${policyTexts(relation, sight)}${tagList(relation.tags, sight)}\n as ${relation.definition};`;
}

function sightOf(account: Account, { role }: Session): Sight {
  const rights = new Set([...rolesInSession(account, role)].flatMap((each) => [...(account.globalRights.get(each) ?? [])]));
  return { policies: rights.has('APPLY MASKING POLICY'), tags: rights.has('APPLY TAG') };
}

/** The text of one view; a secure one's is shown to its owner alone. */
export function getDdl(account: Account, session: Session, [type, path]: readonly [type: string, path: readonly string[]]): string {
  const relation = findRelation(account, path);
  if (!relation || !isVisible(account, ...path)) throw missing(path.join('.'));
  if ((relation.type === 'DYNAMIC TABLE') !== (type === 'DYNAMIC_TABLE')) throw missing(path.join('.'));
  if (account.hidden.has(`definition of ${path.join('.')}`)) throw denied(`view '${relation.name}'`);
  const cut = account.cutTexts.get(path.join('.'));
  const isOwner = rolesInSession(account, session.role).has(relation.owner);
  const text = relation.isSecure && !isOwner ? '' : print(relation, sightOf(account, session), account.printedNames.get(path.join('.')) ?? relation.name);
  return text.slice(0, cut);
}
