// The processes of Dendro itself: whoever looks for what a machine does may not
// care that it is being watched.

import type { TaskIndex, TemporalTree, TreeOrder } from '@dendro/engine';
import type { TaskColumns } from './task-columns.ts';
import { numbersOf } from './task-numbers.ts';

/**
 * Positions of the processes with these pids. They live, so that a former life of one of the pids is not meant.
 * @param pids as the server names its own
 */
export function ownPositions(columns: TaskColumns, order: TreeOrder, pids: readonly number[]): readonly number[] {
  if (pids.length === 0) return [];
  const { tree } = columns;
  const tids = numbersOf(columns, 'tid');
  const positions: number[] = [];
  for (let p = 0; p < order.length; p++) {
    const task = order.tasks[p] as TaskIndex;
    if (!pids.includes(tids[task] as number) || tree.isThread(task)) continue;
    if (tree.exitOf(task) === Number.POSITIVE_INFINITY) positions.push(p);
  }
  return positions;
}

/** Takes them out of what is kept, with their threads. Whoever leads to something that is kept stays. */
export function withoutOwn(
  tree: TemporalTree,
  order: TreeOrder,
  own: readonly number[],
  kept: Uint8Array | undefined,
): Uint8Array | undefined {
  if (own.length === 0) return kept;
  const rest = kept ?? new Uint8Array(order.length).fill(1);
  for (const position of own) {
    rest[position] = 0;
    for (let next = position + 1; next < order.length && tree.isThread(order.tasks[next] as TaskIndex); next++) {
      rest[next] = 0;
    }
  }
  return rest;
}
