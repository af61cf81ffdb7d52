import { describe, expect, test } from 'vitest';
import { formatDefinition } from '../../src/core/format.ts';
import { recognizeViewFile } from '../../src/core/recognize.ts';
import type { View } from '../../src/core/view.ts';
import { readViewFile, writeViewFile } from '../../src/core/view-file.ts';
import { commentAttachment, optionAttachment, ownerAttachment, populatedAttachment, sortAttachments } from '../../src/warehouses/postgres/attachments.ts';
import { postgresDialect } from '../../src/warehouses/postgres/dialect.ts';

const relation = { name: { schema: 'shop', name: 'Orders' }, kind: 'view' } as const;
const path = 'views/prod/shop/+orders.sql';

const live: View = {
  ...relation,
  definition: " SELECT o.id,\n    (o.name || '  --'::text) AS name\n   FROM raw.orders o\n  WHERE (o.id > 5)",
  columns: [
    { name: 'id', type: 'integer' },
    { name: 'name', type: 'text' },
  ],
  reads: [{ schema: 'raw', name: 'orders' }],
  attachments: sortAttachments([
    optionAttachment(relation, 'security_invoker', 'true'),
    ownerAttachment(relation, 'boss'),
    commentAttachment(relation, { on: 'relation' }, "it's"),
  ]),
  unrestorable: [],
};

const materialized = { ...relation, kind: 'materialized view' } as const;
const materializedAttachments = [populatedAttachment(materialized, 'populated'), ownerAttachment(materialized, 'boss')];

const recognize = (text: string, known = live) => recognizeViewFile(text, known, postgresDialect);

async function fileOf(view: View): Promise<string> {
  return writeViewFile({ ...view, definition: await formatDefinition(view.definition, postgresDialect) }, postgresDialect);
}

describe('a file that is recognized', () => {
  test.each([
    ['a view', live],
    ['a view without attachments', { ...live, attachments: [] }],
    ['a materialized view', { ...live, kind: 'materialized view' as const, attachments: materializedAttachments }],
  ])('says what reading it says: %s', async (_, view) => {
    const text = await fileOf({ ...view, definition: 'SELECT o.id,\n o.name FROM raw.orders o WHERE (o.id > 5)' });
    const known = { ...view, definition: 'SELECT o.id, o.name\n   FROM raw.orders o\n  WHERE (o.id > 5)' };
    expect(recognize(text, known)).toEqual(readViewFile(text, path, postgresDialect));
  });
});

describe('a file is left to the reader', () => {
  test.each([
    ['whose definition differs', (text: string) => text.replace('o.id >', 'o.id <')],
    ['that holds a comment of somebody', (text: string) => text.replace('\nFROM', '\n-- ours\nFROM')],
    ['with another header', (text: string) => text.replace('integer', 'bigint')],
    ['with another owner', (text: string) => text.replace('TO boss', 'TO somebody')],
    ['with a statement more', (text: string) => `${text}GRANT SELECT ON shop."Orders" TO ann;\n`],
    ['with a word in another case', (text: string) => text.replace('WHERE', 'where')],
  ])('%s', async (_, edit) => {
    const plain = { ...live, definition: 'SELECT o.id, o.name FROM raw.orders o WHERE (o.id > 5)' };
    const text = await fileOf(plain);
    expect(recognize(text, plain)).toBeDefined();
    expect(edit(text)).not.toBe(text);
    expect(recognize(edit(text), plain)).toBeUndefined();
  });

  test('when the definition needs the lexer', async () => {
    expect(recognize(await fileOf(live))).toBeUndefined();
  });
});
