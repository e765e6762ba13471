// Goes to a task, whatever hides it: what does not let it through is taken back.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { ancestry } from '../../layout/scope.ts';
import { treeView, useTree } from '../../state/tree-store.ts';
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
  const { tree, columns, found, kept } = treeRows;
  const { at } = columns.order;
  const id = tree.taskIdOf(task);
  const state = useView.getState();
  const position = treeRows.positionOf(id);
  if (position < 0 && state.scope !== undefined) view.setScope(undefined);
  if (isFiltered() && (position < 0 || !found?.has(position))) view.clearQuery();
  if (position < 0) showKindOf(tree, task);
  if (position < 0 || kept?.[position] === 0) showLeftOut(treeRows, position);
  view.expand(ancestry(tree, task, at).map((above) => tree.taskIdOf(above)));
  view.reveal(id);
}

/** Who ended long ago has a row while it is selected. */
function showKindOf(tree: TemporalTree, task: TaskIndex): void {
  const { showKernelThreads, showThreads, withThreads } = useView.getState();
  if (tree.isKernelThread(task) && !showKernelThreads) view.toggle('showKernelThreads');
  const process = tree.isThread(task) ? tree.leaderOf(task) : NO_TASK;
  if (process === NO_TASK || showThreads) return;
  if (!withThreads.has(tree.taskIdOf(process))) view.toggleThreadsOf(tree.taskIdOf(process));
}

function showLeftOut({ own }: TreeRows, position: number): void {
  const { chip, hidesOwn } = useTree.getState();
  if (chip !== 'all') treeView.setChip('all');
  if (hidesOwn && own.includes(position)) treeView.toggleOwn();
  if (useView.getState().comparison?.onlyChanged) view.showOnlyChanged(false);
}
