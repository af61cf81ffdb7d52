export type { Change } from './core/change.ts';
