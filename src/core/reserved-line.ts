/**
 * A line `-- viewsync: {json}` stands for what belongs to a view and what its warehouse has no SQL for: in a file, and as the SQL of a step,
 * which is then carried out as a call of the warehouse's interface. `docs/file-format.md` lists the lines of each warehouse.
 */
export type ReservedLine = Readonly<Record<string, unknown>>;

const line = /^-- viewsync: ([^\r\n]*)$/;

/** The line that holds this content. */
export function writeReservedLine(content: ReservedLine): string {
  // These two end a line for some programs.
  const json = JSON.stringify(content).replace(/[\u0085\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `-- viewsync: ${json}`;
}

/** Whether a text is such a line and nothing else. */
export function isReservedLine(text: string): boolean {
  return line.test(text);
}

/** What such a line holds; undefined when the text is none, or none that holds an object. */
export function readReservedLine(text: string): ReservedLine | undefined {
  const json = line.exec(text)?.[1];
  try {
    const content: unknown = json === undefined ? undefined : JSON.parse(json);
    return typeof content === 'object' && content !== null && !Array.isArray(content) ? (content as ReservedLine) : undefined;
  } catch {
    return undefined;
  }
}

/** SQL with the semicolon that ends it; a reserved line, also behind statements, ends by itself. */
export function endStatement(sql: string): string {
  // The last line of a literal may look like one, but for the quote behind it.
  return readReservedLine(sql.slice(sql.lastIndexOf('\n') + 1)) === undefined ? `${sql};` : sql;
}
