import { compareText, type RelationName, relationKey } from '../../core/relation.ts';
import { type Client, mapBounded, pathOf } from './client.ts';
import { isDenied } from './server-error.ts';

/** Who may do what with one view. */
export interface Policy {
  readonly grants: readonly { readonly role: string; readonly member: string }[];
  /** What no GRANT can say, in words. */
  readonly unrestorable: readonly string[];
}

interface Binding {
  readonly role: string;
  readonly members?: readonly string[];
  readonly condition?: { readonly title?: string };
}

/** Members that a GRANT can name; others are of accounts that are gone. https://cloud.google.com/iam/docs/principal-identifiers */
const grantable = /^(?:(?:user|group|serviceAccount|domain):|all(?:Authenticated)?Users$)/;

function toPolicy(bindings: readonly Binding[]): Policy {
  const pairs = bindings.flatMap(({ role, members = [], condition }) => members.map((member) => ({ role, member, condition })));
  const isPlain = ({ member, condition }: (typeof pairs)[number]) => condition === undefined && grantable.test(member);
  const grants = pairs.filter(isPlain).map(({ role, member }) => ({ role, member }));
  const others = pairs.filter((pair) => !isPlain(pair));
  return {
    grants,
    unrestorable: others
      .map(({ role, member, condition }) => `the role ${role} of ${member}${condition ? ` under the condition "${condition.title ?? ''}"` : ''}`)
      .sort(compareText),
  };
}

/**
 * The policies of views: one call each, eight at a time, since BigQuery has no other way to ask for many. The driver's own call refuses policies
 * with conditions. Those that our account may not see are left out. https://cloud.google.com/bigquery/docs/reference/rest/v2/tables/getIamPolicy
 */
export async function readPolicies(client: Client, names: readonly RelationName[]): Promise<ReadonlyMap<string, Policy>> {
  const policies = await mapBounded(names, async (name) => {
    const policy = await readPolicy(client, name);
    return policy === undefined ? [] : [[relationKey(name), policy] as const];
  });
  return new Map(policies.flat());
}

async function readPolicy(client: Client, name: RelationName): Promise<Policy | undefined> {
  const path = `${pathOf(name.catalog ?? '', 'datasets', name.schema, 'tables', name.name)}:getIamPolicy`;
  const body = { options: { requestedPolicyVersion: 3 } };
  try {
    const { bindings = [] } = await client.call<{ readonly bindings?: readonly Binding[] }>({ method: 'POST', path, body, repeats: 'safely' });
    return toPolicy(bindings);
  } catch (error) {
    if (isDenied(error)) return undefined;
    throw error;
  }
}
