import { describe } from 'vitest';
import { checkBigQuery } from './bigquery-checks.ts';

const project = process.env['VIEWSYNC_LIVE_BIGQUERY_PROJECT'] ?? '';
const member = process.env['VIEWSYNC_LIVE_BIGQUERY_MEMBER'] ?? '';
const location = process.env['VIEWSYNC_LIVE_BIGQUERY_LOCATION'] ?? 'EU';

describe.skipIf(project === '' || member === '')('BigQuery', () => checkBigQuery(() => ({ project, location, member })));
