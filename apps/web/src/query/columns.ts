// What a query asks of the rows, one array for each field, by position in the
// order of the tree. An array is filled when a query first needs it and is used
// until the tree changes: a key press reads no changelog again.

import type { TaskIndex, TemporalTree, TreeOrder } from '@dendro/engine';
import { type EventNs, pathOfWireFile } from '@dendro/protocol';

export type TextColumn = 'comm' | 'argv' | 'executable' | 'container';
export type NumberColumn = 'uid' | 'euid' | 'ppid';

export class Columns {
  readonly tree: TemporalTree;
  readonly order: TreeOrder;
  readonly #texts = new Map<TextColumn, Int32Array>();
  readonly #numbers = new Map<NumberColumn, Float64Array>();

  constructor(tree: TemporalTree, order: TreeOrder) {
    this.tree = tree;
    this.order = order;
  }

  /** Position -> index of the text in the tree; 0 where it is not known, or is another row's: commands are of processes. */
  texts(column: TextColumn): Int32Array {
    const known = this.#texts.get(column);
    if (known !== undefined) return known;
    const { tree, order } = this;
    const { at, length, tasks } = order;
    const isOfProcess = column === 'argv' || column === 'executable';
    const texts = new Int32Array(length);
    for (let position = 0; position < length; position++) {
      const task = tasks[position] as TaskIndex;
      if (isOfProcess && (tree.isThread(task) || tree.isKernelThread(task))) continue;
      texts[position] = tree.textIndexAt(task, column, at);
    }
    this.#texts.set(column, texts);
    return texts;
  }

  /** Position -> number, NaN where it is not known. */
  numbers(column: NumberColumn): Float64Array {
    const known = this.#numbers.get(column);
    if (known !== undefined) return known;
    const { tree, order } = this;
    const numbers = new Float64Array(order.length);
    for (let position = 0; position < order.length; position++) {
      const task = order.tasks[position] as TaskIndex;
      const number = column === 'ppid' ? parentPid(tree, task, order.at) : tree.numberAt(task, column, order.at);
      numbers[position] = number ?? Number.NaN;
    }
    this.#numbers.set(column, numbers);
    return numbers;
  }

  /** The text of an index as it is searched: a path without what else is known of the file, arguments with blanks between. */
  textOf(column: TextColumn, index: number): string {
    const text = this.tree.textOf(index);
    if (column === 'executable') return pathOfWireFile(text);
    return column === 'argv' ? text.slice(0, -1).replaceAll('\0', ' ') : text;
  }
}

function parentPid(tree: TemporalTree, task: TaskIndex, at: EventNs): number | undefined {
  const process = tree.isThread(task) ? tree.leaderOf(task) : task;
  if (process < 0) return undefined;
  const parent = tree.parentAt(process, Math.min(at, tree.exitOf(process)) as EventNs);
  return parent < 0 ? undefined : tree.pidOf(parent);
}
