import { ViewsyncError } from '../../src/errors.ts';
import { openHistory } from '../../src/history/open-history.ts';

/** Run as a process of its own: records `<name>-<number>.sql` on a ref, file by file, starting again from the tip whenever it has moved. */
const [directory = '', ref = '', name = '', count = '1', size = '1', text = ''] = process.argv.slice(2);

const history = await openHistory(directory, process.env);
for (let number = 0; number < Number(count); number += 1) await insist(filesOf(number));

function filesOf(number: number): ReadonlyMap<string, string> {
  return new Map(Array.from({ length: Number(size) }, (_, index) => [`views/${name}-${number}-${index}.sql`, `${name} ${number} ${index} ${text}\n`]));
}

async function insist(changes: ReadonlyMap<string, string>): Promise<void> {
  for (;;) {
    try {
      console.log(await history.record({ ref, parent: await history.tip(ref), changes, message: `${name} ${[...changes.keys()][0]}` }));
      return;
    } catch (error) {
      if (!(error instanceof ViewsyncError) || !['BRANCH_MOVED', 'GIT_BUSY'].includes(error.code)) throw error;
    }
  }
}
