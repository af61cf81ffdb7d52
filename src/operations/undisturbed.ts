import type { Project } from '../project.ts';
import type { Warehouse } from '../warehouses/warehouse.ts';

/** Does what changes the warehouse and is recorded then: no other run comes in between, and an interruption waits for its end. `RUN_IN_PROGRESS`, `INTERRUPTED`. */
export function undisturbed<T>({ interruption }: Project, warehouse: Warehouse, work: () => Promise<T>): Promise<T> {
  return interruption.complete(() => (warehouse.runAlone ? warehouse.runAlone(work) : work()), 'last');
}
