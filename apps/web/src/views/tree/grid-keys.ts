// Keys of a treegrid, as the ARIA Authoring Practices describe them, with `*`
// for a whole subtree.

import type { TaskIndex } from '@dendro/engine';
import type { TaskId } from '@dendro/protocol';
import type { KeyboardEvent } from 'react';
import { useView, view } from '../../state/view-store.ts';
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
    case 'Enter':
      if (row >= 0) view.openDetails(treeRows.tree.taskIdOf(treeRows.taskAt(row)));
      break;
    case 'Escape':
      if (useView.getState().filter !== '') view.setFilter('');
      else view.closeDetails();
      break;
    default:
      return;
  }
  event.preventDefault();
}

function openOrDescend({ tree, order, rows, taskAt }: TreeRows, row: number, moveTo: (row: number) => void): void {
  const position = rows.positions[row] as number;
  const hasChildren = (order.subtreeEnds[position] as number) > position + 1;
  if (!hasChildren) return;
  const task = tree.taskIdOf(taskAt(row));
  const { collapsed, filter } = useView.getState();
  if (filter === '' && collapsed.has(task)) view.expand([task]);
  else moveTo(row + 1);
}

function closeOrAscend({ tree, order, rows, taskAt }: TreeRows, row: number, moveTo: (row: number) => void): void {
  const position = rows.positions[row] as number;
  const task = tree.taskIdOf(taskAt(row));
  const hasChildren = (order.subtreeEnds[position] as number) > position + 1;
  const { collapsed, filter } = useView.getState();
  if (hasChildren && filter === '' && !collapsed.has(task)) {
    view.collapse([task]);
    return;
  }
  const depth = order.depths[position] as number;
  for (let above = row - 1; above >= 0; above--) {
    if ((order.depths[rows.positions[above] as number] as number) < depth) {
      moveTo(above);
      return;
    }
  }
}

/** The task of a row and all below it. */
function subtreeOf({ tree, order, rows }: TreeRows, row: number): TaskId[] {
  const position = rows.positions[row] as number;
  const end = order.subtreeEnds[position] as number;
  return Array.from(order.tasks.subarray(position, end), (task) => tree.taskIdOf(task as TaskIndex));
}
