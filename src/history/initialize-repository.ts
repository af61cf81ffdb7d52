import { ViewsyncError } from '../errors.ts';
import { askGit, type Place } from './git-process.ts';

export interface FoundRepository {
  /** The folder relative to the root of the work tree, with `/`; empty at the root. */
  readonly prefix: string;
  readonly isNew: boolean;
}

async function findPrefix(place: Place): Promise<string | undefined> {
  try {
    return (await askGit(place, ['rev-parse', '--show-prefix'])).replace(/\/$/, '');
  } catch (error) {
    if (error instanceof ViewsyncError && error.code === 'NOT_A_REPOSITORY') return undefined;
    throw error;
  }
}

/** The repository that the folder lies in; a new one in the folder itself when there is none. `GIT_MISSING`. */
export async function initializeRepository(place: Place): Promise<FoundRepository> {
  const prefix = await findPrefix(place);
  if (prefix !== undefined) return { prefix, isNew: false };
  await askGit(place, ['init', '--quiet']);
  return { prefix: '', isNew: true };
}
