// Goes to a task, whatever hides it: what does not let it through is taken back.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { ancestry } from '../../layout/scope.ts';
import { isFiltered, useView, view } from '../../state/view-store.ts';
import type { TreeRows } from '../tree/tree-rows.ts';

/** The task with this tid at an instant: one that lives, else the one that ended last; NO_TASK when none had begun. */
export function taskOfTid(tree: TemporalTree, tid: number, at: EventNs): TaskIndex {
  let best: TaskIndex = NO_TASK;
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (tree.tidOf(task) !== tid || !tree.isPresent(task) || tree.startOf(task) > at) continue;
    if (best === NO_TASK || tree.exitOf(task) > tree.exitOf(best)) best = task;
  }
  return best;
}

export function revealTask(treeRows: TreeRows, task: TaskIndex): void {
  const { tree, columns, found } = treeRows;
  const { at } = columns.order;
  const id = tree.taskIdOf(task);
  const state = useView.getState();
  const position = treeRows.positionOf(id);
  if (position < 0 && state.scope !== undefined) view.setScope(undefined);
  if (isFiltered() && (position < 0 || !found?.has(position))) view.clearQuery();
  const process = tree.isThread(task) ? tree.leaderOf(task) : task;
  if (position < 0) showKindOf(tree, task, process, at);
  view.expand(ancestry(tree, task, at).map((above) => tree.taskIdOf(above)));
  view.reveal(id);
}

function showKindOf(tree: TemporalTree, task: TaskIndex, process: TaskIndex, at: EventNs): void {
  const { showKernelThreads, showExited, showThreads, withThreads } = useView.getState();
  if (tree.isKernelThread(task) && !showKernelThreads) view.toggle('showKernelThreads');
  if (tree.exitOf(task) <= at && !showExited) view.toggle('showExited');
  if (process === task || process === NO_TASK) return;
  if (!showThreads && !withThreads.has(tree.taskIdOf(process))) view.toggleThreadsOf(tree.taskIdOf(process));
}
