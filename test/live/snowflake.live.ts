import { describe } from 'vitest';
import { checkSnowflake, exploreSnowflake } from './snowflake-checks.ts';

const database = process.env['VIEWSYNC_LIVE_SNOWFLAKE_DATABASE'] ?? '';
const account = () => ({ options: {}, database });

describe.skipIf(database === '')('Snowflake', () => checkSnowflake(account));
describe.skipIf(database === '')('Snowflake, what no document says', () => exploreSnowflake(account));
