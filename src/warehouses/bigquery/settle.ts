import { isSameDefinition } from '../../core/compare.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import type { Column, View } from '../../core/view.ts';
import type { Settled, SettleRequest } from '../warehouse.ts';
import { type Client, mapBounded } from './client.ts';
import { bigqueryDialect } from './dialect.ts';
import { toColumns } from './field-types.ts';
import { inlineViews } from './inline.ts';
import { dryRun, type Field, type Place } from './jobs.ts';
import { quoteRelation } from './names.ts';
import { isDenied, isServerError } from './server-error.ts';

export type PlaceOf = (name: RelationName) => Promise<Place>;

const isLegacy = ({ attachments }: View) => attachments.some(({ kind }) => kind === 'legacy SQL');

/** Asked as the CREATE that it would be, since a SELECT may be refused for want of a filter; as a SELECT where the answer has no columns. */
async function describeDirectly(client: Client, wanted: View, place: Place): Promise<readonly Field[] | undefined> {
  if (isLegacy(wanted)) return dryRun(client, wanted.definition, { place, syntax: 'legacy' });
  const create = `CREATE OR REPLACE VIEW ${quoteRelation(wanted.name)} AS\n${wanted.definition}\n`;
  const asView = wanted.kind === 'view' ? await dryRunAllowed(client, create, place) : undefined;
  return asView ?? dryRun(client, wanted.definition, { place, syntax: 'standard' });
}

/** Replacing an authorized view may be refused where reading what it reads is not. */
async function dryRunAllowed(client: Client, sql: string, place: Place): ReturnType<typeof dryRun> {
  try {
    return await dryRun(client, sql, { place, syntax: 'standard' });
  } catch (error) {
    if (isDenied(error)) return undefined;
    throw error;
  }
}

type Described = { readonly columns: readonly Column[] } | Extract<Settled, { readonly outcome: 'refused' | 'unproven' }>;

async function describe(client: Client, wanted: View, { place, inlined }: { place: Place; inlined: string | undefined }): Promise<Described> {
  try {
    if (inlined === undefined) return { columns: toColumns(await describeDirectly(client, wanted, place)) };
    return { columns: toColumns(await dryRun(client, inlined, { place, syntax: 'standard' })) };
  } catch (error) {
    if (!isServerError(error) || (error.status !== 400 && error.status !== 403 && error.status !== 404)) throw error;
    const outcome = inlined === undefined && !isDenied(error) ? 'refused' : 'unproven';
    return { outcome, because: error.message };
  }
}

async function settleOne(client: Client, { wanted, live }: SettleRequest, context: { place: Place; inlined: string | undefined }): Promise<Settled> {
  const isSame = live !== undefined && isSameDefinition(live, wanted, bigqueryDialect);
  if (isSame && live.columns.length > 0) return { outcome: 'same', columns: live.columns };
  const described = await describe(client, wanted, context);
  if ('outcome' in described) return described;
  return { outcome: isSame ? 'same' : 'different', columns: described.columns };
}

/** Views that are to be another way than they are, and that others have to be asked about as they will be. */
function findChanging(requests: readonly SettleRequest[]): ReadonlyMap<string, View> {
  const changing = requests.filter(({ wanted, live }) => !live || !isSameDefinition(live, wanted, bigqueryDialect));
  return new Map(changing.filter(({ wanted }) => !isLegacy(wanted)).map(({ wanted }) => [relationKey(wanted.name), wanted]));
}

function tryInline(wanted: View, changing: ReadonlyMap<string, View>): string | undefined {
  const others = new Map([...changing].filter(([key]) => key !== relationKey(wanted.name)));
  return isLegacy(wanted) || others.size === 0 ? undefined : inlineViews(wanted, others);
}

/** What a view would be if the views among `unmade` were there; throws what BigQuery refuses. */
export async function describeView(
  { client, placeOf }: { readonly client: Client; readonly placeOf: PlaceOf },
  view: View,
  unmade: ReadonlyMap<string, View>,
): Promise<{ readonly columns: readonly Column[]; readonly fields: readonly Field[] }> {
  const place = await placeOf(view.name);
  const inlined = tryInline(view, unmade);
  const fields = await (inlined === undefined ? describeDirectly(client, view, place) : dryRun(client, inlined, { place, syntax: 'standard' }));
  return { columns: toColumns(fields), fields: fields ?? [] };
}

/** `Warehouse.settle`: by dry runs, which read nothing, change nothing and cost nothing. */
export async function settle(client: Client, requests: readonly SettleRequest[], placeOf: PlaceOf): Promise<ReadonlyMap<string, Settled>> {
  const changing = findChanging(requests);
  const answers = await mapBounded(requests, async (request) => {
    const { wanted } = request;
    const context = { place: await placeOf(wanted.name), inlined: tryInline(wanted, changing) };
    return [relationKey(wanted.name), await settleOne(client, request, context)] as const;
  });
  return new Map(answers);
}
