import { type FormatDialect, formatDefinition } from '../core/format.ts';

/** What a worker thread is given: data alone, since functions cannot be sent. */
export interface FormatJob {
  readonly texts: readonly string[];
  readonly dialect: FormatDialect;
}

/** Formats the definitions of one job, in order. */
export default async function formatJob({ texts, dialect }: FormatJob): Promise<readonly string[]> {
  const formatted: string[] = [];
  for (const text of texts) formatted.push(await formatDefinition(text, dialect));
  return formatted;
}
