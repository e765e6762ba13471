import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';

/** The process that a task belongs to: itself, unless it is a thread whose leader is known. */
export function processOf(tree: TemporalTree, task: TaskIndex): TaskIndex {
  const leader = tree.isThread(task) ? tree.leaderOf(task) : task;
  return leader === NO_TASK ? task : leader;
}
