import { ViewsyncError } from '../../errors.ts';
import type { Environment } from './settings.ts';

const audience = 'snowflakecomputing.com';

/**
 * The identity of a GitHub workflow that has the permission `id-token: write`.
 * https://docs.github.com/en/actions/reference/security/oidc#methods-for-requesting-the-oidc-token
 */
export async function requestGithubToken(environment: Environment): Promise<Readonly<Record<string, string>>> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = environment;
  if (url === undefined || bearer === undefined) return {};
  const response = await fetch(`${url}&audience=${audience}`, { headers: { Authorization: `Bearer ${bearer}` } });
  const body: unknown = response.ok ? await response.json() : undefined;
  const value = typeof body === 'object' && body !== null && 'value' in body ? body.value : undefined;
  if (typeof value === 'string') return { token: value };
  throw new ViewsyncError('CONNECTION_FAILED', {
    message: `GitHub gave no identity token (status ${response.status}). Nothing was done.`,
    suggestions: ['Give the job "permissions: id-token: write".'],
  });
}
