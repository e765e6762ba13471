// Recordings in packages/testkit/recordings, as events, and the lives of the
// tree that is made of them.

import { join } from 'node:path';
import { ProcessTree, type TaskIndex } from '@dendro/engine';
import type { EventNs, SourceStatus, TaskEvent } from '@dendro/protocol';
import { ReplaySource } from '@dendro/sources';

export const RECORDINGS = join(import.meta.dirname, '../recordings');
/** So many that nothing is evicted and no changelog is trimmed. */
const ROOMY = { maxProcesses: 200_000, maxThreads: 200_000, entriesPerField: 10_000 };

/** Decodes a recording of trace pages. Event time 0 is its first record, which says what time of day that is. */
export async function replay(folder: string): Promise<{ events: TaskEvent[]; status: SourceStatus; epochNs: bigint }> {
  const events: TaskEvent[] = [];
  const source = new ReplaySource(join(RECORDINGS, folder));
  await source.start((event) => events.push(event));
  while (source.status().state === 'running') await new Promise((resolve) => setImmediate(resolve));
  const [clock] = events;
  if (clock?.type !== 'clock') throw new Error('the recording does not begin with a clock');
  return { events, status: source.status(), epochNs: clock.epochNs };
}

export function hostOf(events: readonly TaskEvent[]): ProcessTree {
  const host = new ProcessTree(ROOMY);
  for (const event of events) host.apply(event);
  return host;
}

/** All lives of all tids, oldest first. */
export function livesByTid({ tree }: ProcessTree): Map<number, TaskIndex[]> {
  const tasks = Array.from({ length: tree.slotCount }, (_, slot) => slot as TaskIndex)
    .filter((task) => tree.isPresent(task))
    .sort((a, b) => tree.startOf(a) - tree.startOf(b));
  return Map.groupBy(tasks, (task) => tree.tidOf(task) as number);
}

/** The instant before: event times are whole nanoseconds, and next to a change it is the last that the old holds. */
export function justBefore(at: EventNs): EventNs {
  return (at - 1) as EventNs;
}
