// The rows of the tree, and which task or group each is of.

import type { TaskIndex, TemporalTree, TreeOrder } from '@dendro/engine';
import type { TaskId } from '@dendro/protocol';
import { Rollups } from '../../layout/rollups.ts';
import type { GroupKey, SiblingGroups } from '../../layout/sibling-groups.ts';
import type { VisibleRows } from '../../layout/visible-rows.ts';

/** What a row is known by, however the rows change. */
export type RowId = TaskId | GroupKey;

export interface TreeRows {
  readonly tree: TemporalTree;
  readonly order: TreeOrder;
  readonly rows: VisibleRows;
  readonly groups: SiblingGroups;
  readonly rollups: Rollups;
  /** Positions of the processes of Dendro itself. */
  readonly own: readonly number[];
  /** The filter that the rows were found by: for a moment it can be older than what is typed. */
  readonly filter: string;
  /** Of the row of a group, its eldest member. */
  taskAt(row: number): TaskIndex;
  /** Undefined in the row of a task. */
  groupAt(row: number): GroupKey | undefined;
  idAt(row: number): RowId;
  /** -1 when it is not among the rows. */
  rowOf(id: RowId): number;
}

export type RowsFound = Pick<TreeRows, 'tree' | 'order' | 'rows' | 'groups' | 'own' | 'filter'>;

export function treeRowsOf(found: RowsFound): TreeRows {
  const { tree, order, rows, groups } = found;
  const taskAt = (row: number) => order.tasks[rows.positions[row] as number] as TaskIndex;
  const groupAt = (row: number) => {
    const group = rows.groups[row] as number;
    return group < 0 ? undefined : groups.keyOf(group);
  };
  let rowByTask: Int32Array | undefined; // TaskIndex -> row + 1, 0 without one
  const rowOf = (id: RowId): number => {
    if (typeof id === 'string') {
      for (let row = 0; row < rows.length; row++) if (groupAt(row) === id) return row;
      return -1;
    }
    const task = tree.indexOf(id);
    if (rowByTask === undefined) {
      rowByTask = new Int32Array(tree.slotCount);
      for (let row = 0; row < rows.length; row++) if (rows.groups[row] === -1) rowByTask[taskAt(row)] = row + 1;
    }
    return (rowByTask[task] ?? 0) - 1;
  };
  const idAt = (row: number): RowId => groupAt(row) ?? tree.taskIdOf(taskAt(row));
  return { ...found, rollups: new Rollups(tree, order), taskAt, groupAt, idAt, rowOf };
}
