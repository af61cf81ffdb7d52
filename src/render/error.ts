import type { ViewsyncError } from '../errors.ts';
import type { Colors } from './colors.ts';

/** What `--json` prints of an error; `docs/scripting.md` describes it. */
export interface ErrorDocument {
  readonly error: {
    readonly code: string;
    readonly exitCode: number;
    readonly message: string;
    readonly suggestions: readonly string[];
    readonly details: Readonly<Record<string, unknown>>;
  };
}

export function describeError({ code, exitCode, message, suggestions, details }: ViewsyncError): ErrorDocument {
  return { error: { code, exitCode, message, suggestions, details } };
}

/** The message, then what to type next. */
export function renderError({ message, suggestions, code }: ViewsyncError, colors: Colors): string {
  const [first = '', ...rest] = message.split('\n');
  const lines = [`${colors.removed('Error:')} ${first} ${colors.quiet(`[${code}]`)}`, ...rest];
  const next = suggestions.map((suggestion, index) => `${index === 0 ? 'Try: ' : 'or:  '}${colors.heading(suggestion)}`);
  return [...lines, ...next].join('\n');
}
