import type { DialectOptions, FormatOptions } from 'sql-formatter';
import type { FormatterLanguage } from './dialect.ts';

type Formatter = typeof import('sql-formatter');

/** Formats the way every definition is written: nothing changes but white space. */
const options: Partial<FormatOptions> = {
  tabWidth: 2,
  keywordCase: 'preserve',
  dataTypeCase: 'preserve',
  functionCase: 'preserve',
  identifierCase: 'preserve',
  expressionWidth: 50,
  logicalOperatorNewline: 'before',
  denseOperators: false,
};

const joint = String.raw`(?:(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:\s|--[^\n\r]*[\n\r])*`;

// Literals on lines of their own that make one, which must not come to stand on one line.
const joinedStrings = [
  { regex: String.raw`[Ee]'(?:[^'\\]|\\[\s\S]|'')*'${joint}'(?:[^'\\]|\\[\s\S]|'')*')+` },
  { regex: `(?:[Uu]&|[BbXxNn])?'(?:[^']|'')*'${joint}'(?:[^']|'')*')+` },
];

/** Languages in which literals on lines of their own make one. */
const joinsStrings: ReadonlySet<FormatterLanguage> = new Set(['postgresql', 'redshift']);

function patch(language: FormatterLanguage, dialect: DialectOptions, operators: readonly string[]): DialectOptions {
  const known = dialect.tokenizerOptions;
  const stringTypes = joinsStrings.has(language) ? [...joinedStrings, ...known.stringTypes] : known.stringTypes;
  return { ...dialect, tokenizerOptions: { ...known, stringTypes, operators: [...(known.operators ?? []), ...operators] } };
}

const dialects = new Map<string, DialectOptions>();

/** The same object for the same operators: the formatter builds its tables once per object and keeps them. */
function findDialect(formatter: Formatter, language: FormatterLanguage, operators: readonly string[]): DialectOptions {
  const missing = [...new Set(operators)].filter((operator) => !formatter[language].tokenizerOptions.operators?.includes(operator)).sort();
  const key = JSON.stringify([language, ...missing]);
  const known = dialects.get(key) ?? patch(language, formatter[language], missing);
  dialects.set(key, known);
  return known;
}

/** A query's text with new white space, or undefined where the formatter cannot read it. `operators` are those that stand in it. */
export async function formatQuery(sql: string, language: FormatterLanguage, operators: readonly string[]): Promise<string | undefined> {
  const formatter = await import('sql-formatter');
  try {
    return formatter.formatDialect(sql, { ...options, dialect: findDialect(formatter, language, operators) });
  } catch {
    return undefined;
  }
}
