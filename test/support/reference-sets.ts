import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findReferences, type ReferenceDialectName } from '../../src/operations/find-references.ts';

export interface LabelledStatement {
  readonly sql: string;
  /** Names of the relations that it reads, in the order of the text. */
  readonly names: readonly string[];
}

const folder = fileURLToPath(new URL('../fixtures/references/', import.meta.url));

/** The statements of a dialect's labelled set. */
export function readLabelledStatements(dialect: ReferenceDialectName): readonly LabelledStatement[] {
  const [, ...blocks] = readFileSync(`${folder}${dialect}.sql`, 'utf8').split(/^-- === ?/m);
  return blocks.map((block) => {
    const [names = '', ...lines] = block.split('\n');
    return { sql: lines.join('\n').trim(), names: names === '' ? [] : names.split(', ').map((name) => name.replaceAll('"', '')) };
  });
}

/** What `findReferences` finds, named as the labels are. */
export function foundNames(sql: string, dialect: ReferenceDialectName): readonly string[] {
  return findReferences(sql, dialect).map(({ name }) => [name.catalog, name.schema, name.name].filter((part) => part !== undefined).join('.'));
}

export interface Accuracy {
  readonly dialect: ReferenceDialectName;
  readonly statements: number;
  readonly references: number;
  /** Share of the labelled references that were found. */
  readonly recall: number;
  /** Share of the found references that are labelled. */
  readonly precision: number;
  readonly wrong: readonly { readonly sql: string; readonly names: readonly string[]; readonly found: readonly string[] }[];
}

function countCommon(left: readonly string[], right: readonly string[]): number {
  const rest = [...right];
  return left.filter((name) => rest.includes(name) && rest.splice(rest.indexOf(name), 1)).length;
}

/** How well the references of a dialect's labelled set are found. */
export function measureAccuracy(dialect: ReferenceDialectName): Accuracy {
  const results = readLabelledStatements(dialect).map(({ sql, names }) => ({ sql, names, found: foundNames(sql, dialect) }));
  const sum = (count: (result: (typeof results)[number]) => number) => results.reduce((total, result) => total + count(result), 0);
  const [labelled, found, common] = [
    sum(({ names }) => names.length),
    sum((result) => result.found.length),
    sum((result) => countCommon(result.names, result.found)),
  ];
  return {
    dialect,
    statements: results.length,
    references: labelled,
    recall: common / labelled,
    precision: common / found,
    wrong: results.filter((result) => result.names.join() !== result.found.join()),
  };
}
