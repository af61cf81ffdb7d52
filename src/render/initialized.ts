import type { InitializedProject } from '../operations/initialize-project.ts';
import type { Colors } from './colors.ts';
import { count } from './count.ts';

const mostContainers = 20;

function renderContainers(containers: InitializedProject['containers']): readonly string[] {
  const width = Math.max(0, ...containers.map(({ container }) => container.length));
  const lines = containers.map(({ container, views, inScope }) => {
    const left = inScope === views ? '' : inScope === 0 ? ', not in scope' : `, ${inScope} in scope`;
    return `  ${container.padEnd(width)}  ${count(views, 'view')}${left}`;
  });
  const rest = lines.length - mostContainers;
  return rest > 0 ? [...lines.slice(0, mostContainers), `  and ${rest} more`] : lines;
}

export function renderInitialized({ files, repository, target, containers }: InitializedProject, colors: Colors): string {
  const lines = [
    ...(repository === 'created' ? ['Made a git repository.'] : []),
    `Connected to "${target}".`,
    ...renderContainers(containers),
    ...files.map(({ path, outcome }) => `${outcome === 'kept' ? colors.quiet('kept    ') : colors.added(outcome.padEnd(8))} ${path}`),
    '',
    `Next: ${colors.heading(`git add ${files.map(({ path }) => path).join(' ')} && git commit -m 'Back up the views with viewsync'`)}`,
    `then: ${colors.heading('viewsync export')}`,
  ];
  return lines.join('\n');
}
