import type { InitializedProject } from '../operations/initialize-project.ts';
import type { Colors } from './colors.ts';

export function renderInitialized({ files, repository, target }: InitializedProject, colors: Colors): string {
  const lines = [
    ...(repository === 'created' ? ['Made a git repository.'] : []),
    `Connected to "${target}".`,
    ...files.map(({ path, outcome }) => `${outcome === 'kept' ? colors.quiet('kept    ') : colors.added(outcome.padEnd(8))} ${path}`),
    '',
    `Next: ${colors.heading(`git add ${files.map(({ path }) => path).join(' ')} && git commit -m 'Back up the views with viewsync'`)}`,
    `then: ${colors.heading('viewsync export')}`,
  ];
  return lines.join('\n');
}
