// From one row that was found, or differs, to the next, through what is folded.

import type { TaskIndex } from '@dendro/engine';
import type { TaskId } from '@dendro/protocol';
import type { Found } from '../../layout/found.ts';
import { useView, view } from '../../state/view-store.ts';
import type { TreeRows } from './tree-rows.ts';

/** The place of the selected row among those found, from 1; undefined when it is none of them. */
export function placeOfSelected(treeRows: TreeRows, selected: TaskId | undefined): number | undefined {
  return selected === undefined ? undefined : treeRows.found?.placeOf(treeRows.positionOf(selected));
}

/** Selects the next row that was found, or the one before, round the end, and unfolds what hides it. */
export function stepMatch(treeRows: TreeRows, by: 1 | -1): void {
  stepIn(treeRows, treeRows.found, by);
}

/** The same for rows that differ from another instant. */
export function stepDifference(treeRows: TreeRows, by: 1 | -1): void {
  stepIn(treeRows, treeRows.changes?.found, by);
}

function stepIn(treeRows: TreeRows, rows: Found | undefined, by: 1 | -1): void {
  const { selected } = useView.getState();
  const from = selected === undefined ? -1 : treeRows.positionOf(selected);
  const position = rows?.step(from, by) ?? -1;
  if (position >= 0) revealPosition(treeRows, position);
}

/** Goes to the selected row if it was found itself, else to the next one that was. */
export function firstMatch(treeRows: TreeRows): void {
  const { selected } = useView.getState();
  if (selected !== undefined && placeOfSelected(treeRows, selected) !== undefined) {
    revealPosition(treeRows, treeRows.positionOf(selected));
  } else stepMatch(treeRows, 1);
}

function revealPosition({ tree, order }: TreeRows, position: number): void {
  const taskIdAt = (at: number) => tree.taskIdOf(order.tasks[at] as TaskIndex);
  const { collapsed } = useView.getState();
  const hiding: TaskId[] = [];
  let depth = order.depths[position] as number;
  for (let at = position - 1; at >= 0 && depth > 0; at--) {
    if ((order.depths[at] as number) >= depth) continue;
    depth = order.depths[at] as number;
    if (collapsed.has(taskIdAt(at))) hiding.push(taskIdAt(at));
  }
  if (hiding.length > 0) view.expand(hiding);
  view.reveal(taskIdAt(position));
}
