import { describe, expect, test } from 'vitest';
import { isSameView } from '../../src/core/compare.ts';
import { describeUnseen, keepUnseen } from '../../src/core/unseen.ts';
import type { Attachment, View } from '../../src/core/view.ts';
import { redshiftDialect } from '../../src/warehouses/redshift/dialect.ts';

const attachment = (kind: string, key: string, value = ''): Attachment => ({ kind, key, value, make: `${kind} ${key} ${value}`, unmake: 'no' });
const view = (attachments: readonly Attachment[], more: Partial<View> = {}): View => ({
  name: { schema: 'shop', name: 'a' },
  kind: 'view',
  definition: 'SELECT 1 AS one',
  columns: [],
  reads: [],
  attachments,
  unrestorable: [],
  ...more,
});
const [own, reader, writer] = [attachment('grant', 'ada SELECT'), attachment('grant', 'ROLE reader SELECT'), attachment('grant', 'ROLE writer SELECT')];
const [policy, refresh] = [attachment('row policy', 'ada own_rows'), attachment('auto refresh', '', 'YES')];
const unseen = [{ kind: 'grant', keys: '^ROLE ' }, { kind: 'row policy' }, { kind: 'auto refresh', isGuess: true as const }];

describe('what our role may not see', () => {
  test('is as it was last recorded, beside what it was shown all the same; what was guessed is not believed over it', () => {
    const live = view([refresh, own, writer], { unseen });
    const known = view([policy, attachment('grant', 'bob SELECT'), reader]);
    expect(keepUnseen(live, known, redshiftDialect)).toEqual(view([policy, reader, writer, own]));
    expect(keepUnseen(live, undefined, redshiftDialect)).toEqual(view([refresh, own, writer]));
  });

  test('is no difference while nobody has completed it', () => {
    expect(isSameView(view([own, reader, policy]), view([own], { unseen }), redshiftDialect)).toBe(true);
    expect(isSameView(view([own, reader, policy]), view([], { unseen }), redshiftDialect)).toBe(false);
  });

  test('is told once for all views of which the same is not seen, and where nobody asked for it only when something was kept', () => {
    const blind = view([], { unseen: [{ kind: 'grant' }, { kind: 'row policy' }] });
    const other = { ...blind, name: { schema: 'shop', name: 'b' } };
    const quiet = view([], { unseen: [{ kind: 'grant', isQuiet: true }], name: { schema: 'shop', name: 'c' } });
    expect(
      describeUnseen([
        [blind, blind],
        [other, other],
        [quiet, quiet],
      ]),
    ).toEqual([expect.stringMatching(/^We may not see every grant and row policy of shop\.a, shop\.b\. /)]);
    expect(describeUnseen([[quiet, keepUnseen(quiet, view([reader]), redshiftDialect)]])).toEqual([expect.stringMatching(/every grant of shop\.c\. /)]);
  });
});
