import type { RelationName } from '../../core/relation.ts';
import { quoteIdentifier, quoteRelation } from './names.ts';

function tableOf({ schema, object }: RelationName): string {
  return quoteRelation({ schema, name: object?.on ?? '' });
}

/** What is no relation as COMMENT ON, DROP and ALTER … OWNER TO call it: `FUNCTION shop.total(integer)`, `POLICY own_rows ON shop.orders`. */
export function typedObject(name: RelationName): string {
  const kind = name.object?.kind ?? '';
  const list = name.object?.arguments ?? '';
  switch (kind) {
    case 'schema':
      return `SCHEMA ${quoteIdentifier(name.schema)}`;
    case 'cast':
      return `CAST (${list})`;
    case 'operator':
      return `OPERATOR ${quoteIdentifier(name.schema)}.${name.name} (${list})`;
    case 'aggregate':
      return `AGGREGATE ${quoteRelation(name)}(${list === '' ? '*' : list})`;
    case 'index':
      return `INDEX ${quoteRelation(name)}`;
    case 'check':
      return `CONSTRAINT ${quoteIdentifier(name.name)} ON ${tableOf(name)}`;
    case 'policy':
    case 'rule':
    case 'trigger':
      return `${kind.toUpperCase()} ${quoteIdentifier(name.name)} ON ${tableOf(name)}`;
    default:
      return `${kind.toUpperCase()} ${quoteRelation(name)}(${list})`;
  }
}

/** The statement that drops a bystander. */
export function dropObject(name: RelationName): string {
  if (name.object?.kind === 'check') return `ALTER TABLE ${tableOf(name)} DROP CONSTRAINT ${quoteIdentifier(name.name)}`;
  if (name.object?.kind === 'default') return `ALTER TABLE ONLY ${tableOf(name)} ALTER COLUMN ${quoteIdentifier(name.name)} DROP DEFAULT`;
  return `DROP ${typedObject(name)}`;
}

/** What GRANT calls it behind ON. An aggregate is a function there. */
export function grantedObject(name: RelationName): string {
  return name.object?.kind === 'aggregate' ? `FUNCTION ${quoteRelation(name)}(${name.object.arguments ?? ''})` : typedObject(name);
}

/** The statement that puts a table's rule or trigger into a state: `D`, `R` or `A`, where `O` is the usual one. */
export function setState(name: RelationName, state: string): string {
  const verb = { D: 'DISABLE', R: 'ENABLE REPLICA', A: 'ENABLE ALWAYS' }[state] ?? 'ENABLE';
  return `ALTER TABLE ${tableOf(name)} ${verb} ${name.object?.kind.toUpperCase()} ${quoteIdentifier(name.name)}`;
}
