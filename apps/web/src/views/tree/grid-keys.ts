// Keys of a treegrid, as the ARIA Authoring Practices describe them for rows.
// Beyond them, Left goes on to the parent, `*` opens a whole subtree, `t` shows
// threads, `s` shows the subtree alone, and `n` goes on to the next match.

import { NO_TASK, type TaskIndex } from '@dendro/engine';
import type { TaskId } from '@dendro/protocol';
import type { KeyboardEvent } from 'react';
import { useView, view } from '../../state/view-store.ts';
import { stepMatch } from './step-match.ts';
import type { TreeRows } from './use-tree-rows.ts';

/** @param row of the selected task, -1 when none is in view */
export function gridKeys(
  event: Pick<KeyboardEvent, 'key' | 'preventDefault' | 'ctrlKey' | 'metaKey' | 'altKey'>,
  treeRows: TreeRows,
  row: number,
  page: number,
  moveTo: (row: number) => void,
): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const last = treeRows.rows.length - 1;
  switch (event.key) {
    case 'ArrowDown':
      moveTo(row + 1);
      break;
    case 'ArrowUp':
      moveTo(row < 0 ? 0 : row - 1);
      break;
    case 'PageDown':
      moveTo(Math.max(0, row) + page);
      break;
    case 'PageUp':
      moveTo(row - page);
      break;
    case 'Home':
      moveTo(0);
      break;
    case 'End':
      moveTo(last);
      break;
    case 'ArrowRight':
      if (row >= 0) openOrDescend(treeRows, row, moveTo);
      break;
    case 'ArrowLeft':
      if (row >= 0) closeOrAscend(treeRows, row, moveTo);
      break;
    case '*':
      if (row >= 0) view.expand(subtreeOf(treeRows, row));
      break;
    case 't':
      if (row >= 0) toggleThreads(treeRows, row);
      break;
    case 's':
      if (row >= 0) view.setScope(treeRows.tree.taskIdOf(treeRows.taskAt(row)));
      break;
    case 'n':
      stepMatch(treeRows, 1);
      break;
    case 'N':
      stepMatch(treeRows, -1);
      break;
    case 'Enter':
      if (row >= 0) view.openDetails(treeRows.tree.taskIdOf(treeRows.taskAt(row)));
      break;
    default:
      return;
  }
  event.preventDefault();
}

function openOrDescend(
  { tree, order, rows, taskAt, isFiltered }: TreeRows,
  row: number,
  moveTo: (row: number) => void,
): void {
  const position = rows.positions[row] as number;
  const hasChildren = (order.subtreeEnds[position] as number) > position + 1;
  if (!hasChildren) return;
  const task = tree.taskIdOf(taskAt(row));
  if (!isFiltered && useView.getState().collapsed.has(task)) view.expand([task]);
  else moveTo(row + 1);
}

function closeOrAscend(
  { tree, order, rows, taskAt, isFiltered }: TreeRows,
  row: number,
  moveTo: (row: number) => void,
): void {
  const position = rows.positions[row] as number;
  const task = tree.taskIdOf(taskAt(row));
  const hasChildren = (order.subtreeEnds[position] as number) > position + 1;
  const { collapsed } = useView.getState();
  const parent = rows.parents[row] as number;
  if (hasChildren && !isFiltered && !collapsed.has(task)) view.collapse([task]);
  else if (parent >= 0) moveTo(parent);
}

/** Of the process; in a row of a thread, of the process it belongs to. */
function toggleThreads({ tree, taskAt }: TreeRows, row: number): void {
  const task = taskAt(row);
  const process = tree.isThread(task) ? tree.leaderOf(task) : task;
  if (process === NO_TASK) return;
  view.select(tree.taskIdOf(process));
  view.toggleThreadsOf(tree.taskIdOf(process));
}

/** The task of a row and all below it. */
function subtreeOf({ tree, order, rows }: TreeRows, row: number): TaskId[] {
  const position = rows.positions[row] as number;
  const end = order.subtreeEnds[position] as number;
  return Array.from(order.tasks.subarray(position, end), (task) => tree.taskIdOf(task as TaskIndex));
}
