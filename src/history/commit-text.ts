import type { Commit, Trailer } from './history.ts';

interface Message {
  readonly subject: string;
  readonly body: string;
  readonly trailers: Commit['trailers'];
}

const trailerLine = /^([A-Za-z0-9-]+)[ \t]*:[ \t]*(.*)$/;
const gitsOwnLine = /^(?:Signed-off-by: |\(cherry picked from commit )/;

/** A commit message in its parts, trailers found as git finds them (https://git-scm.com/docs/git-interpret-trailers). */
export function parseMessage(message: string): Message {
  const paragraphs = message
    .replaceAll('\r\n', '\n')
    .trim()
    .split(/\n(?:[ \t]*\n)+/);
  const subject = (paragraphs[0] ?? '')
    .split('\n')
    .map((line) => line.trim())
    .join(' ');
  const last = paragraphs.length > 1 ? unfold(paragraphs.at(-1) ?? '') : [];
  if (!isTrailerBlock(last)) return { subject, body: paragraphs.slice(1).join('\n\n'), trailers: [] };
  return { subject, body: paragraphs.slice(1, -1).join('\n\n'), trailers: last.flatMap(parseTrailer) };
}

/** A trailer's value, keys compared without case as git does; undefined when there is none. */
export function trailerOf(commit: Commit, key: string): string | undefined {
  return commit.trailers.find((trailer) => isKey(trailer.key, key))?.value;
}

/** Every line `Key: value` of a message, in order, whether it stands among the trailers or was carried into the middle by a squash. */
export function linesOf({ body, trailers }: Commit): readonly Trailer[] {
  return [...body.split('\n').flatMap((line) => parseTrailer(line.trim())), ...trailers];
}

/** Whether the line stands anywhere in the message. */
export function hasLine(commit: Commit, { key, value }: Trailer): boolean {
  return linesOf(commit).some((line) => isKey(line.key, key) && line.value === value);
}

export function isKey(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Git's time (seconds and offset such as `+0200`) as ISO 8601. */
export function formatTime(seconds: number, offset: string): string {
  const sign = offset.startsWith('-') ? -1 : 1;
  const minutes = sign * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3, 5)));
  const local = new Date((seconds + minutes * 60) * 1000).toISOString().slice(0, 19);
  return `${local}${offset.slice(0, 3)}:${offset.slice(3, 5)}`;
}

function unfold(paragraph: string): readonly string[] {
  return paragraph.replace(/\n[ \t]+/g, ' ').split('\n');
}

function isTrailerBlock(lines: readonly string[]): boolean {
  const trailers = lines.filter((line) => trailerLine.test(line) || gitsOwnLine.test(line)).length;
  if (trailers === 0) return false;
  return trailers === lines.length || (lines.some((line) => gitsOwnLine.test(line)) && trailers * 4 >= lines.length);
}

function parseTrailer(line: string): Commit['trailers'] {
  const match = trailerLine.exec(line);
  return match ? [{ key: match[1] ?? '', value: (match[2] ?? '').trim() }] : [];
}
