import { ViewsyncError } from '../../errors.ts';
import type { Parameters } from '../postgres-family/libpq.ts';
import type { IamOptions } from './options.ts';

/** Seconds for which the credentials can be used to connect; a connection that stands outlives them. */
const lifetime = 900;

/**
 * What AWS says of the cluster or workgroup: where it listens, and a user and password for a few minutes. Credentials for AWS itself come from where
 * its tools look for them. `CONNECTION_FAILED`.
 * https://docs.aws.amazon.com/redshift/latest/mgmt/generating-user-credentials.html
 */
export async function fetchCredentials(iam: IamOptions, database: string): Promise<Parameters> {
  try {
    return await (iam.cluster === undefined ? fromWorkgroup(iam, database) : fromCluster(iam, database));
  } catch (error) {
    if (error instanceof ViewsyncError) throw error;
    throw refused(iam, error);
  }
}

const clientOptions = ({ region }: IamOptions) => (region === undefined ? {} : { region });

async function fromCluster(iam: IamOptions, database: string): Promise<Parameters> {
  const { RedshiftClient, DescribeClustersCommand, GetClusterCredentialsCommand, GetClusterCredentialsWithIAMCommand } = await import(
    '@aws-sdk/client-redshift'
  ).catch((error: unknown) => packageMissing('@aws-sdk/client-redshift', error));
  const client = new RedshiftClient(clientOptions(iam));
  try {
    const which = { ClusterIdentifier: iam.cluster, DbName: database, DurationSeconds: lifetime };
    const { Clusters: [cluster] = [] } = await client.send(new DescribeClustersCommand({ ClusterIdentifier: iam.cluster }));
    const credentials = await (iam.user === undefined
      ? client.send(new GetClusterCredentialsWithIAMCommand(which))
      : client.send(new GetClusterCredentialsCommand({ ...which, DbUser: iam.user, AutoCreate: false })));
    return toParameters({ ...cluster?.Endpoint, user: credentials.DbUser, password: credentials.DbPassword });
  } finally {
    client.destroy();
  }
}

async function fromWorkgroup(iam: IamOptions, database: string): Promise<Parameters> {
  const { RedshiftServerlessClient, GetCredentialsCommand, GetWorkgroupCommand } = await import('@aws-sdk/client-redshift-serverless').catch((error: unknown) =>
    packageMissing('@aws-sdk/client-redshift-serverless', error),
  );
  const client = new RedshiftServerlessClient(clientOptions(iam));
  try {
    const { workgroup } = await client.send(new GetWorkgroupCommand({ workgroupName: iam.workgroup }));
    const credentials = await client.send(new GetCredentialsCommand({ workgroupName: iam.workgroup, dbName: database, durationSeconds: lifetime }));
    return toParameters({ Address: workgroup?.endpoint?.address, Port: workgroup?.endpoint?.port, user: credentials.dbUser, password: credentials.dbPassword });
  } finally {
    client.destroy();
  }
}

interface Answer {
  readonly Address?: string | undefined;
  readonly Port?: number | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** Only over TLS: the password is as good as any other while it lasts. */
function toParameters({ Address: host, Port: port, user, password }: Answer): Parameters {
  return { host, port: port === undefined ? undefined : String(port), user, password, sslmode: 'require' };
}

function packageMissing(name: string, cause: unknown): never {
  throw new ViewsyncError('CONNECTION_FAILED', {
    message: `Temporary credentials need the package "${name}", which is not installed. Nothing was done.`,
    suggestions: [`npm install ${name}`],
    cause,
  });
}

function refused({ cluster, workgroup }: IamOptions, error: unknown): ViewsyncError {
  const what = cluster === undefined ? `the workgroup "${workgroup}"` : `the cluster "${cluster}"`;
  const actions =
    cluster === undefined
      ? 'redshift-serverless:GetCredentials and redshift-serverless:GetWorkgroup'
      : 'redshift:GetClusterCredentials or redshift:GetClusterCredentialsWithIAM, and redshift:DescribeClusters';
  return new ViewsyncError('CONNECTION_FAILED', {
    message: `AWS gives no credentials for ${what}: ${error instanceof Error ? error.message : String(error)} Nothing was done.`,
    suggestions: ['aws sts get-caller-identity shows as whom you are known to AWS.', `The policy of that user or role has to allow ${actions}.`],
    cause: error,
  });
}
