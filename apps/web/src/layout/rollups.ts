// What is going on below a row that is folded: how many live there, and how many
// were born, ended and failed in the last minute, those folded away included.

import type { TreeOrder } from '@dendro/engine';
import type { TaskColumns } from './task-columns.ts';
import { FATE, numbersOf } from './task-numbers.ts';

export interface Rollup {
  readonly living: number;
  /** Here and below: in the last minute. */
  readonly born: number;
  readonly ended: number;
  /** Ended with a code other than 0. */
  readonly failed: number;
  /** Ended by a signal. */
  readonly killed: number;
}

export const RECENT_NS = 60e9;
/** A chain of ancestors that are all folded away is not followed further. */
const MAX_STEPS = 64;

type Sum = { -readonly [What in keyof Rollup]: Rollup[What] };

/**
 * Counts are made of those below a row when they are asked for: rows that are folded have nobody in common, so that all of
 * them together cost one walk at the most.
 */
export class Rollups {
  readonly #columns: TaskColumns;
  readonly #order: TreeOrder;
  #numbers: Readonly<Record<'fate' | 'start' | 'exit' | 'parent', Float64Array>> | undefined;
  /** Position -> those that have left the order, and were next below whom it shows; made when first asked for. */
  #left: ReadonlyMap<number, readonly number[]> | undefined;

  /** @param columns as of the instant of the order */
  constructor(columns: TaskColumns, order: TreeOrder) {
    this.#columns = columns;
    this.#order = order;
  }

  /** Of all below a row. */
  below(position: number): Rollup {
    const sum = { living: 0, born: 0, ended: 0, failed: 0, killed: 0 };
    this.#addBelow(sum, position);
    return sum;
  }

  /** Of a group of rows, with all below them; those that live are counted without the rows themselves. */
  group(positions: readonly number[]): Rollup {
    const sum = { living: 0, born: 0, ended: 0, failed: 0, killed: 0 };
    for (const position of positions) this.#add(sum, this.#order.tasks[position] as number);
    sum.living = 0;
    for (const position of positions) this.#addBelow(sum, position);
    return sum;
  }

  #addBelow(sum: Sum, position: number): void {
    const { tasks, subtreeEnds } = this.#order;
    const end = subtreeEnds[position] as number;
    this.#left ??= this.#findLeft();
    for (let p = position + 1; p < end; p++) this.#add(sum, tasks[p] as number);
    if (this.#left.size === 0) return;
    for (let p = position; p < end; p++) for (const task of this.#left.get(p) ?? []) this.#add(sum, task);
  }

  #read() {
    const of = (what: 'fate' | 'start' | 'exit' | 'parent') => numbersOf(this.#columns, what);
    this.#numbers ??= { fate: of('fate'), start: of('start'), exit: of('exit'), parent: of('parent') };
    return this.#numbers;
  }

  // hot: runs once per task that is folded away, with each frame
  #add(sum: Sum, task: number): void {
    const numbers = this.#read();
    const fate = numbers.fate[task] as number;
    if (fate === 0) return; // a thread
    const { at } = this.#order;
    const exit = numbers.exit[task] as number;
    if (exit > at) sum.living++;
    const isBorn = (numbers.start[task] as number) > at - RECENT_NS && (fate & FATE.startKnown) !== 0;
    if (isBorn) sum.born++;
    if (exit > at || exit <= at - RECENT_NS) return;
    sum.ended++;
    if ((fate & FATE.killed) !== 0) sum.killed++;
    else if ((fate & FATE.failed) !== 0) sum.failed++;
  }

  #findLeft(): ReadonlyMap<number, readonly number[]> {
    const { tasks, at } = this.#order;
    const { fate, exit: exits } = this.#read();
    const left = new Map<number, number[]>();
    const positions = new Int32Array(fate.length).fill(-1); // TaskIndex -> position
    for (let p = 0; p < tasks.length; p++) positions[tasks[p] as number] = p;
    for (let task = 0; task < fate.length; task++) {
      const exit = exits[task] as number;
      if (exit > at || exit <= at - RECENT_NS || positions[task] !== -1 || fate[task] === 0) continue;
      const position = this.#shownAbove(task, positions);
      if (position < 0) continue;
      const list = left.get(position);
      if (list === undefined) left.set(position, [task]);
      else list.push(task);
    }
    return left;
  }

  /** Position of the nearest ancestor that has one. */
  #shownAbove(task: number, positions: Int32Array): number {
    const { fate, parent } = this.#read();
    let above = parent[task] as number;
    for (let step = 0; step < MAX_STEPS && above >= 0 && fate[above] !== 0; step++) {
      if ((positions[above] as number) >= 0) return positions[above] as number;
      above = parent[above] as number;
    }
    return -1;
  }
}
