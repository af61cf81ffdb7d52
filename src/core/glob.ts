import picomatch from 'picomatch';

// With `s`, a star also stands for line breaks.
const options = { bash: true, dot: true, nonegate: true, windows: false, flags: 's' } as const;

/** A letter in front and a character of nobody's for slashes: no name, not even `..` or `a/./b`, looks like a folder then. */
function flatten(text: string): string {
  return `_${text.replaceAll('/', '\uE000')}`;
}

/** Tells of a name whether one of the globs matches the whole of it. A name is no path: nothing in it has a meaning of its own. */
export function matchGlobs(globs: readonly string[]): (name: string) => boolean {
  const matches = picomatch(globs.map(flatten), options);
  return (name) => matches(flatten(name));
}
