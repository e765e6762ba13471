// Keys of a treegrid, as the ARIA Authoring Practices describe them for rows.
// Beyond them, Left goes on to the parent, `*` opens a whole subtree, `t` shows
// threads, `s` shows the subtree alone, `n` goes on to the next match, and `F` keeps
// the task of a row in view.

import { NO_TASK, type TaskIndex } from '@dendro/engine';
import type { TaskId } from '@dendro/protocol';
import type { KeyboardEvent } from 'react';
import { treeView, useTree } from '../../state/tree-store.ts';
import { useView, view } from '../../state/view-store.ts';
import { stepMatch } from './step-match.ts';
import type { RowId, TreeRows } from './tree-rows.ts';

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
      if (row >= 0) openAll(treeRows, row);
      break;
    case 't':
      if (row >= 0 && treeRows.groupAt(row) === undefined) toggleThreads(treeRows, row);
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
      if (row >= 0) lookCloser(treeRows.idAt(row));
      break;
    case 'F':
    case 'f':
      toggleFollowing(treeRows, row);
      break;
    default:
      return;
  }
  event.preventDefault();
}

function openOrDescend(treeRows: TreeRows, row: number, moveTo: (row: number) => void): void {
  const { tree, order, rows, taskAt, isFiltered } = treeRows;
  const group = treeRows.groupAt(row);
  if (group !== undefined) {
    if (useTree.getState().openGroups.has(group)) moveTo(row + 1);
    else treeView.toggleGroup(group);
    return;
  }
  const position = rows.positions[row] as number;
  const hasChildren = (order.subtreeEnds[position] as number) > position + 1;
  if (!hasChildren) return;
  const task = tree.taskIdOf(taskAt(row));
  if (!isFiltered && useView.getState().collapsed.has(task)) view.expand([task]);
  else moveTo(row + 1);
}

function closeOrAscend(treeRows: TreeRows, row: number, moveTo: (row: number) => void): void {
  const { tree, order, rows, taskAt, isFiltered } = treeRows;
  const group = treeRows.groupAt(row);
  if (group !== undefined && useTree.getState().openGroups.has(group)) {
    treeView.toggleGroup(group);
    return;
  }
  const position = rows.positions[row] as number;
  const task = tree.taskIdOf(taskAt(row));
  const hasChildren = (order.subtreeEnds[position] as number) > position + 1;
  const { collapsed } = useView.getState();
  const parent = rows.parents[row] as number;
  if (group === undefined && hasChildren && !isFiltered && !collapsed.has(task)) view.collapse([task]);
  else if (parent >= 0) moveTo(parent);
}

function openAll(treeRows: TreeRows, row: number): void {
  const group = treeRows.groupAt(row);
  if (group !== undefined && !useTree.getState().openGroups.has(group)) treeView.toggleGroup(group);
  view.expand(subtreeOf(treeRows, row));
}

function lookCloser(id: RowId): void {
  if (typeof id === 'string') treeView.toggleGroup(id);
  else view.openDetails(id);
}

/** With none selected, or on the one that is followed, it stops. */
function toggleFollowing({ idAt }: TreeRows, row: number): void {
  const id = row < 0 ? undefined : idAt(row);
  const { followed } = useTree.getState();
  if (typeof id === 'number' && id !== followed?.task) treeView.follow(id);
  else treeView.stopFollowing();
}

/** Of the process; in a row of a thread, of the process it belongs to. */
function toggleThreads({ tree, taskAt }: TreeRows, row: number): void {
  const task = taskAt(row);
  const process = tree.isThread(task) ? tree.leaderOf(task) : task;
  if (process === NO_TASK) return;
  view.select(tree.taskIdOf(process));
  view.toggleThreadsOf(tree.taskIdOf(process));
}

/** The task of a row and all below it; of a group, of all its members. */
function subtreeOf({ tree, order, rows, groups }: TreeRows, row: number): TaskId[] {
  const group = rows.groups[row] as number;
  const positions = group < 0 ? [rows.positions[row] as number] : groups.membersOf(group);
  return positions.flatMap((position) => {
    const end = order.subtreeEnds[position] as number;
    return Array.from(order.tasks.subarray(position, end), (task) => tree.taskIdOf(task as TaskIndex));
  });
}
