const named: Readonly<Record<string, string>> = { a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
const written: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ["'", "\\'"],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to be escaped.
const special = /[\\'\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** A string literal of one line. https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#escape_sequences */
export function writeString(text: string): string {
  const escaped = text.replace(special, (character) => written.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `'${escaped}'`;
}

const escapeSequence = /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{3})|([\s\S]))/g;

function readEscape(_: string, hex?: string, short?: string, long?: string, octal?: string, other?: string): string {
  if (other !== undefined) return named[other] ?? other;
  const code = Number.parseInt(hex ?? short ?? long ?? octal ?? '', octal === undefined ? 16 : 8);
  return String.fromCodePoint(code);
}

const literal = /^(r?)('''|"""|'|")([\s\S]*)\2$/i;

/** What a string literal says, in any of its spellings; undefined for bytes and for what is no literal. */
export function readString(text: string): string | undefined {
  const [, raw, , body] = literal.exec(text) ?? [];
  if (body === undefined) return undefined;
  return raw === '' ? body.replace(escapeSequence, readEscape) : body;
}
