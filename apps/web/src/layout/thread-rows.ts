// The threads of a process as a table: its leader, those that live by their
// start, then those that have ended, the last one first.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';

/** @param process or one of its threads @returns those that had started by then */
export function threadRows(tree: TemporalTree, process: TaskIndex, at: EventNs): TaskIndex[] {
  const leader = tree.isThread(process) ? tree.leaderOf(process) : process;
  if (leader === NO_TASK) return [process];
  const threads = tree.threadsOf(leader).filter((thread) => tree.isPresent(thread) && tree.startOf(thread) <= at);
  const hasEnded = (task: TaskIndex): boolean => tree.exitOf(task) <= at;
  const living = threads.filter((thread) => !hasEnded(thread)).sort((a, b) => tree.startOf(a) - tree.startOf(b));
  const ended = threads.filter(hasEnded).sort((a, b) => tree.exitOf(b) - tree.exitOf(a));
  return [leader, ...living, ...ended];
}
