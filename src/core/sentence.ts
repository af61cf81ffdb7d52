/** A noun with its indefinite article. */
export function withArticle(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** Somebody else's message as a whole sentence, so that one of ours may follow. */
export function endSentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
