// A subtree as a tree of its own.

import { NO_TASK, type TaskIndex, type TemporalTree, type TreeOrder } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';

export interface PartOfOrder {
  readonly order: TreeOrder;
  /** Position in the whole order of the first row. */
  readonly from: number;
}

/** The subtree at a position. What the order says of hidden rows is of the whole tree. */
export function subtreeOrder(order: TreeOrder, from: number): PartOfOrder {
  const end = order.subtreeEnds[from] as number;
  const depth = order.depths[from] as number;
  return {
    from,
    order: {
      ...order,
      length: end - from,
      tasks: order.tasks.subarray(from, end),
      depths: order.depths.slice(from, end).map((one) => one - depth),
      subtreeEnds: order.subtreeEnds.slice(from, end).map((one) => one - from),
      threadCounts: order.threadCounts.subarray(from, end),
    },
  };
}

/** -1 when the task has no row. */
export function positionOf(order: TreeOrder, task: TaskIndex): number {
  return order.tasks.indexOf(task);
}

/** The task and all above it, eldest first; a thread has its process above it. */
export function ancestry(tree: TemporalTree, task: TaskIndex, at: EventNs): TaskIndex[] {
  const chain = new Set<TaskIndex>([task]);
  let process = tree.isThread(task) ? tree.leaderOf(task) : task;
  while (process !== NO_TASK) {
    chain.add(process);
    const parent = tree.parentAt(process, Math.min(at, tree.exitOf(process)) as EventNs);
    if (chain.has(parent)) break; // a hostile feed can close a ring
    process = parent;
  }
  return [...chain].reverse();
}

/** The subtree that alone is shown, and where in the whole order it begins. */
export function partOf(order: TreeOrder, scope: TaskIndex | undefined) {
  if (scope === undefined) return { order, from: 0, isScopeLost: false };
  const top = positionOf(order, scope);
  if (top < 0) return { order: { ...order, length: 0 }, from: 0, isScopeLost: true };
  return { ...subtreeOrder(order, top), isScopeLost: false };
}
