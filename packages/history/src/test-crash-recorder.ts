// A process for the crash test: records a made-up host into a history until it is killed, and says on
// standard output, with each flush, up to which batch everything is on the disk.

import { ProcessTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { SqliteHistory } from './sqlite/store.ts';
import { EPOCH_NS, STEP_NS, STEPS_PER_FLUSH, stepEvents } from './test-crash-story.ts';

const [directory = '', firstStep = '0'] = process.argv.slice(2);
const history = new SqliteHistory(directory, { graceNs: 50 * STEP_NS, blockLives: 64, keyframeFacts: 3000 });
let step = Number(firstStep);
const { snapshot, newestTaskId, newest } = history.begin({
  bootId: 'crash',
  base: { epochNs: EPOCH_NS },
  bootNs: 0n,
  at: (step * STEP_NS) as EventNs,
});
const tree = new ProcessTree({ firstTaskId: newestTaskId + 1, maxProcesses: 4000 });
tree.apply({ type: 'clock', epochNs: EPOCH_NS });
for (const batch of snapshot) tree.apply({ type: 'facts', at: newest ?? (0 as EventNs), batch, isSnapshot: true });
tree.commit();

function run(): void {
  for (let i = 0; i < STEPS_PER_FLUSH; i++, step++) {
    for (const event of stepEvents(step)) tree.apply(event);
    const batch = tree.commit();
    if (batch !== undefined) history.append(batch.bytes, tree.newest);
  }
  history.flush();
  process.stdout.write(`${step}\n`, () => setImmediate(run));
}
run();
