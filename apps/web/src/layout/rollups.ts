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
const WHAT = ['living', 'born', 'ended', 'failed', 'killed'] as const;
/** A chain of ancestors that are all folded away is not followed further. */
const MAX_STEPS = 64;

export class Rollups {
  readonly #columns: TaskColumns;
  readonly #order: TreeOrder;
  /**
   * For each of WHAT, place -> how many at places before it. At place 2p is the task at position p, at 2p + 1 are those
   * below it that are folded away. Made when first asked for.
   */
  #before: readonly Int32Array[] | undefined;

  /** @param columns as of the instant of the order */
  constructor(columns: TaskColumns, order: TreeOrder) {
    this.#columns = columns;
    this.#order = order;
  }

  /** Of all below a row. */
  below(position: number): Rollup {
    return this.#of(2 * position + 1, 2 * (this.#order.subtreeEnds[position] as number));
  }

  /** Of a group of rows, with all below them; those that live are counted without the rows themselves. */
  group(positions: readonly number[]): Rollup {
    const sum = { living: 0, born: 0, ended: 0, failed: 0, killed: 0 };
    for (const position of positions) {
      const end = 2 * (this.#order.subtreeEnds[position] as number);
      const one = this.#of(2 * position, end);
      for (const what of WHAT) sum[what] += one[what];
      sum.living += this.#of(2 * position + 1, end).living - one.living;
    }
    return sum;
  }

  #of(from: number, to: number): Rollup {
    this.#before ??= this.#count();
    const [living, born, ended, failed, killed] = this.#before.map(
      (before) => (before[to] as number) - (before[from] as number),
    ) as [number, number, number, number, number];
    return { living, born, ended, failed, killed };
  }

  // hot: runs once per frame in which a row is folded
  #count(): Int32Array[] {
    const { tasks, length, at } = this.#order;
    const fates = numbersOf(this.#columns, 'fate');
    const starts = numbersOf(this.#columns, 'start');
    const exits = numbersOf(this.#columns, 'exit');
    const recent = at - RECENT_NS;
    const counts = WHAT.map(() => new Int32Array(2 * length + 1));
    const [living, born, ended, failed, killed] = counts as [
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
    ];
    const add = (counts: Int32Array, place: number): void => {
      counts[place + 1] = (counts[place + 1] as number) + 1;
    };
    const count = (task: number, place: number): void => {
      const fate = fates[task] as number;
      const exit = exits[task] as number;
      if (exit > at) add(living, place);
      if ((starts[task] as number) > recent && (fate & FATE.startKnown) !== 0) add(born, place);
      if (exit > at || exit <= recent) return;
      add(ended, place);
      if ((fate & FATE.killed) !== 0) add(killed, place);
      else if ((fate & FATE.failed) !== 0) add(failed, place);
    };
    const positions = new Int32Array(fates.length).fill(-1); // TaskIndex -> position
    for (let p = 0; p < length; p++) {
      const task = tasks[p] as number;
      positions[task] = p;
      if (fates[task] !== 0) count(task, 2 * p);
    }
    for (let task = 0; task < fates.length; task++) {
      const exit = exits[task] as number;
      if (exit > at || exit <= recent || positions[task] !== -1 || fates[task] === 0) continue;
      const position = this.#shownAbove(task, positions);
      if (position >= 0) count(task, 2 * position + 1);
    }
    for (const count of counts) {
      let sum = 0;
      for (let place = 1; place <= 2 * length; place++) {
        sum += count[place] as number;
        count[place] = sum;
      }
    }
    return counts;
  }

  /** Position of the nearest ancestor that has one. */
  #shownAbove(task: number, positions: Int32Array): number {
    const parents = numbersOf(this.#columns, 'parent');
    const fates = numbersOf(this.#columns, 'fate');
    let above = parents[task] as number;
    for (let step = 0; step < MAX_STEPS && above >= 0 && fates[above] !== 0; step++) {
      if ((positions[above] as number) >= 0) return positions[above] as number;
      above = parents[above] as number;
    }
    return -1;
  }
}
