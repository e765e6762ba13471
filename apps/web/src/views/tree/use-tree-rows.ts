// From replica and view state to rows, once per frame.

import { orderTree, type TaskIndex, type TemporalTree, type TreeOrder } from '@dendro/engine';
import type { EventNs, TaskId } from '@dendro/protocol';
import { useMemo } from 'react';
import { type VisibleRows, visibleRows } from '../../layout/visible-rows.ts';
import type { Replica } from '../../replica/replica.ts';
import { useView, type ViewState } from '../../state/view-store.ts';

export interface TreeRows {
  readonly tree: TemporalTree;
  readonly order: TreeOrder;
  readonly rows: VisibleRows;
  taskAt(row: number): TaskIndex;
  /** -1 when the task is not among the rows. */
  rowOf(task: TaskId): number;
}

export function useTreeRows(replica: Replica, frame: number): TreeRows {
  const state = useView();
  const users = replica.host?.users;
  const { tree } = replica;
  return useMemo(() => {
    void frame; // whatever changed in the replica, and the passing of time, come as a new frame
    return buildRows(tree, state.pausedAt ?? replica.now(), state, users ?? {});
  }, [frame, state, replica, tree, users]);
}

function buildRows(
  tree: TemporalTree,
  at: EventNs,
  state: ViewState,
  users: Readonly<Record<string, string>>,
): TreeRows {
  const order = orderTree(tree, {
    at,
    keepExitedNs: state.showExited ? Number.POSITIVE_INFINITY : state.tombstoneSeconds * 1e9,
    threads: (process) => state.showThreads || state.withThreads.has(tree.taskIdOf(process)),
    kernelThreads: state.showKernelThreads,
  });
  const filter = state.filter.trim().toLowerCase();
  const rows = visibleRows(
    order,
    (position) => state.collapsed.has(tree.taskIdOf(order.tasks[position] as TaskIndex)),
    filter === '' ? undefined : (position) => isMatch(tree, order.tasks[position] as TaskIndex, at, filter, users),
  );
  const taskAt = (row: number) => order.tasks[rows.positions[row] as number] as TaskIndex;
  let rowById: Map<TaskId, number> | undefined;
  return {
    tree,
    order,
    rows,
    taskAt,
    rowOf: (task) => {
      if (rowById === undefined) {
        rowById = new Map();
        for (let row = 0; row < rows.length; row++) rowById.set(tree.taskIdOf(taskAt(row)), row);
      }
      return rowById.get(task) ?? -1;
    },
  };
}

/** Name, command line, path, pid or tid, or user. */
function isMatch(
  tree: TemporalTree,
  task: TaskIndex,
  at: EventNs,
  filter: string,
  users: Readonly<Record<string, string>>,
): boolean {
  if (String(tree.tidOf(task)) === filter) return true;
  const contains = (text: string | undefined) => text?.toLowerCase().includes(filter) ?? false;
  if (contains(tree.textAt(task, 'comm', at))) return true;
  if (tree.isThread(task)) return false;
  if (contains(tree.wireTextAt(task, 'argv', at)?.replaceAll('\0', ' '))) return true;
  if (contains(tree.executablePathAt(task, at))) return true;
  const uid = tree.numberAt(task, 'uid', at);
  return uid !== undefined && users[uid]?.toLowerCase() === filter;
}
