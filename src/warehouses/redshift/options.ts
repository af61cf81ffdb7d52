import { type core, object, optional, strictObject, string } from 'zod';
import type { Adapter } from '../warehouse.ts';

const name = (what: string) => string(`"${what}" must be text.`).min(1, `"${what}" must not be empty.`);

const iam = strictObject({
  cluster: optional(name('cluster')),
  workgroup: optional(name('workgroup')),
  region: optional(name('region')),
  user: optional(name('user')),
}).refine(({ cluster, workgroup }) => (cluster === undefined) !== (workgroup === undefined), 'Name either the "cluster" or, on Serverless, the "workgroup".');

const options = strictObject({ url: optional(string('"url" must be text, such as ${REDSHIFT_URL}.')), iam: optional(iam) });

/** How to get temporary credentials from AWS. */
export interface IamOptions {
  /** Identifier of a provisioned cluster. */
  readonly cluster?: string | undefined;
  /** Name of a Serverless workgroup. */
  readonly workgroup?: string | undefined;
  readonly region?: string | undefined;
  /** The database user to be on a provisioned cluster; without it the user or role that AWS knows us as. */
  readonly user?: string | undefined;
}

/** The keys of a redshift target in `viewsync.yaml`. */
export interface RedshiftOptions {
  readonly url?: string | undefined;
  readonly iam?: IamOptions | undefined;
}

/** The options, which were validated before. */
export function readOptions(given: Readonly<Record<string, unknown>>): RedshiftOptions {
  return object(options.shape).parse(given);
}

type Fault = ReturnType<Adapter['validateOptions']>[number];

/** `Adapter.validateOptions`. */
export function validateOptions(given: Readonly<Record<string, unknown>>): readonly Fault[] {
  const parsed = options.safeParse(given);
  return parsed.success ? [] : parsed.error.issues.flatMap(describeIssue);
}

function describeIssue(issue: core.$ZodIssue): readonly Fault[] {
  const path = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  const known = path.length === 0 ? '"url" and "iam" are' : '"cluster", "workgroup", "region" and "user" are';
  return issue.keys.map((key) => ({ path: [...path, key], message: `"${key}" is not an option of a redshift target; ${known}.` }));
}
