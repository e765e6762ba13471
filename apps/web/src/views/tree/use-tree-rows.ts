// From replica and view state to rows. Each step is done again only when what
// it depends on has changed: a key press costs no new order of the tree.

import { orderTree, type TaskIndex, type TemporalTree, type TreeOrder } from '@dendro/engine';
import type { TaskId, TimeBase } from '@dendro/protocol';
import { useDeferredValue, useMemo } from 'react';
import { useApp } from '../../app-context.ts';
import { Found } from '../../layout/found.ts';
import { positionOf, subtreeOrder } from '../../layout/scope.ts';
import { matchingRows, openRows, type VisibleRows } from '../../layout/visible-rows.ts';
import type { Asked } from '../../query/asked.ts';
import { Columns } from '../../query/columns.ts';
import { matchQuery } from '../../query/match-query.ts';
import { isFiltered, useView } from '../../state/view-store.ts';

export interface TreeRows {
  readonly tree: TemporalTree;
  /** Of the subtree that is shown, or of all. */
  readonly order: TreeOrder;
  readonly rows: VisibleRows;
  /** The query that the rows were found by: for a moment it can be older than what is typed. */
  readonly asked: Asked | undefined;
  /** What was found, by position; undefined when nothing is asked. */
  readonly found: Found | undefined;
  /** Are rows left out that were not found? */
  readonly isFiltered: boolean;
  /** Is the task that the view is limited to without a row at this instant? */
  readonly isScopeLost: boolean;
  /** What queries read, of the whole tree. */
  readonly columns: Columns;
  taskAt(row: number): TaskIndex;
  /** -1 when the task is not among the rows. */
  rowOf(task: TaskId): number;
  /** In the order, folded or not; -1 when the task is not in it. */
  positionOf(task: TaskId): number;
}

export function useTreeRows(frame: number): TreeRows {
  const { replica, past, pace } = useApp();
  const { host, facts } = replica;
  const pausedAt = useView((state) => state.pausedAt);
  // What the page does not know all about is read from what the server has of it, as soon as that has come.
  const tree = (pausedAt !== undefined && past.isFor(pausedAt) ? past.treeAt(pausedAt) : undefined) ?? replica.tree;
  const showThreads = useView((state) => state.showThreads);
  const withThreads = useView((state) => state.withThreads);
  const showKernelThreads = useView((state) => state.showKernelThreads);
  const showExited = useView((state) => state.showExited);
  const tombstoneSeconds = useView((state) => state.tombstoneSeconds);
  // A key that is typed shows at once, however long finding takes.
  const asked = useDeferredValue(useView((state) => state.asked));
  const onlyFound = useView((state) => state.onlyFound);
  const scope = useView((state) => state.scope);
  const collapsed = useView((state) => state.collapsed);

  const isEveryEnd = showExited || (asked?.needsExited ?? false);
  const isEveryThread = showThreads || (asked?.needsThreads ?? false);
  // Live, time passes with each frame. Paused, only late facts can change what was.
  const moment = pausedAt === undefined ? frame : facts;
  const [order, orderCost] = useMemo(() => {
    void moment;
    const from = performance.now();
    const order = orderTree(tree, {
      at: pausedAt ?? replica.now(),
      keepExitedNs: isEveryEnd ? Number.POSITIVE_INFINITY : tombstoneSeconds * 1e9,
      threads: (process) => isEveryThread || withThreads.has(tree.taskIdOf(process)),
      kernelThreads: showKernelThreads,
    });
    return [order, performance.now() - from] as const;
  }, [moment, tree, replica, pausedAt, isEveryThread, withThreads, showKernelThreads, isEveryEnd, tombstoneSeconds]);

  const columns = useMemo(() => {
    void facts; // what columns hold is void after the next fact
    return new Columns(tree, order);
  }, [tree, order, facts]);

  return useMemo(() => {
    const from = performance.now();
    const base: TimeBase = { epochNs: BigInt(host?.baseEpochNs ?? '0') };
    const found = asked && matchQuery(asked.query, { columns, base, users: host?.users ?? {} });
    const rows = treeRowsOf({ columns, collapsed, asked, found, onlyFound, scope });
    const now = performance.now();
    pace.drew(orderCost + now - from, now);
    return rows;
  }, [columns, orderCost, asked, onlyFound, scope, collapsed, host, pace]);
}

export interface RowsWanted {
  readonly columns: Columns;
  readonly collapsed: ReadonlySet<TaskId>;
  readonly asked: Asked | undefined;
  /** By position in the whole order. */
  readonly found: Uint8Array | undefined;
  readonly onlyFound: boolean;
  readonly scope: TaskId | undefined;
}

export function treeRowsOf(wanted: RowsWanted): TreeRows {
  const { columns, collapsed, asked, scope } = wanted;
  const { tree } = columns;
  const top = scope === undefined ? -1 : positionOf(columns.order, tree.indexOf(scope));
  const isScopeLost = scope !== undefined && top < 0;
  const part = partOf(columns.order, top, isScopeLost);
  const { order, from } = part;
  const found = wanted.found && new Found(wanted.found.subarray(from, from + order.length));
  const filters = found !== undefined && isFiltered(wanted);
  const rows = filters
    ? matchingRows(order, found)
    : openRows(order, (position) => collapsed.has(tree.taskIdOf(order.tasks[position] as TaskIndex)));
  const taskAt = (row: number) => order.tasks[rows.positions[row] as number] as TaskIndex;
  const rowOf = indexByTask(tree, rows.length, taskAt);
  const position = indexByTask(tree, order.length, (at) => order.tasks[at] as TaskIndex);
  return {
    ...{ tree, order, rows, asked, found, isScopeLost, columns, taskAt, rowOf },
    isFiltered: filters,
    positionOf: position,
  };
}

function partOf(order: TreeOrder, top: number, isLost: boolean): { readonly order: TreeOrder; readonly from: number } {
  if (isLost) return { order: { ...order, length: 0 }, from: 0 };
  return top < 0 ? { order, from: 0 } : subtreeOrder(order, top);
}

/** @returns where a task is in a list, -1 when it is not; counted through when it is first asked */
function indexByTask(tree: TemporalTree, length: number, taskAt: (at: number) => TaskIndex): (task: TaskId) => number {
  let places: Int32Array | undefined; // TaskIndex -> place + 1, 0 without one
  return (id) => {
    if (places === undefined) {
      places = new Int32Array(tree.slotCount);
      for (let at = 0; at < length; at++) places[taskAt(at)] = at + 1;
    }
    return (places[tree.indexOf(id)] ?? 0) - 1;
  };
}
