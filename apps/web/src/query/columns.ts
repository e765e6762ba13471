// What a query reads of the tasks in an order of the tree: columns that are kept
// from frame to frame (task-columns.ts), so that a key press reads no changelog.

import type { TemporalTree, TreeOrder } from '@dendro/engine';
import { TaskColumns } from '../layout/task-columns.ts';
import { numbersOf } from '../layout/task-numbers.ts';
import { type TextField, type Texts, TextsOfTasks } from './texts.ts';

export type NumberField = 'uid' | 'euid' | 'ppid';

export class Columns {
  readonly tree: TemporalTree;
  readonly order: TreeOrder;
  readonly tasks: TaskColumns;

  /** @param tasks as of the instant of the order; without them, what a query needs is read for it alone */
  constructor(tree: TemporalTree, order: TreeOrder, tasks = TaskColumns.of(tree, order)) {
    this.tree = tree;
    this.order = order;
    this.tasks = tasks;
  }

  texts(field: TextField): Texts {
    return TextsOfTasks.of(this.tasks).field(field);
  }

  /** TaskIndex -> number, NaN where it is not known. */
  numbers(field: NumberField): Float64Array {
    return numbersOf(this.tasks, field);
  }
}
