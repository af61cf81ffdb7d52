import { type Cursor, fail, failExpected } from '../../core/cursor.ts';

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

// https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-STRINGS-ESCAPE
const escapeSequence = /\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([\s\S]))|''/g;

function resolveEscapes(text: string): string {
  return text.replace(escapeSequence, (_, octal, byte, short, long, character) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    const code = byte ?? short ?? long;
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16) % 0x110000);
    return character === undefined ? "'" : (escapes[character] ?? character);
  });
}

// The bytes of a character beyond ASCII, one by one: what they stand for depends on the encoding of the server.
const loneByte = /(?<!\\)(?:\\\\)*\\(?:[2-7][0-7]{2}|x[89A-F][0-9A-F])/i;

/** What a string constant stands for: `'…'`, `E'…'` and `$$…$$`; undefined for the other sorts and for escaped bytes. */
export function readConstant(text: string): string | undefined {
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
  if (text.startsWith('$')) {
    const tag = text.indexOf('$', 1) + 1;
    return text.slice(tag, -tag);
  }
  const isReadable = /^e'/i.test(text) && !loneByte.test(text);
  return isReadable ? resolveEscapes(text.slice(2, -1)) : undefined;
}

/** The string constant at the cursor. */
export function readText(cursor: Cursor): string {
  const token = cursor.tokens[cursor.next];
  if (token?.kind !== 'string') return failExpected(cursor, "a text in quotes: '...', E'...' or $$...$$");
  const text = readConstant(token.text);
  if (text === undefined) return fail(cursor, "A text is written as '...', E'...' or $$...$$ in a view file.");
  cursor.next += 1;
  return text;
}
