import type { Dialect } from './dialect.ts';
import { endStatement } from './reserved-line.ts';
import { differInSpacingAlone } from './spacing.ts';
import type { View } from './view.ts';
import { type ParsedViewFile, writeViewFile } from './view-file.ts';
import { headerOf, writeHeader } from './view-header.ts';

// No text of SQL or of ours holds it.
const gap = '\u0000';

/** A file does not say which bystanders a view needs, nor what could not be seen. */
function asFiled({ needs: _needs, unseen: _unseen, ...view }: View): View {
  return view;
}

/**
 * What a file says when it is the file of a known view, written as export writes it but for white space in the definition: as `readViewFile`
 * would read it, in a small part of the time. Undefined for any other file, which says nothing about whether it is the view's.
 */
export function recognizeViewFile(text: string, known: View, dialect: Dialect): ParsedViewFile | undefined {
  const [before, after, ...more] = writeViewFile({ ...known, definition: gap }, dialect).split(gap);
  if (before === undefined || after === undefined || more.length > 0 || !text.startsWith(before) || !text.endsWith(after)) return undefined;
  const definition = text.slice(before.length, text.length - after.length);
  if (!differInSpacingAlone(definition, known.definition, dialect.lexicalRules)) return undefined;
  const headerText = writeHeader(known);
  const isInline = (kind: string) => dialect.inlineKinds.includes(kind);
  const others = known.attachments.filter(({ kind }) => !isInline(kind));
  return {
    view: { ...asFiled(known), definition, unrestorable: [] },
    text,
    header: headerOf(known),
    headerText,
    create: {
      comments: '',
      text: text.slice(headerText.length, text.length - after.length + after.indexOf('\n;') + 2).trim(),
      attachments: known.attachments.filter(({ kind }) => isInline(kind)),
    },
    parts: [...Map.groupBy(others, ({ make }) => endStatement(make))].map(([part, attachments]) => ({ comments: '', text: part, attachments })),
    ending: '',
  };
}
