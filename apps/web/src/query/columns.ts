// What a query asks of the rows, one array for each field, by position in the
// order of the tree. An array is filled when a query first needs it and is used
// until the tree changes: a key press reads no changelog again.

import { instantOf, type TaskIndex, type TemporalTree, type TreeOrder } from '@dendro/engine';
import { type EventNs, FIELDS, pathOfWireFile } from '@dendro/protocol';
import { Haystack } from './haystack.ts';

export type TextColumn = 'comm' | 'argv' | 'executable' | 'container';
export type NumberColumn = 'uid' | 'euid' | 'ppid';

export class Columns {
  readonly tree: TemporalTree;
  readonly order: TreeOrder;
  readonly #texts = new Map<TextColumn, Int32Array>();
  readonly #numbers = new Map<NumberColumn, Float64Array>();
  readonly #haystacks = new Map<TextColumn, Haystack>();

  constructor(tree: TemporalTree, order: TreeOrder) {
    this.tree = tree;
    this.order = order;
  }

  /** Position -> index of the text in the tree; 0 where it is not known, or is another row's: commands are of processes. */
  texts(column: TextColumn): Int32Array {
    const known = this.#texts.get(column);
    if (known !== undefined) return known;
    const { tree, order } = this;
    const texts = new Int32Array(order.length);
    for (let position = 0; position < order.length; position++) {
      const task = order.tasks[position] as TaskIndex;
      if (this.#has(task, column)) texts[position] = tree.textIndexAt(task, column, instantOf(tree, order, task));
    }
    this.#texts.set(column, texts);
    return texts;
  }

  /** Reads several columns at once, which costs little more than one. */
  readTexts(columns: readonly TextColumn[]): void {
    const missing = columns.filter((column) => !this.#texts.has(column));
    if (missing.length < 2) return;
    const { tree, order } = this;
    const ids = missing.map((column) => FIELDS[column].id);
    const lists = missing.map(() => new Int32Array(order.length));
    for (let position = 0; position < order.length; position++) {
      const task = order.tasks[position] as TaskIndex;
      const indexes = tree.textIndexesAt(task, instantOf(tree, order, task));
      for (let i = 0; i < ids.length; i++) {
        if (!this.#has(task, missing[i] as TextColumn)) continue;
        (lists[i] as Int32Array)[position] = indexes[ids[i] as number] as number;
      }
    }
    for (let i = 0; i < ids.length; i++) this.#texts.set(missing[i] as TextColumn, lists[i] as Int32Array);
  }

  #has(task: TaskIndex, column: TextColumn): boolean {
    const isOfProcess = column === 'argv' || column === 'executable';
    return !isOfProcess || !(this.tree.isThread(task) || this.tree.isKernelThread(task));
  }

  /** The distinct texts of a column, made to be searched through. */
  haystack(column: TextColumn): Haystack {
    const known = this.#haystacks.get(column);
    if (known !== undefined) return known;
    const haystack = new Haystack(this.texts(column), (index) => this.textOf(column, index));
    this.#haystacks.set(column, haystack);
    return haystack;
  }

  /** Position -> number, NaN where it is not known. */
  numbers(column: NumberColumn): Float64Array {
    const known = this.#numbers.get(column);
    if (known !== undefined) return known;
    const { tree, order } = this;
    const numbers = new Float64Array(order.length);
    for (let position = 0; position < order.length; position++) {
      const task = order.tasks[position] as TaskIndex;
      const at = instantOf(tree, order, task);
      const number = column === 'ppid' ? parentPid(tree, task, at) : tree.numberAt(task, column, at);
      numbers[position] = number ?? Number.NaN;
    }
    this.#numbers.set(column, numbers);
    return numbers;
  }

  /** The text of an index as it is shown: a path without what else is known of the file, arguments with blanks between. */
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
