import { expect, test } from 'vitest';
import { holdsPassword } from '../../src/core/passwords.ts';

test.each([
  "SELECT * FROM dblink('host=db user=ada password=s3cr3t', 'SELECT 1') AS t(a int)",
  "SELECT * FROM dblink('postgres://ada:s3cr3t@db/shop', 'SELECT 1') AS t(a int)",
  "SELECT 'AKIAIOSFODNN7EXAMPLE'::text AS id",
  'SELECT $x$password = s3cr3t$x$',
])('sees a credential in %s', (definition) => {
  expect(holdsPassword(definition)).toBe(true);
});

test.each([
  'SELECT id FROM users WHERE password = old_password',
  "SELECT password, 'password'::text AS label FROM users",
  "SELECT 'https://example.com/a:b' AS link",
  "SELECT 'password=' || secret FROM users",
])('sees none in %s', (definition) => {
  expect(holdsPassword(definition)).toBe(false);
});
