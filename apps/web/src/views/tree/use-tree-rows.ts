// From replica and view state to rows. Each step is done again only when what
// it depends on has changed: a key press costs no new order of the tree.

import { orderTree, type TaskIndex, type TemporalTree, type TreeOrder } from '@dendro/engine';
import type { TaskId } from '@dendro/protocol';
import { useDeferredValue, useMemo } from 'react';
import { useApp } from '../../app-context.ts';
import { matcher } from '../../layout/filter.ts';
import { type VisibleRows, visibleRows } from '../../layout/visible-rows.ts';
import { useView } from '../../state/view-store.ts';

export interface TreeRows {
  readonly tree: TemporalTree;
  readonly order: TreeOrder;
  readonly rows: VisibleRows;
  /** The filter that the rows were found by: for a moment it can be older than what is typed. */
  readonly filter: string;
  taskAt(row: number): TaskIndex;
  /** -1 when the task is not among the rows. */
  rowOf(task: TaskId): number;
}

export function useTreeRows(frame: number): TreeRows {
  const { replica, past, pace } = useApp();
  const { host, facts } = replica;
  const users = host?.users;
  const pausedAt = useView((state) => state.pausedAt);
  // What the page does not know all about is read from what the server has of it, as soon as that has come.
  const tree = (pausedAt !== undefined && past.isFor(pausedAt) ? past.treeAt(pausedAt) : undefined) ?? replica.tree;
  const showThreads = useView((state) => state.showThreads);
  const withThreads = useView((state) => state.withThreads);
  const showKernelThreads = useView((state) => state.showKernelThreads);
  const showExited = useView((state) => state.showExited);
  const tombstoneSeconds = useView((state) => state.tombstoneSeconds);
  // A key that is typed shows at once, however long finding takes.
  const filter = useDeferredValue(useView((state) => state.filter));
  const collapsed = useView((state) => state.collapsed);

  // Live, time passes with each frame. Paused, only late facts can change what was.
  const moment = pausedAt === undefined ? frame : facts;
  const [order, orderCost] = useMemo(() => {
    void moment;
    const from = performance.now();
    const order = orderTree(tree, {
      at: pausedAt ?? replica.now(),
      keepExitedNs: showExited ? Number.POSITIVE_INFINITY : tombstoneSeconds * 1e9,
      threads: (process) => showThreads || withThreads.has(tree.taskIdOf(process)),
      kernelThreads: showKernelThreads,
    });
    return [order, performance.now() - from] as const;
  }, [moment, tree, replica, pausedAt, showThreads, withThreads, showKernelThreads, showExited, tombstoneSeconds]);

  return useMemo(() => {
    const from = performance.now();
    const matches = matcher(filter, tree, order.at, users ?? {});
    const rows = visibleRows(
      order,
      (position) => collapsed.has(tree.taskIdOf(order.tasks[position] as TaskIndex)),
      matches && ((position) => matches(order.tasks[position] as TaskIndex)),
    );
    const now = performance.now();
    pace.drew(orderCost + now - from, now);
    return treeRowsOf(tree, order, rows, filter);
  }, [order, orderCost, filter, collapsed, tree, users, pace]);
}

export function treeRowsOf(tree: TemporalTree, order: TreeOrder, rows: VisibleRows, filter: string): TreeRows {
  const taskAt = (row: number) => order.tasks[rows.positions[row] as number] as TaskIndex;
  let rowByTask: Int32Array | undefined; // TaskIndex -> row + 1, 0 without one
  const rowOf = (id: TaskId): number => {
    const task = tree.indexOf(id);
    if (rowByTask === undefined) {
      rowByTask = new Int32Array(tree.slotCount);
      for (let row = 0; row < rows.length; row++) rowByTask[taskAt(row)] = row + 1;
    }
    return (rowByTask[task] ?? 0) - 1;
  };
  return { tree, order, rows, filter, taskAt, rowOf };
}
