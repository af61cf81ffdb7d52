import type { ParsedCreate, Statement } from '../../core/dialect.ts';
import type { Step } from '../../core/plan.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import { splitStatements } from '../../core/statements.ts';
import type { Attachment, View } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import type { ExecuteOutcome, Inspection, StepResult, Transaction, Warehouse } from '../warehouse.ts';
import { sortAttachments } from './attachments.ts';
import type { Connection } from './connection.ts';
import { snowflakeDialect } from './dialect.ts';
import { inspectAccount } from './inspect.ts';
import { lexicalRules } from './lexical-rules.ts';
import { quoteRelation, type Relation } from './names.ts';
import { parseAttachments } from './parse-attachments.ts';
import { parseCreate } from './parse-create.ts';
import { backKey, backView, moveQuery, type ScratchNames } from './scratch-names.ts';
import { isServerError } from './server-error.ts';
import type { Account } from './session.ts';

/** Where a drill is done. */
export interface ScratchPlace {
  readonly connection: Connection;
  readonly account: Account;
  readonly names: ScratchNames;
  /** What was not tried, by the `relationKey` of the view as the files call it. */
  readonly assumed: Map<string, Attachment[]>;
}

/** A step as it is done in the scratch databases, and the view there. */
interface Moved {
  readonly sql: string;
  readonly relation: Relation;
}

/**
 * What cannot be tried elsewhere: a database role and a share hold objects of their own database alone, and a view that was given away could not
 * read the stand-ins, which belong to our role. https://docs.snowflake.com/en/sql-reference/sql/grant-privilege-share
 */
const untried = /^GRANT (?:OWNERSHIP ON .* TO ROLE |.* TO (?:SHARE|DATABASE ROLE|APPLICATION ROLE|APPLICATION) )/s;

function readStatement(sql: string): Statement {
  const [statement] = splitStatements(`${sql}\n;`, lexicalRules);
  if (statement === undefined) throw new ViewsyncError('INTERNAL', { message: 'A step without a statement cannot be drilled.' });
  return statement;
}

/** The statement of a step for the scratch databases; undefined for one that cannot be tried there. */
export function moveStatement({ sql, kind, view }: Step, names: ScratchNames): Moved | undefined {
  if (untried.test(sql)) return undefined;
  const name = { ...view, catalog: names.of(view.catalog ?? '') };
  const renamed = sql.replace(quoteRelation(view), () => quoteRelation(name));
  if (kind !== 'create' && kind !== 'replace') return { sql: renamed, relation: { name, kind: 'view' } };
  const { definition, kind: made } = parseCreate(readStatement(sql));
  const at = renamed.lastIndexOf(definition);
  const moved = moveQuery(definition, new Set(names.known()), names);
  return { sql: `${renamed.slice(0, at)}${moved}${renamed.slice(at + definition.length)}`, relation: { name, kind: made } };
}

function assume({ assumed }: ScratchPlace, { sql, view }: Step): void {
  const owner: ParsedCreate = { name: view, kind: kindIn(sql), definition: '', attachments: [] };
  const key = relationKey(view);
  assumed.set(key, [...(assumed.get(key) ?? []), ...parseAttachments(readStatement(sql), owner)]);
}

function kindIn(sql: string): View['kind'] {
  const [, words = 'VIEW'] = / ON (MATERIALIZED VIEW|DYNAMIC TABLE|VIEW) /.exec(sql) ?? [];
  return words === 'VIEW' ? 'view' : words === 'DYNAMIC TABLE' ? 'dynamic table' : 'materialized view';
}

async function execute(place: ScratchPlace, steps: readonly Step[]): Promise<ExecuteOutcome> {
  const results: StepResult[] = [];
  for (const [index, step] of steps.entries()) {
    const moved = moveStatement(step, place.names);
    try {
      if (moved) await place.connection.query(moved.sql);
      else assume(place, step);
      results.push({ milliseconds: 0 });
    } catch (error) {
      if (!isServerError(error)) throw error;
      return { results, failure: { index, code: error.code, message: place.names.backText(error.message) } };
    }
  }
  return { results };
}

/** The view as the files would have it, with what was not tried. */
function asWanted(view: View, { names, assumed }: ScratchPlace): View {
  const found = backView(view, names);
  const more = assumed.get(relationKey(found.name)) ?? [];
  const idOf = ({ kind, key }: Attachment) => `${kind}\0${key}`;
  const attachments = new Map([...found.attachments, ...more].map((attachment) => [idOf(attachment), attachment]));
  return { ...found, attachments: sortAttachments([...attachments.values()]) };
}

async function inspect(place: ScratchPlace): Promise<Inspection> {
  const { connection, account, names } = place;
  const found = await inspectAccount(connection, { account, scope: { schemas: names.list().map((name) => `${name}.*.*`) } });
  const { snapshot } = found;
  const backName = ({ name, reason }: { readonly name: RelationName; readonly reason: string }) => ({ name: names.back(name), reason: names.backText(reason) });
  return {
    ...found,
    snapshot: {
      ...snapshot,
      description: { ...snapshot.description, unreadable: snapshot.description.unreadable.map(backName) },
      views: snapshot.views.map((view) => asWanted(view, place)),
      containers: snapshot.containers.map(({ catalog = '', name, ...container }) => {
        const { catalog: own = catalog } = names.back({ catalog, schema: name, name });
        return { ...container, name, catalog: own };
      }),
    },
    outside: [],
    suspects: [],
    relations: new Set([...found.relations].map((key) => backKey(key, names))),
    sizes: new Map(),
  };
}

/** A warehouse in which every view has the name that it has in the files, and stands in a scratch database. */
export function toScratchWarehouse(place: ScratchPlace): Warehouse {
  const settle: Warehouse['settle'] = async (requests) =>
    new Map(requests.map(({ wanted }) => [relationKey(wanted.name), { outcome: 'different', columns: wanted.columns }]));
  const transaction: Transaction = {
    inspect: async (names) => {
      const keys = new Set(names.map(relationKey));
      return (await inspect(place)).snapshot.views.filter(({ name }) => keys.has(relationKey(name)));
    },
    settle,
    execute: (steps) => execute(place, steps),
  };
  return {
    dialect: snowflakeDialect,
    inspect: () => inspect(place),
    settle,
    transact: (_options, work) => work(transaction),
    isBusy: async () => false,
    examine: async () => ({ clock: new Date(), findings: [] }),
    close: async () => undefined,
  };
}
