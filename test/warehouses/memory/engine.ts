import { tokenize } from '../../../src/core/lexer.ts';
import { nameOf } from '../../../src/core/name-tokens.ts';
import { readsOf } from '../../../src/core/references.ts';
import { type RelationName, relationKey } from '../../../src/core/relation.ts';
import { splitStatements } from '../../../src/core/statements.ts';
import { foldWord } from '../../../src/core/tokens.ts';
import type { Attachment, Column, View } from '../../../src/core/view.ts';
import { memoryDialect } from './dialect.ts';
import { type Command, lexicalRules, parseCommand } from './grammar.ts';

/** A database that is gone with the process: its views by `relationKey`, who may be granted something, and whether a run holds it. */
export interface Engine {
  readonly views: Map<string, View>;
  readonly roles: Set<string>;
  isHeld: boolean;
}

export function createEngine(...roles: readonly string[]): Engine {
  return { views: new Map(), roles: new Set(roles), isHeld: false };
}

/** A column is called by the last word of its item in the list behind the first SELECT. */
function columnsOf(definition: string): readonly Column[] {
  const tokens = tokenize(definition, lexicalRules).filter(({ kind }) => kind !== 'comment');
  const end = tokens.findIndex(({ text }) => foldWord(text, 'upper') === 'FROM');
  const list = end === -1 ? tokens : tokens.slice(0, end);
  const last = list.filter((_, index) => index === list.length - 1 || list[index + 1]?.text === ',');
  return last.map((token) => ({ name: nameOf(token, 'upper'), type: 'ANY' }));
}

/** What a definition comes to as things stand, or an error in the engine's words. */
export function bind(engine: Engine, name: RelationName, definition: string): Pick<View, 'definition' | 'reads' | 'columns'> {
  const reads = readsOf(definition, memoryDialect);
  const missing = reads.find((read) => !engine.views.has(relationKey(read)) || relationKey(read) === relationKey(name));
  if (missing) throw new Error(`${relationKey(missing)} does not exist.`);
  return { definition, reads, columns: columnsOf(definition) };
}

function find(engine: Engine, name: RelationName): View {
  const view = engine.views.get(relationKey(name));
  if (view) return view;
  throw new Error(`${relationKey(name)} does not exist.`);
}

function create(engine: Engine, { name, act, definition }: Command & { readonly definition: string }): View {
  const live = engine.views.get(relationKey(name));
  if (live && act === 'create') throw new Error(`${relationKey(name)} is there already.`);
  const view: View = { name, kind: 'view', ...bind(engine, name, definition), attachments: [], unrestorable: [] };
  const replaceability = live ? memoryDialect.canReplace(live, view) : undefined;
  if (replaceability?.possible === false) throw new Error(`${relationKey(name)} cannot be replaced: ${replaceability.because}.`);
  return { ...view, attachments: live?.attachments.filter(({ kind }) => kind === 'grant') ?? [] };
}

function requireUnread(engine: Engine, name: RelationName): void {
  const reader = [...engine.views.values()].find(({ reads }) => reads.some((read) => relationKey(read) === relationKey(name)));
  if (reader) throw new Error(`${relationKey(reader.name)} reads ${relationKey(name)}.`);
}

function isOther({ kind, key }: Attachment): (attachment: Attachment) => boolean {
  return (attachment) => attachment.kind !== kind || attachment.key !== key;
}

function attach(engine: Engine, view: View, attachment: Attachment): View {
  if (attachment.kind === 'grant' && !engine.roles.has(attachment.key)) throw new Error(`There is no role ${attachment.key}.`);
  const attachments = [...view.attachments.filter(isOther(attachment)), attachment];
  return { ...view, attachments: attachments.sort((left, right) => (`${left.kind} ${left.key}` < `${right.kind} ${right.key}` ? -1 : 1)) };
}

/** Runs one statement, which changes everything that it says or nothing; throws what a server would say. */
export function run(engine: Engine, sql: string): void {
  const [statement] = splitStatements(`${sql}\n;`, lexicalRules);
  if (!statement) throw new Error('There is no statement.');
  const command = parseCommand(statement);
  const key = relationKey(command.name);
  if ('definition' in command) engine.views.set(key, create(engine, command));
  else if (command.act === 'attach') engine.views.set(key, attach(engine, find(engine, command.name), command.attachment));
  else if (command.act === 'detach') {
    const view = find(engine, command.name);
    engine.views.set(key, { ...view, attachments: view.attachments.filter(isOther(command.attachment)) });
  } else {
    find(engine, command.name);
    requireUnread(engine, command.name);
    engine.views.delete(key);
  }
}
