// The rows of the tree, and which task or group each is of.

import { NO_TASK, type TaskIndex, type TemporalTree, type TreeOrder } from '@dendro/engine';
import type { TaskId } from '@dendro/protocol';
import type { Changes } from '../../layout/compare.ts';
import type { Found } from '../../layout/found.ts';
import { Rollups } from '../../layout/rollups.ts';
import type { GroupKey, SiblingGroups } from '../../layout/sibling-groups.ts';
import type { VisibleRows } from '../../layout/visible-rows.ts';
import type { Asked } from '../../query/asked.ts';
import type { Columns } from '../../query/columns.ts';

/** What a row is known by, however the rows change. */
export type RowId = TaskId | GroupKey;

export interface TreeRows {
  readonly tree: TemporalTree;
  /** Of the subtree that is shown, or of all. */
  readonly order: TreeOrder;
  readonly rows: VisibleRows;
  readonly groups: SiblingGroups;
  readonly rollups: Rollups;
  /** By position: 0 who is left out by what is chosen above the tree, or because nothing of it differs; undefined: nobody. */
  readonly kept: Uint8Array | undefined;
  /** Positions of the processes of Dendro itself. */
  readonly own: readonly number[];
  /** The query that the rows were found by: for a moment it can be older than what is typed. */
  readonly asked: Asked | undefined;
  /** What was found, by position; undefined when nothing is asked. */
  readonly found: Found | undefined;
  /** Are rows left out that were not found? */
  readonly isFiltered: boolean;
  /** What differs from another instant; undefined while nothing is compared, or the other one has not come yet. */
  readonly changes: Changes | undefined;
  /** Is the task that the view is limited to without a row at this instant? */
  readonly isScopeLost: boolean;
  /** What queries read, of the whole tree. */
  readonly columns: Columns;
  /** Of the row of a group, its eldest member. */
  taskAt(row: number): TaskIndex;
  /** Undefined in the row of a task. */
  groupAt(row: number): GroupKey | undefined;
  idAt(row: number): RowId;
  /** -1 when it is not among the rows. */
  rowOf(id: RowId): number;
  /** In the order, folded or not; -1 when the task is not in it. */
  positionOf(task: TaskId): number;
}

export type RowsFound = Omit<TreeRows, 'rollups' | 'taskAt' | 'groupAt' | 'idAt' | 'rowOf' | 'positionOf'>;

export function treeRowsOf(found: RowsFound): TreeRows {
  const { tree, order, rows, groups } = found;
  const taskAt = (row: number) => order.tasks[rows.positions[row] as number] as TaskIndex;
  const groupAt = (row: number) => {
    const group = rows.groups[row] as number;
    return group < 0 ? undefined : groups.keyOf(group);
  };
  const rowByTask = indexByTask(tree, rows.length, (row) => (rows.groups[row] === -1 ? taskAt(row) : NO_TASK));
  const positionOf = indexByTask(tree, order.length, (at) => order.tasks[at] as TaskIndex);
  const rowOf = (id: RowId): number => {
    if (typeof id === 'string') {
      for (let row = 0; row < rows.length; row++) if (groupAt(row) === id) return row;
      return -1;
    }
    return rowByTask(id);
  };
  const idAt = (row: number): RowId => groupAt(row) ?? tree.taskIdOf(taskAt(row));
  return { ...found, rollups: new Rollups(found.columns.tasks, order), taskAt, groupAt, idAt, rowOf, positionOf };
}

/** @returns where a task is in a list, -1 when it is not; counted through when it is first asked */
function indexByTask(tree: TemporalTree, length: number, taskAt: (at: number) => TaskIndex): (task: TaskId) => number {
  let places: Int32Array | undefined; // TaskIndex -> place + 1, 0 without one
  return (id) => {
    if (places === undefined) {
      places = new Int32Array(tree.slotCount);
      for (let at = 0; at < length; at++) {
        const task = taskAt(at);
        if (task !== NO_TASK) places[task] = at + 1;
      }
    }
    return (places[tree.indexOf(id)] ?? 0) - 1;
  };
}
