import { lexicalRules } from '../../src/warehouses/postgres/lexical-rules.ts';

/** PostgreSQL's lexical rules, for tests of core that need some dialect's. */
export const postgresqlRules = lexicalRules;

/** What comparing texts needs of the PostgreSQL dialect. */
export const postgresqlComparison = { lexicalRules, keepsComments: false, folds: 'lower' } as const;
