import { ViewsyncError } from '../errors.ts';

export function unknownRevision(revision: string): ViewsyncError {
  const message = `"${revision}" names no commit of this repository. Nothing changed.`;
  return new ViewsyncError('REVISION_UNKNOWN', { message, suggestions: ['git log --oneline', 'git fetch'], details: { revision } });
}

export function ambiguousRevision(revision: string): ViewsyncError {
  const message = `"${revision}" could mean more than one commit. Nothing changed.`;
  const suggestions = [`refs/heads/${revision}`, `refs/tags/${revision}`, 'Write more digits of the id.'];
  return new ViewsyncError('REVISION_AMBIGUOUS', { message, suggestions, details: { revision } });
}
