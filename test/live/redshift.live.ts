import { describe } from 'vitest';
import { checkRedshift } from './redshift-checks.ts';

const url = process.env['VIEWSYNC_LIVE_REDSHIFT_URL'] ?? '';

describe.skipIf(url === '')('Redshift', () => checkRedshift(() => url));
