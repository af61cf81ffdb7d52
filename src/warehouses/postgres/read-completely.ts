import { setTimeout as sleep } from 'node:timers/promises';
import { type RelationName, relationKey } from '../../core/relation.ts';
import { ViewsyncError } from '../../errors.ts';
import type { Connection } from '../postgres-family/connection.ts';
import { isDenied } from './brief-wait.ts';
import { beginHolding } from './hold-still.ts';
import { type Former, leftByScript } from './known.ts';
import { type Comparison, findMoved, type Moved } from './moved.ts';
import { beginRound, type InspectOptions, listFailed, listRead, type Reading, readRound } from './read-round.ts';
import { beginReading } from './session.ts';

const rounds = 3;
const heldRounds = 6;

/** Milliseconds before the first round in which things are held still; doubled each time. */
const firstPause = 50;

/** How far reading has come. */
interface Attempt {
  readonly reading: Reading | undefined;
  readonly moved: Moved;
}

const nothingMoved: Moved = { views: new Set(), relations: [] };

/** What a reading leaves to the next one: nothing of what could not be read or has moved since. */
function toFormer(reading: Reading, moved: ReadonlySet<number>): Former {
  return { baseline: reading.baseline, texts: reading.texts, stale: new Set([...listFailed(reading), ...moved]) };
}

function readAgain(connection: Connection, options: InspectOptions, { reading, since }: { reading: Reading | undefined; since: Comparison | undefined }) {
  const known = leftByScript(options.memory);
  const moved: ReadonlySet<number> = since?.views ?? nothingMoved.views;
  const kept = since?.isStill ? known?.kept : undefined;
  const former = reading ? toFormer(reading, moved) : known && { ...known, kept, stale: new Set([...known.stale, ...moved]) };
  return readRound(connection, { ...options, former, failed: listFailed(reading), baseline: since?.now });
}

/**
 * Reads the whole database and proves that the texts belong to the snapshot: what moved is read again, first as it comes and then with what
 * moves held still for as long as one round takes. `LISTING_MOVED`.
 */
export async function readCompletely(connection: Connection, options: InspectOptions): Promise<Reading> {
  let attempt: Attempt = { reading: undefined, moved: nothingMoved };
  for (let round = 0; round <= rounds; round++) {
    await connection.run(beginRound(options));
    try {
      const baseline = (attempt.reading ?? leftByScript(options.memory))?.baseline;
      const since: Comparison | undefined = baseline && (await findMoved(connection, baseline));
      if (attempt.reading && since) attempt = { ...attempt, moved: merge(attempt.moved, since) };
      if (isProven(attempt)) return attempt.reading as Reading;
      attempt = { ...attempt, reading: await readAgain(connection, options, { reading: attempt.reading, since }) };
      // What was printed before has not moved until this snapshot.
      if (attempt.reading?.printed === 0 && listFailed(attempt.reading).size === 0) return attempt.reading;
    } finally {
      await connection.run('ROLLBACK');
    }
  }
  return readHeld(connection, options, attempt);
}

/** The views that have moved now, and all relations that ever did: one that is renamed to and fro has two names. */
function merge(before: Moved, { views, relations }: Moved): Moved {
  const all = new Map([...before.relations, ...relations].map((name) => [relationKey(name), name]));
  return { views, relations: [...all].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, name]) => name) };
}

function isProven({ reading, moved }: Attempt): boolean {
  if (reading === undefined) return false;
  return listRead(reading).every(({ oid, failure }) => !moved.views.has(oid) && (failure === undefined || reading.confirmed.has(oid)));
}

/** Rounds with what has moved so far held still, proven from another connection before it is let go. */
async function readHeld(connection: Connection, options: InspectOptions, start: Attempt): Promise<Reading> {
  const witness = await connection.connectAgain().catch(() => undefined);
  if (witness === undefined) throw movedTooOften(start, rounds);
  let attempt = start;
  try {
    for (let round = 0; round < heldRounds; round++) {
      await sleep(firstPause * 2 ** round * (0.5 + Math.random()));
      attempt = await readWithWitness({ connection, witness }, options, attempt);
      if (isProven(attempt)) return attempt.reading as Reading;
    }
  } finally {
    await witness.close();
  }
  throw movedTooOften(attempt, rounds + heldRounds);
}

interface Connections {
  readonly connection: Connection;
  readonly witness: Connection;
}

async function readWithWitness({ connection, witness }: Connections, options: InspectOptions, { reading: previous, moved }: Attempt): Promise<Attempt> {
  await beginHolding(connection, moved.relations);
  try {
    // Between the last look and this one anything may have moved, and not only what is held.
    const since = previous === undefined ? nothingMoved : await findMoved(connection, previous.baseline);
    const former = previous && toFormer(previous, since.views);
    const reading = await readRound(connection, { ...options, former, failed: listFailed(previous), baseline: undefined, texts: 'together' });
    return { reading, moved: merge(merge(moved, since), await askWitness(witness, reading)) };
  } catch (error) {
    // Something that was not held yet is locked by whoever waits for us.
    if (isDenied(error)) return { reading: previous, moved: merge(moved, await askWitness(witness, previous)) };
    throw error;
  } finally {
    await connection.run('ROLLBACK');
  }
}

async function askWitness(witness: Connection, reading: Reading | undefined): Promise<Moved> {
  if (reading === undefined) return nothingMoved;
  await witness.run(beginReading);
  try {
    return await findMoved(witness, reading.baseline);
  } finally {
    await witness.run('ROLLBACK');
  }
}

function movedTooOften({ reading, moved }: Attempt, times: number): ViewsyncError {
  const isOpen = ({ oid, failure }: Reading['views'][number]) => moved.views.has(oid) || failure !== undefined;
  const names: readonly RelationName[] = listRead(reading)
    .filter(isOpen)
    .map(({ view }) => view.name);
  const shown = names.slice(0, 5).map((name) => `"${relationKey(name)}"`);
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return new ViewsyncError('LISTING_MOVED', {
    message: `Views were changed by someone else each of the ${times} times that they were read: ${shown.join(', ')}${more}. Nothing was recorded, because what was read may never have existed together.`,
    suggestions: ['Run it again when no migration runs.'],
  });
}
