/** How long a transaction may still wait for locks, in milliseconds: whoever reads what it has locked waits as long. */
export interface LockBudget {
  /** What is left, at least 1. */
  left(): number;
  /** Runs something that does little else than wait for locks. */
  spend<T>(work: (left: number) => Promise<T>): Promise<T>;
}

// What the server and the network take without any waiting.
const free = 50;

export function createLockBudget(whole: number): LockBudget {
  let spent = 0;
  const left = () => Math.max(1, Math.floor(whole - spent));
  return {
    left,
    spend: async (work) => {
      const from = performance.now();
      const result = await work(left());
      spent += Math.max(0, performance.now() - from - free);
      return result;
    },
  };
}
