import { ViewsyncError } from '../errors.ts';

/** Raises `PATH_UNSAFE` for a path that leads out of the repository or into `.git`; fast-import accepts those, and Windows and macOS read more names as `.git`. */
export function refuseUnsafe(path: string): void {
  const isUnsafePart = (part: string) => part === '' || part === '.' || part === '..' || /^(?:\.git|git~1)[. ]*(?::.*)?$/i.test(part);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (!/[\0-\x1f\\]|^[a-z]:/i.test(path) && !path.split('/').some(isUnsafePart)) return;
  const message = `"${path}" is no path that viewsync writes in a repository. Nothing changed.`;
  throw new ViewsyncError('PATH_UNSAFE', { message, details: { path } });
}
