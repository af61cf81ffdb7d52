/** What a credential looks like inside a definition; each pattern wants a value, so that a column called `password` is none. */
const credentials: readonly RegExp[] = [
  /\bpassword\s*=\s*(?!\s|''|\$)[^\s'"]+/i,
  /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@'"]+:[^\s/@'"]+@/i,
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/,
  /\b(?:ghp|gho|xox[abp]|sk_live)[_-][0-9A-Za-z-]{16,}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
];

/** The text between quotes of a definition: what stands outside of them is SQL, in which `password = x` compares columns. */
const literals = /'(?:[^']|'')*'|\$(\w*)\$[\s\S]*?\$\1\$/g;

/** Whether a credential seems to stand in a definition. */
export function holdsPassword(definition: string): boolean {
  return [...definition.matchAll(literals)].some(([literal]) => credentials.some((pattern) => pattern.test(literal.replace(/^'|'$/g, ''))));
}
