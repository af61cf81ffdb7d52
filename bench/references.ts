import { findReferences, type ReferenceDialectName, referenceDialects } from '../src/operations/find-references.ts';
import { measureAccuracy, readLabelledStatements } from '../test/support/reference-sets.ts';

const repetitions = 50;

function timeDialect(dialect: ReferenceDialectName): { readonly kilobytes: number; readonly milliseconds: number } {
  const texts = readLabelledStatements(dialect).map(({ sql }) => sql);
  const started = performance.now();
  for (let round = 0; round < repetitions; round += 1) for (const sql of texts) findReferences(sql, dialect);
  return { kilobytes: (repetitions * texts.join('').length) / 1024, milliseconds: performance.now() - started };
}

function rowOf(dialect: ReferenceDialectName): string {
  const { statements, references, recall, precision, wrong } = measureAccuracy(dialect);
  const { kilobytes, milliseconds } = timeDialect(dialect);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return `| ${[dialect, statements, references, percent(recall), percent(precision), wrong.length, `${Math.round((1000 * kilobytes) / milliseconds)} KB/s`].join(' | ')} |`;
}

/** How well and how fast `findReferences` reads the labelled statements of every dialect, as a table in Markdown. */
export function measureReferences(): string {
  const dialects = Object.keys(referenceDialects) as readonly ReferenceDialectName[];
  return [
    '| dialect | statements | references | recall | precision | statements read wrongly | speed |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...dialects.map(rowOf),
  ].join('\n');
}
