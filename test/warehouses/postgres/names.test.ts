import { describe, expect, test } from 'vitest';
import { everybody, quoteGrantee, quoteIdentifier, quoteText } from '../../../src/warehouses/postgres/names.ts';
import { createDatabase, newestServer } from '../../support/postgres-server.ts';
import { hostileNames, hostileTexts } from './parsing.ts';

describe.each([newestServer()])('on PostgreSQL $version', ({ version }) => {
  test('names are quoted as the server quotes them, except for keywords of newer versions', async () => {
    await using database = await createDatabase(version);
    const keywords = await database.query(`SELECT word AS name, quote_ident(word) AS quoted FROM pg_get_keywords()`);
    const list = hostileNames.map((name) => `(${quoteText(name)})`).join(', ');
    const hostile = await database.query(`SELECT name, quote_ident(name) AS quoted FROM (VALUES ${list}) AS x(name)`);
    const differing = [...keywords, ...hostile].filter(({ name, quoted }) => quoteIdentifier(name) !== quoted);
    expect(differing.filter(({ quoted }) => quoted.startsWith('"'))).toEqual([]);
    expect([...new Set(differing.map(({ name }) => name))]).toEqual(version >= 17 ? [] : ['json']);
  });

  test.each(['on', 'off'])('texts come back as they were, standard_conforming_strings %s', async (setting) => {
    await using database = await createDatabase(version);
    const [row] = await database.query(`SET standard_conforming_strings = ${setting}; SELECT ARRAY[${hostileTexts.map(quoteText).join(', ')}] AS texts`);
    expect(row?.['texts']).toEqual(hostileTexts);
  });

  test('quoted names find what they name', async () => {
    await using database = await createDatabase(version);
    const [row] = await database.query(`SELECT ${hostileNames.map((name) => `1 AS ${quoteIdentifier(name)}`).join(', ')}`);
    expect(Object.keys(row ?? {})).toEqual(hostileNames);
  });
});

test('everybody is no role, and a role that is called PUBLIC is not everybody', () => {
  expect([everybody, 'PUBLIC', 'joe'].map(quoteGrantee)).toEqual(['PUBLIC', '"PUBLIC"', 'joe']);
});
