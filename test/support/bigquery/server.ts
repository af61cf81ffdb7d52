import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, readInformationSchema } from './information-schema.ts';
import { analyzeQuery, change, datasetOf, insertTable, type Project, patchDataset, patchTable, run, schemaOf, tableOf } from './project.ts';
import { Refusal, type Table } from './resources.ts';
import { readStatement } from './statements.ts';

/** A call as it came in. */
export interface Call {
  readonly method: string;
  /** Behind `/bigquery/v2/projects/`, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are whatever the driver sends.
  readonly body: any;
  readonly headers: IncomingMessage['headers'];
}

/** A call that changes something, in words: `PATCH shop.big`, `CREATE VIEW ...`. */
export type Change = string;

export interface BigQueryServer extends AsyncDisposable {
  readonly url: string;
  /** The one that others are reached from. */
  readonly project: Project;
  readonly calls: Call[];
  /** What changed something so far. */
  readonly changes: Change[];
  /** Rows of one page of an answer. */
  pageSize: number;
  /** Milliseconds before every answer. */
  latency: number;
  /**
   * Datasets whose catalog the account may not read, whose tables it may not list, whose views' policies and whose access list it may not see, and that it
   * is not told of at all. https://cloud.google.com/bigquery/docs/access-control https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets/list
   */
  readonly closed: Readonly<Record<'catalog' | 'list' | 'policies' | 'access' | 'whole', Set<string>>>;
  /** Relations that the catalog leaves out, as if a page had been cut short: `shop.big`. */
  readonly hidden: Set<string>;
  /** Datasets that somebody else shares; the catalog shows nothing of them, or may, as a test asks for. */
  readonly linked: Set<string>;
  /** Permissions that the account lacks. */
  readonly lacking: Set<string>;
  /** Breaks every open connection. */
  drop: () => void;
  /** Asked before each call; what it returns is answered instead. */
  fail: (call: Call) => Refusal | undefined;
  /** Asked before each statement of a job; what it returns is how the job ends. */
  failJob: (sql: string) => Refusal | undefined;
  /** Called around every change, with its number from 1. */
  onChange: (moment: 'before' | 'after', number: number, change: Change) => void | Promise<void>;
}

type Handler = (call: Call, parameters: readonly string[]) => unknown;

interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** Undefined for what changes nothing. */
  readonly change?: (call: Call, parameters: readonly string[]) => Change;
  readonly handle: Handler;
}

function requireEtag({ headers }: Call, { etag }: { readonly etag: string }): void {
  const wanted = headers['if-match'];
  // https://cloud.google.com/bigquery/docs/reference/rest/v2/tables: etag, and RFC 9110 for If-Match
  if (wanted !== undefined && wanted !== etag) throw new Refusal(412, 'conditionNotMet', 'Precondition check failed.');
}

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#Table */
function tableResource(project: Project, dataset: string, table: Table): object {
  const { id, type, etag, schema, query, useLegacySql, description, friendlyName, expirationTime, labels } = table;
  const tableReference = { projectId: project.id, datasetId: dataset, tableId: id };
  const view = query === undefined ? {} : type === 'VIEW' ? { view: { query, useLegacySql } } : { materializedView: { query } };
  return {
    kind: 'bigquery#table',
    id: `${project.id}:${dataset}.${id}`,
    tableReference,
    etag,
    type,
    schema: { fields: schema },
    ...view,
    description,
    friendlyName,
    expirationTime,
    labels,
    location: datasetOf(project, dataset).location,
  };
}

function toRows({ columns, rows }: Answer): object {
  return {
    schema: { fields: columns.map((name) => ({ name, type: 'STRING', mode: 'NULLABLE' })) },
    rows: rows.map((row) => ({ f: row.map((v) => ({ v })) })),
    totalRows: String(rows.length),
  };
}

interface Parameter {
  readonly name: string;
  readonly parameterValue: { readonly value?: string; readonly arrayValues?: readonly { readonly value: string }[] };
}

function namesOf(parameters: readonly Parameter[]): ReadonlySet<string> | undefined {
  const value = (name: string) => parameters.find((parameter) => parameter.name === name)?.parameterValue;
  return value('everything')?.value === 'true' ? undefined : new Set(value('names')?.arrayValues?.map((item) => item.value));
}

const session = 'SELECT CAST(UNIX_MILLIS(CURRENT_TIMESTAMP()) AS STRING) AS clock, SESSION_USER() AS account';

