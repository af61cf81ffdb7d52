const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', 0: '\0' };

const sequence = /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|([0-7]{3})|(.))|''/gs;

/** The text that a string constant stands for; undefined for a token that is none. https://docs.snowflake.com/en/sql-reference/data-types-text#escape-sequences-in-single-quoted-string-constants */
export function readConstant(token: string): string | undefined {
  if (token.startsWith('$$') && token.endsWith('$$') && token.length >= 4) return token.slice(2, -2);
  if (!token.startsWith("'") || !token.endsWith("'") || token.length < 2) return undefined;
  return token.slice(1, -1).replace(sequence, (whole, hex, unicode, octal, other) => {
    if (whole === "''") return "'";
    if (other !== undefined) return escapes[other] ?? other;
    return String.fromCharCode(Number.parseInt(octal ?? hex ?? unicode, octal === undefined ? 16 : 8));
  });
}
