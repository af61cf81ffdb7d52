/** Trailers that viewsync writes and reads; permanent, since old commits carry them. */
export const trailerKeys = {
  live: 'Viewsync-Live',
  target: 'Viewsync-Target',
  run: 'Viewsync-Run',
  state: 'Viewsync-State',
  command: 'Viewsync-Command',
  revision: 'Viewsync-Revision',
  conflict: 'Viewsync-Conflict',
  changedBy: 'Viewsync-Changed-By',
} as const;
