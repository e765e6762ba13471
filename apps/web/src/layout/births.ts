// Who was born to whom: the parent that each process had at its own start, the
// rule by which a lineage goes up [LI1], read downwards. It does not depend on
// the instant that is shown, and a process that was given to init later stays
// with whoever started it.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';

export interface Births {
  /** TaskIndex -> TaskIndex | NO_TASK */
  readonly firstChild: Int32Array;
  /** TaskIndex -> the next one born to the same parent; they are in no order */
  readonly nextSibling: Int32Array;
}

/** Evicted processes that others descend from are among them: they lead from one to another. */
export function birthsOf(tree: TemporalTree): Births {
  const slots = tree.slotCount;
  const firstChild = new Int32Array(slots).fill(NO_TASK);
  const nextSibling = new Int32Array(slots).fill(NO_TASK);
  // hot: runs over all tasks whenever the tree has changed while a lineage is shown
  for (let slot = 0; slot < slots; slot++) {
    const task = slot as TaskIndex;
    if ((!tree.isPresent(task) && !tree.isStub(task)) || tree.isThread(task)) continue;
    const parent = tree.parentAt(task, tree.startOf(task));
    if (parent === NO_TASK) continue;
    nextSibling[task] = firstChild[parent] as number;
    firstChild[parent] = task;
  }
  return { firstChild, nextSibling };
}
