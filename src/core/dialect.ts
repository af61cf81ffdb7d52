import type { Access, RowSecurity } from './access.ts';
import type { LexicalRules, Token } from './lexer.ts';
import type { Step } from './plan.ts';
import type { Permission, Powers } from './powers.ts';
import type { ReferenceRules } from './references.ts';
import type { RelationName } from './relation.ts';
import type { Container } from './snapshot.ts';
import type { Attachment, View } from './view.ts';

/** How a CREATE is written: as a file holds it, as a first creation that fails when the name is taken, or over an existing view of the same columns. */
export type CreateForm = 'file' | 'create' | 'replace';

/** What a wanted view is to take the place of, and when, in milliseconds since 1970. */
export interface Standing {
  readonly live: View | undefined;
  readonly now: number;
}

/** Statements that belong together: from one that starts with the words `opens` to the next that is `closes`. */
export interface StatementRun {
  readonly opens: string;
  readonly closes: string;
}

/**
 * A statement of a view file, or a whole run of them. `text` is verbatim without its last semicolon and without comments around it; offsets
 * count from the start of the file.
 */
export interface Statement {
  readonly text: string;
  /** Its tokens without the comments; a run's tokens hold the semicolons in between. */
  readonly tokens: readonly Token[];
  readonly start: number;
  readonly end: number;
  /** The offset behind its semicolon; `end` when it has none. */
  readonly stop: number;
  /** What stands before that semicolon and behind the last token: comments, which belong to the definition where the warehouse keeps them. */
  readonly tail: string;
}

/** What a view file's first statement says. `attachments` are the ones that stand inside it, such as options. */
export interface ParsedCreate {
  readonly name: RelationName;
  readonly kind: View['kind'];
  readonly definition: string;
  readonly attachments: readonly Attachment[];
}

export type FormatterLanguage = 'postgresql' | 'redshift' | 'snowflake' | 'bigquery';

export type Replaceability = { readonly possible: true } | { readonly possible: false; readonly because: string };

export type RenamedColumn = { readonly from: string; readonly to: string };

/** What a dialect knows of the statements of a migration. */
export interface ScriptRules {
  /** Why a statement cannot be run by itself inside a transaction of ours, a whole sentence, and the offset in its file of what says so. */
  refuse(statement: Statement): { readonly because: string; readonly at: number } | undefined;
  /** What it drops by name: views, and schemas with all views in them. Statements inside its strings count. */
  dropsByName(statement: Statement): { readonly views: readonly (readonly string[])[]; readonly schemas: readonly string[] };
  /**
   * Why all views have to be there when it runs, although it may name none, in words that follow its place: `renames`, which views that are there follow by
   * themselves. Undefined where it is about nothing but what it names.
   */
  concernsAll(statement: Statement): string | undefined;
}

/**
 * The pure half of an adapter: SQL text, lexical rules and abilities of one kind of warehouse. No IO, no clock, no state.
 * The parse functions throw `FILE_UNREADABLE` with `details.offset` (a character offset in the file) for what the grammar of
 * `docs/file-format.md` does not list.
 */
