import type { ScriptRules, Statement } from './dialect.ts';
import type { Token } from './lexer.ts';

/** Statements of one beginning that cannot be run, with the reason. */
export interface ScriptRule {
  /** Is given what `spellWords` returns. */
  readonly matches: RegExp;
  readonly because: string;
}

/** The words of a statement in upper case, punctuation as it is and `?` for everything else, each followed by a blank. */
export function spellWords(tokens: readonly Token[]): string {
  return tokens.map(({ kind, text }) => `${kind === 'word' ? text.toUpperCase() : kind === 'punctuation' ? text : '?'} `).join('');
}

/** `ScriptRules.refuse` by the first rule that matches. */
export function refuseBy(rules: readonly ScriptRule[], { tokens, start }: Statement): ReturnType<ScriptRules['refuse']> {
  const words = spellWords(tokens);
  const rule = rules.find(({ matches }) => matches.test(words));
  return rule && { because: rule.because, at: start };
}
