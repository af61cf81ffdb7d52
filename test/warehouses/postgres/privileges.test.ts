import { expect, test } from 'vitest';
import { type AclEntry, aclAttachments } from '../../../src/warehouses/postgres/privileges.ts';
import { plainView } from './parsing.ts';

const serverPrivileges = ['INSERT', 'SELECT', 'UPDATE'];

function entry(text: string, more: Partial<AclEntry> = {}): AclEntry {
  const [grantor = '', privilege = '', grantee = ''] = text.split(' ');
  return { grantor, privilege, grantee: grantee === 'everybody' ? null : grantee, column: null, grantable: false, ...more };
}

const builtIn = serverPrivileges.map((privilege) => entry(`owner ${privilege} owner`));

function statements(entries: readonly AclEntry[]): readonly string[] {
  return aclAttachments(plainView, { owner: 'owner', entries, serverPrivileges }).map(({ make }) => make);
}

test('says nothing of the rights that every owner has', () => {
  expect(statements(builtIn)).toEqual([]);
});

test('takes away what the owner lacks, before anything is granted', () => {
  const entries = [...builtIn.filter(({ privilege }) => privilege !== 'UPDATE'), entry('owner SELECT ann')];
  expect(statements(entries)).toEqual(['REVOKE UPDATE ON shop.v FROM owner', 'GRANT SELECT ON shop.v TO ann']);
});

test('tells everybody from a role of that name', () => {
  expect(statements([...builtIn, entry('owner SELECT everybody'), entry('owner SELECT PUBLIC')])).toEqual([
    'GRANT SELECT ON shop.v TO PUBLIC',
    'GRANT SELECT ON shop.v TO "PUBLIC"',
  ]);
});

test('keeps grantees in the order in which the server lists them, and sorts within one grantee', () => {
  const entries = [...builtIn, entry('owner UPDATE zoe'), entry('owner SELECT zoe'), entry('owner SELECT ann')];
  expect(statements(entries)).toEqual(['GRANT SELECT ON shop.v TO zoe', 'GRANT UPDATE ON shop.v TO zoe', 'GRANT SELECT ON shop.v TO ann']);
});

test('lets a role pass a right on only after it has received it, whatever the names', () => {
  const entries = [
    ...builtIn,
    entry('zoe SELECT ann', { grantable: true }),
    entry('ann SELECT bob', { column: 'a' }),
    entry('owner SELECT zoe', { grantable: true }),
  ];
  expect(statements(entries)).toEqual([
    'GRANT SELECT ON shop.v TO zoe WITH GRANT OPTION',
    'SET ROLE zoe;\nGRANT SELECT ON shop.v TO ann WITH GRANT OPTION;\nRESET ROLE',
    'SET ROLE ann;\nGRANT SELECT (a) ON shop.v TO bob;\nRESET ROLE',
  ]);
});

test('does not take the right on one column for the right on the view', () => {
  const entries = [
    ...builtIn,
    entry('zoe SELECT ann', { column: 'a' }),
    entry('owner SELECT zoe', { column: 'a', grantable: true }),
    entry('owner SELECT zoe', { column: 'b' }),
  ];
  expect(statements(entries)).toEqual([
    'GRANT SELECT (a) ON shop.v TO zoe WITH GRANT OPTION',
    'GRANT SELECT (b) ON shop.v TO zoe',
    'SET ROLE zoe;\nGRANT SELECT (a) ON shop.v TO ann;\nRESET ROLE',
  ]);
});

test('keeps the rights on columns that the owner gave to itself, and the option to pass its own on', () => {
  const [insert, , update] = builtIn;
  const entries = [insert, update, entry('owner SELECT owner', { grantable: true }), entry('owner SELECT owner', { column: 'a' })] as AclEntry[];
  expect(statements(entries)).toEqual(['GRANT SELECT ON shop.v TO owner WITH GRANT OPTION', 'GRANT SELECT (a) ON shop.v TO owner']);
});
