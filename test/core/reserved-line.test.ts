import { expect, test } from 'vitest';
import type { Statement } from '../../src/core/dialect.ts';
import { endStatement, isReservedLine, readReservedLine, writeReservedLine } from '../../src/core/reserved-line.ts';
import type { Attachment } from '../../src/core/view.ts';
import { readViewFile, writeViewFile } from '../../src/core/view-file.ts';
import { ViewsyncError } from '../../src/errors.ts';
import { smallDialect } from './small-dialect.ts';

function tag(color: unknown): Attachment {
  const make = writeReservedLine({ color });
  return { kind: 'label', key: 'color', value: String(color), make, unmake: writeReservedLine({ color: null }) };
}

function parseLine({ text, start }: Statement): readonly Attachment[] {
  const line = readReservedLine(text);
  if (line && 'color' in line) return [tag(line['color'])];
  throw new ViewsyncError('FORMAT_TOO_NEW', { message: 'This line is not known.', details: { offset: start } });
}

const dialect: typeof smallDialect = {
  ...smallDialect,
  hasReservedLines: true,
  attachmentKinds: [...smallDialect.attachmentKinds, 'label'],
  parseAttachments: (statement, view) => (isReservedLine(statement.text) ? parseLine(statement) : smallDialect.parseAttachments(statement, view)),
};

const file = (lines: string) => `CREATE VIEW shop.a AS SELECT 1 AS id;\n${lines}\n`;
const read = (text: string) => readViewFile(text, 'views/prod/shop/a.sql', dialect);

test('a line is what it holds, and needs no semicolon', () => {
  const line = writeReservedLine({ a: 'x\n\u2028' });
  expect(line).toBe('-- viewsync: {"a":"x\\n\\u2028"}');
  expect(readReservedLine(line)).toEqual({ a: 'x\n\u2028' });
  expect([endStatement(line), endStatement('SELECT 1'), endStatement(`${line}\nSELECT 1`)]).toEqual([line, 'SELECT 1;', `${line}\nSELECT 1;`]);
  expect(['-- viewsync: {', '-- viewsync: []', '-- viewsync: 1', '-- other: {}'].map(readReservedLine)).toEqual([undefined, undefined, undefined, undefined]);
});

test('a literal whose last line looks like one is ended as any other statement', () => {
  for (const literal of ["'\n-- viewsync: ''x'''", '\'\n-- viewsync: {"a":1}\'', '$$\n-- viewsync: {}$$']) {
    expect(endStatement(`COMMENT ON VIEW shop.a IS ${literal}`)).toBe(`COMMENT ON VIEW shop.a IS ${literal};`);
  }
});

test('lines behind and between the statements are attachments, and are written as they were', () => {
  const text = file('  -- viewsync: {"color": "red"}\nGRANT SELECT ON shop.a TO ada;\n-- a note');
  const parsed = read(text);
  expect(parsed.view.attachments.map(({ kind, value }) => `${kind} ${value}`)).toEqual(['grant ', 'label red']);
  expect(writeViewFile(parsed.view, dialect, parsed)).toMatch(/TO ada;\n-- viewsync: \{"color": "red"\}\n\n-- a note\n$/);
  const written = writeViewFile(parsed.view, dialect);
  expect(written).toMatch(/TO ada;\n-- viewsync: \{"color":"red"\}\n$/);
  expect(read(written).view.attachments).toEqual(parsed.view.attachments);
});

test.each([
  ['-- viewsync: {"shape": "round"}', 'FORMAT_TOO_NEW'],
  ['-- viewsync: {"color": "re', 'FORMAT_TOO_NEW'],
  ['-- viewsync: {"color": 1}\n-- viewsync: {"color": 2}', 'FILE_UNREADABLE'],
])('a line that is not known or says the same thing twice is refused: %s', (lines, code) => {
  expect(() => read(file(lines))).toThrow(expect.objectContaining({ code, details: expect.objectContaining({ path: 'views/prod/shop/a.sql' }) }));
});

test('a warehouse without such lines refuses them as those of a newer version', () => {
  expect(() => readViewFile(file('-- viewsync: {"color": 1}'), 'shop/a.sql', smallDialect)).toThrow(expect.objectContaining({ code: 'FORMAT_TOO_NEW' }));
});