function answerQuery(server: BigQueryServer, project: Project, { body }: Call): Answer {
  if (body.useLegacySql !== false) throw new Refusal(400, 'notSimulated', 'A query must say which SQL it is in.');
  if (body.location === undefined) throw new Refusal(400, 'notSimulated', 'A query must say where it runs.');
  if (body.query === session) return { columns: ['clock', 'account'], rows: [[String(Date.now()), 'robot@my-project.iam.gserviceaccount.com']] };
  return readInformationSchema(project, {
    sql: body.query,
    location: body.location,
    names: namesOf(body.queryParameters ?? []),
    denied: server.closed.catalog,
    hidden: server.hidden,
  });
}

/** Jobs are done at once; their answers are read page by page. */
function createRoutes(server: BigQueryServer, project: Project): readonly Route[] {
  const answers = new Map<string, Answer>();
  const jobs = new Map<string, object>();
  let number = 0;

  const page = (id: string, token: string | null): object => {
    const answer = answers.get(id);
    if (!answer) throw new Refusal(404, 'notFound', `Not found: Job ${project.id}:${id}`);
    const from = Number(token ?? 0);
    const rows = answer.rows.slice(from, from + server.pageSize);
    const next = from + server.pageSize < answer.rows.length ? { pageToken: String(from + server.pageSize) } : {};
    return { kind: 'bigquery#queryResponse', jobComplete: true, jobReference: { projectId: project.id, jobId: id }, ...toRows({ ...answer, rows }), ...next };
  };

  const query: Handler = (call) => {
    const id = `job_${++number}`;
    answers.set(id, answerQuery(server, project, call));
    return page(id, null);
  };

  const dryRun = ({ query: sql, useLegacySql }: { query: string; useLegacySql: boolean }) => {
    if (useLegacySql) {
      analyzeQuery(project, sql, 'legacy');
      // https://cloud.google.com/bigquery/docs/reference/rest/v2/Job: the schema is there for dry runs of GoogleSQL alone.
      return {};
    }
    if (/^\s*(?:SELECT|WITH|\()/i.test(sql)) return { schema: { fields: sql === 'SELECT 1' ? [] : analyzeQuery(project, sql, 'standard') } };
    const statement = readStatement(sql);
    if (statement.what !== 'create') throw new Refusal(400, 'notSimulated', `This server dry-runs no such statement: ${sql.slice(0, 100)}`);
    return { schema: { fields: schemaOf(project, statement) } };
  };

  const job: Handler = ({ body }) => {
    const { configuration, jobReference } = body;
    const done = { kind: 'bigquery#job', jobReference, status: { state: 'DONE' } };
    if (configuration.dryRun) return { ...done, statistics: { query: dryRun(configuration.query) } };
    if (jobs.has(jobReference.jobId)) throw new Refusal(409, 'duplicate', `Already Exists: Job ${project.id}:${jobReference.jobId}`);
    try {
      const refusal = server.failJob(configuration.query.query);
      if (refusal) throw refusal;
      run(project, configuration.query.query, 'robot@example.com');
      jobs.set(jobReference.jobId, done);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const errorResult = { reason: error.reason, message: error.message };
      jobs.set(jobReference.jobId, { ...done, status: { state: 'DONE', errorResult, errors: [errorResult] } });
    }
    // The first answer says that it is running, as it mostly is.
    return { ...done, status: { state: 'RUNNING' } };
  };

  const requireOpen = (part: keyof typeof server.closed, dataset: string, permission: string) => {
    if (server.closed[part].has(dataset))
      throw new Refusal(403, 'accessDenied', `Access Denied: Dataset ${project.id}:${dataset}: Permission ${permission} denied`);
    return datasetOf(project, dataset);
  };
  const requireListable = (dataset: string) => requireOpen('list', dataset, 'bigquery.tables.list');

  const pages = <T>(items: readonly T[], call: Call): { items: readonly T[]; nextPageToken?: string } => {
    const [from, size] = [Number(call.query.get('pageToken') ?? 0), Math.min(server.pageSize, Number(call.query.get('maxResults') ?? 50))];
    return { items: items.slice(from, from + size), ...(from + size < items.length ? { nextPageToken: String(from + size) } : {}) };
  };

  return [
    {
      method: 'GET',
      path: /^datasets$/,
      handle: (call) => {
        const { items, ...next } = pages(
          [...project.datasets.values()].filter(({ id }) => !server.closed.whole.has(id)),
          call,
        );
        return {
          kind: 'bigquery#datasetList',
          datasets: items.map(({ id, location }) => ({ datasetReference: { projectId: project.id, datasetId: id }, location })),
          ...next,
        };
      },
    },
    {
      method: 'GET',
      path: /^datasets\/([^/]+)$/,
      handle: (_, [name = '']) => {
        const { id, location, etag, access } = datasetOf(project, name);
        requireOpen('whole', name, 'bigquery.datasets.get');
        return {
          datasetReference: { projectId: project.id, datasetId: id },
          location,
          etag,
          // https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#LinkedDatasetSource
          ...(server.linked.has(name) ? { type: 'LINKED', linkedDatasetSource: { sourceDataset: { projectId: 'somebody', datasetId: name } } } : {}),
          ...(server.lacking.has('bigquery.datasets.get') || server.closed.access.has(name) ? {} : { access }),
        };
      },
    },
    {
      method: 'POST',
      path: /^datasets$/,
      change: ({ body }) => `POST dataset ${body.datasetReference.datasetId}`,
      handle: ({ body }) => {
        const { datasetId: id } = body.datasetReference;
        project.datasets.set(id, { id, location: body.location, etag: `new-${id}`, access: [], tables: new Map() });
        return {};
      },
    },
    {
      method: 'DELETE',
      path: /^datasets\/([^/]+)$/,
      change: (_, [name]) => `DELETE dataset ${name}`,
      handle: (_, [name = '']) => {
        project.datasets.delete(datasetOf(project, name).id);
        return {};
      },
    },
    {
      method: 'PATCH',
      path: /^datasets\/([^/]+)$/,
      change: (_, [name]) => `PATCH dataset ${name}`,
      handle: (call, [name = '']) => {
        const dataset = datasetOf(project, name);
        requireEtag(call, dataset);
        patchDataset(dataset, call.body);
        return { etag: dataset.etag, access: dataset.access };
      },
    },
    {
      method: 'GET',
      path: /^datasets\/([^/]+)\/tables$/,
      handle: (call, [name = '']) => {
        const { items, ...next } = pages([...requireListable(name).tables.values()], call);
        return {
          kind: 'bigquery#tableList',
          tables: items.map(({ id, type, labels }) => ({ tableReference: { projectId: project.id, datasetId: name, tableId: id }, type, labels })),
          ...next,
        };
      },
    },
    {
      method: 'POST',
      path: /^datasets\/([^/]+)\/tables$/,
      change: (call) => `POST ${call.body.tableReference.datasetId}.${call.body.tableReference.tableId}`,
      handle: (call, [name = '']) => {
        if (server.lacking.has('bigquery.tables.create'))
          throw new Refusal(403, 'accessDenied', `Access Denied: Permission bigquery.tables.create denied on dataset ${project.id}:${name}`);
        return tableResource(project, name, insertTable(project, datasetOf(project, name), call.body.tableReference.tableId, call.body));
      },
    },
    {
      method: 'GET',
      path: /^datasets\/([^/]+)\/tables\/([^/:]+)$/,
      handle: (_, [dataset = '', table = '']) => tableResource(project, dataset, tableOf(project, dataset, table)),
    },
    {
      method: 'PATCH',
      path: /^datasets\/([^/]+)\/tables\/([^/:]+)$/,
      change: (_, [dataset, table]) => `PATCH ${dataset}.${table}`,
      handle: (call, [dataset = '', id = '']) => {
        const table = tableOf(project, dataset, id);
        requireEtag(call, table);
        patchTable(project, table, call.body, server.lacking);
        return tableResource(project, dataset, table);
      },
    },
    {
      method: 'DELETE',
      path: /^datasets\/([^/]+)\/tables\/([^/:]+)$/,
      change: (_, [dataset, table]) => `DELETE ${dataset}.${table}`,
      handle: (_, [dataset = '', table = '']) => {
        tableOf(project, dataset, table);
        datasetOf(project, dataset).tables.delete(table);
        return {};
      },
    },
    {
      method: 'POST',
      path: /^datasets\/([^/]+)\/tables\/([^/:]+):getIamPolicy$/,
      handle: (_, [dataset = '', table = '']) => {
        requireOpen('policies', dataset, 'bigquery.tables.getIamPolicy');
        return { version: 1, etag: 'BwX', bindings: tableOf(project, dataset, table).bindings };
      },
    },
    {
      method: 'POST',
      path: /^datasets\/([^/]+)\/tables\/([^/:]+):setIamPolicy$/,
      change: (_, [dataset, table]) => `POLICY ${dataset}.${table}`,
      handle: (call, [dataset = '', id = '']) => {
        const table = tableOf(project, dataset, id);
        change(project, table);
        table.bindings = call.body.policy.bindings;
        return call.body.policy;
      },
    },
    {
      method: 'POST',
      path: /^datasets\/([^/]+)\/tables\/([^/:]+):testIamPermissions$/,
      handle: ({ body }, [dataset = '', table = '']) => {
        tableOf(project, dataset, table);
        return { permissions: body.permissions.filter((permission: string) => !server.lacking.has(permission)) };
      },
    },
    { method: 'POST', path: /^queries$/, handle: query },
    { method: 'GET', path: /^queries\/([^/]+)$/, handle: (call, [id = '']) => page(id, call.query.get('pageToken')) },
    { method: 'POST', path: /^jobs$/, change: ({ body }) => body.configuration.query.query.split('\n')[0], handle: job },
    {
      method: 'GET',
      path: /^jobs\/([^/]+)$/,
      handle: (_, [id = '']) =>
        jobs.get(id) ??
        (() => {
          throw new Refusal(404, 'notFound', `Not found: Job ${project.id}:${id}`);
        })(),
    },
  ];
}

async function handle(server: BigQueryServer, routesOf: (project: Project) => readonly Route[], call: Call): Promise<unknown> {
  const refusal = server.fail(call);
  if (refusal) throw refusal;
  const [id = '', ...rest] = call.path.split('/');
  const project = id === server.project.id ? server.project : server.project.others.get(id);
  if (project === undefined) throw new Refusal(404, 'notFound', `Not found: Project ${id}`);
  const path = rest.map(decodeURIComponent).join('/');
  const route = routesOf(project).find(({ method, path: pattern }) => method === call.method && pattern.test(path));
  if (!route) throw new Refusal(400, 'notSimulated', `This server does not know ${call.method} ${call.path}`);
  const parameters = route.path.exec(path)?.slice(1) ?? [];
  const isDryRun = call.body?.configuration?.dryRun === true;
  if (!route.change || isDryRun) return route.handle(call, parameters);
  const change = route.change(call, parameters);
  const number = server.changes.push(change);
  await server.onChange('before', number, change);
  const answer = route.handle(call, parameters);
  await server.onChange('after', number, change);
  return answer;
}

async function readCall(request: IncomingMessage): Promise<Call> {
  const url = new URL(request.url ?? '', 'http://localhost');
  const prefix = '/bigquery/v2/projects/';
  if (!url.pathname.startsWith(prefix)) throw new Refusal(404, 'notSimulated', `This server does not know ${url.pathname}`);
  const hasBody = Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined;
  return {
    method: request.method ?? '',
    path: url.pathname.slice(prefix.length),
    query: url.searchParams,
    body: hasBody ? await json(request) : undefined,
    headers: request.headers,
  };
}

// https://cloud.google.com/bigquery/docs/error-messages
const toError = ({ status, reason, message }: Refusal) => ({
  error: { code: status, message, status: reason, errors: [{ message, domain: 'global', reason }] },
});

function listen(server: BigQueryServer): Server {
  const routes = new Map<Project, readonly Route[]>();
  const routesOf = (project: Project) => {
    const known = routes.get(project) ?? createRoutes(server, project);
    routes.set(project, known);
    return known;
  };
  return createServer(async (request, response) => {
    const answer = (status: number, body: unknown) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    try {
      const call = await readCall(request);
      server.calls.push(call);
      if (server.latency > 0) await sleep(server.latency);
      answer(200, await handle(server, routesOf, call));
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(501, 'notSimulated', String(error));
      answer(refusal.status, toError(refusal));
    }
  });
}

/** A server on loopback that the real client talks to. It knows what `docs/verification.md` lists, and refuses everything else. */
export async function startBigQuery(project: Project): Promise<BigQueryServer> {
  const server: { -readonly [Key in keyof BigQueryServer]: BigQueryServer[Key] } = {
    url: '',
    project,
    calls: [],
    changes: [],
    pageSize: 1000,
    latency: 0,
    closed: { catalog: new Set(), list: new Set(), policies: new Set(), access: new Set(), whole: new Set() },
    hidden: new Set(),
    linked: new Set(),
    lacking: new Set(),
    drop: () => http.closeAllConnections(),
    fail: () => undefined,
    failJob: () => undefined,
    onChange: () => undefined,
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      await new Promise((done) => http.close(done));
    },
  };
  const http = listen(server);
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  server.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return server;
}