export interface Dialect {
  /** Name of the kind of warehouse, as `viewsync.yaml` spells it. */
  readonly warehouse: string;
  readonly lexicalRules: LexicalRules;
  /** Where the names of relations stand in a query; `standardReferences` for the SQL standard's clauses. */
  readonly referenceRules: ReferenceRules;
  /** The language under which sql-formatter knows the warehouse. */
  readonly formatterLanguage: FormatterLanguage;
  /** What comes to `parseAttachments` as one Statement: `SET ROLE a; GRANT ...; RESET ROLE`. */
  readonly statementRuns: readonly StatementRun[];
  /** Case to which the warehouse folds an unquoted name; it decides how file names are spelled. */
  readonly folds: 'lower' | 'upper' | 'exact';
  /** Whether names have a catalog part, and paths a folder for it. */
  readonly hasCatalogs: boolean;
  /** Whether the warehouse keeps the comments inside a definition; where it does not, they do not count when definitions are compared. */
  readonly keepsComments: boolean;
  /** Whether DDL is transactional, so that a failed apply rolls back as a whole. */
  readonly isTransactional: boolean;
  /** Whether a file may hold lines `-- viewsync: {json}` behind its CREATE, each of which comes to `parseAttachments` as a Statement; elsewhere such a line is of a newer version. */
  readonly hasReservedLines?: boolean;
  /** Whether the server keeps a definition as it was typed, so that texts with other tokens are other definitions and need not be asked about. */
  readonly keepsText?: boolean;
  /** Whether a relation can be dropped or changed under the views that read it, so that none of them has to go first. */
  readonly readersStand?: boolean;
  /** Whether listings leave out what our role may not see, so that an absent view was not necessarily dropped. */
  readonly listsByPrivilege?: boolean;
  /** Attachments that stay out of files and never count as a difference: set by `ignoring` for a target. */
  isIgnored?(attachment: Attachment): boolean;
  /** Kinds of attachments in the order of a file's statements; also the order of the phases in which a plan makes them. */
  readonly attachmentKinds: readonly string[];
  /** Kinds that stand inside the CREATE statement in a file. */
  readonly inlineKinds: readonly string[];
  /** Kinds whose `make` puts the new value over an old one, so that nothing has to be removed first: owner, comment, default, option. */
  readonly overwritingKinds: readonly string[];
  /** Kinds beside the owner that a file may leave out, so that a side that lacks one does not differ. */
  readonly optionalKinds?: readonly string[];
  /** The group of an attachment among which the warehouse keeps the order in which they were last set, which then counts; undefined for others. */
  orderGroup?(attachment: Attachment): string | undefined;
  /** Kinds that only a new CREATE changes, so that a difference in one of them is a replace. */
  readonly replacingKinds?: readonly string[];
  /** Texts of `printedKinds` that the warehouse was found to hold for the same as another one, each with the one that stands for both. Filled by the operation that asks. */
  readonly equivalents?: Map<string, string>;
  /** What a script sets before it makes bystanders, so that one may name what comes after it; nothing where that needs no setting. */
  readonly bystanderSettings?: readonly string[];
  /** Kinds whose SQL may name other views, which can then not be dropped while it stands: rules, triggers, defaults. */
  readonly readingKinds: readonly string[];
  /** Rules for scripts that run in one transaction; absent where DDL is not transactional. */
  readonly script?: ScriptRules;
  /** Kinds whose text holds expressions as the server prints them: two texts may be one thing, and another type of a column below adds casts. */
  readonly printedKinds?: readonly string[];
  quoteRelation(name: RelationName): string;
  /** The CREATE statement with everything inline, without semicolon. `create` of a materialized view makes it unpopulated: the plan refreshes later. */
  createView(view: View, form: CreateForm): string;
  /** CREATE OR REPLACE of a view of the same name and columns that reads nothing, to break a cycle; undefined where cycles cannot be or columns are unknown. */
  createPlaceholder(view: View): string | undefined;
  dropView(view: View): string;
  /** Fills a materialized view, or empties it when its attachments say unpopulated. */
  refreshView(view: View): string;
  /** Whether a live view should hold data: true for a populated materialized view. */
  isPopulated(view: View): boolean;
  renameColumn(view: View, renamed: RenamedColumn): string;
  /** Statements that take away what default privileges gave to a relation that our role has just created. */
  revokeDefaults(view: View, container: Container): readonly string[];
  /** What the attachments of `view` become once its owner is `owner` and its columns are renamed, before any other step. */
  attachmentsAfter(view: View, change: { readonly owner?: string; readonly renamed?: readonly RenamedColumn[] }): readonly Attachment[];
  /** Owner's role name, or undefined where views have none. */
  ownerOf(view: View): string | undefined;
  /** Roles that the attachments name, `PUBLIC` left out. */
  rolesOf(view: View): readonly string[];
  /** The attachments of a view without those that name a role that is not `known`, and without what can then not be made any more. */
  keepRoles(view: View, known: ReadonlySet<string>): readonly Attachment[];
  /** Who may do what with a view, beside what every owner may, and how far whoever reads it sees. */
  listAccess(view: View, rowSecurity: RowSecurity): readonly Access[];
  /** The role in whose name `make` of an attachment runs, where that is not the owner's. */
  actorOf(attachment: Attachment): string | undefined;
  /** The statement with which somebody permits it to a role, without semicolon. */
  permit(permission: Permission, powers: Pick<Powers, 'membership'>): string;
  /** Whether `wanted` (its columns described) can be put over `live` in place. `because` completes "must be re-created: …". */
  canReplace(live: View, wanted: View): Replaceability;
  /** Whether the view can be made while a relation that it reads is absent or cannot be seen. Absent: none can. */
  mayReadAbsent?(view: View): boolean;
  /** Whether a relation may be there that `listed`, keys of all that were listed, does not hold: in another project, or one that is never listed. Absent where all are. */
  isUnlisted?(read: RelationName, listed: ReadonlySet<string>): boolean;
  /** Whether the name that a query reads stands for this relation, too, as that of a wildcard table does. Absent where each name means one. */
  covers?(read: RelationName, relation: RelationName): boolean;
  /** Kinds of attachments that have to be removed before a replace and made again after it. */
  clearsBeforeReplace(live: View, wanted: View): readonly Attachment[];
  /**
   * The view as it is to be made again when what it reads gets other columns; undefined where it names or protects its own columns. `names`: whether
   * its columns are called as those that its star stands for. Absent where
   * the columns of a view follow by themselves, or what it reads cannot change under it.
   */
  refreshColumns?(view: View, names: 'those that it reads' | 'its own'): View | undefined;
  /** What of a view is lost when our `role` replaces it and the CREATE does not restate: it is made again behind the replace. */
  lostByReplace?(live: View, role: string): readonly Attachment[];
  /**
   * Why the warehouse would not have a view as it is wanted, whatever it reads: a limit, a moment that has passed. Completes "shop.a cannot be had as wanted: …";
   * undefined where nothing is against it. Absent where no limit is known.
   */
  findFault?(wanted: View, standing: Standing): string | undefined;
  /** Whether a step is carried out in one call with the other such steps of its view, so that they are one step. Absent: no step is. */
  joins?(step: Step): boolean;
  /** Kinds of attachments that the step which makes or replaces a view sets to what is wanted; `inlineKinds` where it is left out. */
  restatedKinds?(view: View, making: 'create' | 'replace'): readonly string[];
  /** Whether `attachment` goes when `gone` of the same view is removed: a comment on a trigger with the trigger. */
  hangsOn(attachment: Attachment, gone: Attachment): boolean;
  /** Reads the first statement of a view file. */
  parseCreate(statement: Statement): ParsedCreate;
  /**
   * Reads any other statement of a view file; lists of grantees and privileges come back as one attachment each. Called twice for each: with
   * the CREATE's own attachments in `view`, then with those of the whole file; the second result counts.
   */
  parseAttachments(statement: Statement, view: ParsedCreate): readonly Attachment[];
}
