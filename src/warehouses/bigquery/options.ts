import type { Token } from '../../core/lexer.ts';
import { splitStatements } from '../../core/statements.ts';
import type { Attachment } from '../../core/view.ts';
import { commentAttachment, labelAttachment, optionAttachment, type Relation } from './attachments.ts';
import { type Cursor, expectMark, fail, isAt, readList, readName, readText, startAt, take, takeExpression, takeMark } from './grammar.ts';
import { lexicalRules } from './lexical-rules.ts';
import { readString, writeString } from './literals.ts';

/** SQL of an option's value in one spelling: string literals are quoted alike, and one space stands where white space was. */
function normalizeValue(tokens: readonly Token[]): string {
  return tokens.map((token, index) => `${hasGap(token, tokens[index - 1]) ? ' ' : ''}${normalizeToken(token)}`).join('');
}

function hasGap(token: Token, previous: Token | undefined): boolean {
  return previous !== undefined && token.start > previous.end;
}

function normalizeToken({ kind, text }: Token): string {
  const value = kind === 'string' ? readString(text) : undefined;
  return value === undefined ? text : writeString(value);
}

/** A moment as an option says it, always in the same spelling. */
export function writeMoment(milliseconds: number): string {
  return `TIMESTAMP ${writeString(new Date(milliseconds).toISOString())}`;
}

function normalizeMoment(tokens: readonly Token[]): string {
  const text = readString(tokens[1]?.text ?? '');
  const milliseconds = text === undefined ? Number.NaN : Date.parse(text.replace(' UTC', 'Z').replace(/([+-]\d\d)$/, '$1:00'));
  return Number.isNaN(milliseconds) ? normalizeValue(tokens) : writeMoment(milliseconds);
}

/** `("key", "value")` or `STRUCT("key", "value")`, as the catalog prints it. */
function readLabel(cursor: Cursor, relation: Relation): Attachment {
  take(cursor, 'STRUCT');
  expectMark(cursor, '(');
  const key = readText(cursor);
  expectMark(cursor, ',');
  const value = readText(cursor);
  expectMark(cursor, ')');
  return labelAttachment(relation, key, value);
}

function readLabels(cursor: Cursor, relation: Relation): readonly Attachment[] {
  expectMark(cursor, '[');
  if (takeMark(cursor, ']')) return [];
  const labels = readList(cursor, (at) => readLabel(at, relation));
  expectMark(cursor, ']');
  return labels;
}

function readNamed(cursor: Cursor, relation: Relation, name: string): readonly Attachment[] {
  if (isAt(cursor, 'NULL')) {
    cursor.next += 1;
    return [];
  }
  if (name === 'labels') return readLabels(cursor, relation);
  if (name === 'description') return [commentAttachment(relation, readText(cursor))];
  const at = cursor.next;
  const tokens = takeExpression(cursor);
  if (tokens.length === 0) return fail({ ...cursor, next: at }, `The option ${name} has no value.`);
  return [optionAttachment(relation, name, name === 'expiration_timestamp' ? normalizeMoment(tokens) : normalizeValue(tokens))];
}

function readOption(cursor: Cursor, relation: Relation): readonly Attachment[] {
  const name = readName(cursor, 'the name of an option').toLowerCase();
  expectMark(cursor, '=');
  return readNamed(cursor, relation, name);
}

/** Reads `(name = value, ...)` behind OPTIONS. */
export function readOptions(cursor: Cursor, relation: Relation): readonly Attachment[] {
  expectMark(cursor, '(');
  if (takeMark(cursor, ')')) return [];
  const options = readList(cursor, (at) => readOption(at, relation));
  expectMark(cursor, ')');
  return options.flat();
}

/** An option as the catalog prints it: its name, and its value as SQL. Throws `FILE_UNREADABLE`. */
export function parseOption(relation: Relation, name: string, value: string): readonly Attachment[] {
  const [statement] = splitStatements(value, lexicalRules);
  return statement === undefined ? [] : readNamed(startAt(statement), relation, name);
}
