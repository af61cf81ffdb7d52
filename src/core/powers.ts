import type { Course } from './making.ts';
import type { Refusal, Step } from './plan.ts';
import type { Situation } from './planner.ts';
import { compareText, type RelationName, relationKey } from './relation.ts';
import type { Attachment, View } from './view.ts';

/** What our role may do, as far as a plan can know beforehand that it will be refused. */
export interface Powers {
  readonly role: string;
  /** Roles whose objects our role may change; itself among them. */
  readonly actsAs: ReadonlySet<string>;
  /** Roles that it may give objects to, and in whose name it may give rights. */
  readonly becomes: ReadonlySet<string>;
  /** Who may create in a schema, of our role and those that it can become, by the schema's name. */
  readonly creators: ReadonlyMap<string, ReadonlySet<string>>;
  /** Whether being a member of a role comes with options of its own. */
  readonly membership: 'plain' | 'with options';
}

/** Something that somebody with more rights can permit. */
export type Permission = { readonly to: string; readonly be: string } | { readonly to: string; readonly createIn: string };

/** A view, and what is missing to do with it what the plan says. */
interface Lack {
  readonly view: RelationName;
  readonly permission: Permission;
  /** Completes "views …": `belong to "a"`. */
  readonly what: string;
}

const quote = (name: string) => `"${name}"`;

function findForeign(situation: Situation, steps: readonly Step[], powers: Powers): Lack[] {
  const { live, request } = situation;
  const touched = [...new Set(steps.map(({ view }) => relationKey(view)))];
  return touched.flatMap((key) => {
    const view = live.get(key);
    const owner = view && request.dialect.ownerOf(view);
    if (!view || owner === undefined || powers.actsAs.has(owner)) return [];
    return [{ view: view.name, permission: { to: powers.role, be: owner }, what: `belong to ${quote(owner)}` }];
  });
}

function isCreator(role: string, { schema }: RelationName, { creators }: Powers): boolean {
  return creators.get(schema)?.has(role) ?? true;
}

function lackSchema(view: RelationName, role: string): Lack {
  return {
    view,
    permission: { to: role, createIn: view.schema },
    what: `have to be made in the schema ${quote(view.schema)}, where ${quote(role)} may not create`,
  };
}

function findUnmakeable({ makings }: Course, powers: Powers): Lack[] {
  const made = [...makings.values()].filter(({ making, view }) => making === 'create' && !isCreator(powers.role, view.name, powers));
  return made.map(({ view }) => lackSchema(view.name, powers.role));
}

/** The role that a view is to be given to; undefined where it has it already or keeps whoever makes it. */
function newOwnerOf(view: View, { live, rebuild, request }: Situation): string | undefined {
  const key = relationKey(view.name);
  const standing = rebuild.recreated.has(key) ? undefined : live.get(key);
  const owner = request.dialect.ownerOf(view);
  return standing && request.dialect.ownerOf(standing) === owner ? undefined : owner;
}

function findUngiveable(situation: Situation, touched: readonly View[], powers: Powers): Lack[] {
  return touched.flatMap((view) => {
    const owner = newOwnerOf(view, situation);
    if (owner === undefined || owner === powers.role) return [];
    const isMember = powers.becomes.has(owner) && powers.actsAs.has(owner);
    if (!isMember) return [{ view: view.name, permission: { to: powers.role, be: owner }, what: `have to belong to ${quote(owner)}` }];
    return isCreator(owner, view.name, powers) ? [] : [lackSchema(view.name, owner)];
  });
}

/** What only one of two lists holds. */
function differing(left: readonly Attachment[], right: readonly Attachment[]): readonly Attachment[] {
  const texts = [left, right].map((attachments) => new Set(attachments.map(({ make }) => make)));
  return [...left, ...right].filter(({ make }) => !texts.every((known) => known.has(make)));
}

/** Rights that somebody else than the owner gave, and that can only be given again in that role's name. */
function findUngrantable(situation: Situation, touched: readonly View[], powers: Powers): Lack[] {
  const { dialect } = situation.request;
  return touched.flatMap((view) => {
    const before = situation.rebuild.dropped.has(relationKey(view.name)) ? undefined : situation.live.get(relationKey(view.name));
    const changed = differing(before?.attachments ?? [], view.attachments);
    const grantors = [...new Set(changed.flatMap((attachment) => dialect.actorOf(attachment) ?? []))].filter((role) => !powers.becomes.has(role));
    return grantors.map((role) => ({ view: view.name, permission: { to: powers.role, be: role }, what: `have rights that ${quote(role)} gave` }));
  });
}

function describe(lacks: readonly Lack[], { role }: Powers): string {
  const names = [...new Set(lacks.map(({ view }) => relationKey(view)))].sort(compareText);
  const shown = names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
  const [{ permission, what } = { permission: { to: '', be: '' }, what: '' }] = lacks;
  const member = 'be' in permission ? `, and ${quote(role)} cannot act as that role` : '';
  return `${names.length === 1 ? 'This view' : 'These views'} ${names.length === 1 ? singular(what) : what}${member}: ${shown}.`;
}

/** `belong to "a"` of one view. */
function singular(what: string): string {
  return what.replace(/^have/, 'has').replace(/^belong/, 'belongs');
}

/** What the server would refuse to our role, one refusal for each permission that is missing. */
export function findPowerless(situation: Situation, course: Course, steps: readonly Step[]): readonly Refusal[] {
  const { powers, dialect } = situation.request;
  if (!powers) return [];
  const keys = [...new Set(steps.map(({ view }) => relationKey(view)))].filter((key) => !situation.drops.has(key));
  const touched = keys.flatMap((key) => situation.wanted.get(key) ?? situation.rebuild.recreated.get(key) ?? []);
  const lacks = [
    ...findForeign(situation, steps, powers),
    ...findUnmakeable(course, powers),
    ...findUngiveable(situation, touched, powers),
    ...findUngrantable(situation, touched, powers),
  ];
  return [...Map.groupBy(lacks, ({ permission, what }) => JSON.stringify([permission, what])).values()].flatMap((alike) => {
    const [first] = alike;
    return first
      ? [{ view: first.view, views: alike.map(({ view }) => view), because: describe(alike, powers), suggestion: dialect.permit(first.permission, powers) }]
      : [];
  });
}
