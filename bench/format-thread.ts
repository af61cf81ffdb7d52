import { formatQuery } from '../src/core/formatting.ts';

/** Formats the texts of one job with the export's own settings, and nothing else. */
export default async function formatTexts(texts: readonly string[]): Promise<number> {
  let length = 0;
  for (const text of texts) length += (await formatQuery(text, 'postgresql', []))?.length ?? 0;
  return length;
}
