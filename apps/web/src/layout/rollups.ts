// What is going on below a row that is folded: how many live there, and how many
// were born, ended and failed in the last minute, those folded away included.

import { NO_TASK, type TaskIndex, type TemporalTree, type TreeOrder } from '@dendro/engine';
import { type EventNs, TASK_FLAG } from '@dendro/protocol';

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
const [LIVING, BORN, ENDED, FAILED, KILLED] = [0, 1, 2, 3, 4];
/** A chain of ancestors that are all folded away is not followed further. */
const MAX_STEPS = 64;

export class Rollups {
  readonly #tree: TemporalTree;
  readonly #order: TreeOrder;
  /**
   * For each of WHAT, place -> how many at places before it. At place 2p is the task at position p, at 2p + 1 are those
   * below it that are folded away. Made when first asked for.
   */
  #before: readonly Int32Array[] | undefined;

  constructor(tree: TemporalTree, order: TreeOrder) {
    this.#tree = tree;
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

  #count(): Int32Array[] {
    const { tasks, length, at } = this.#order;
    const tree = this.#tree;
    const recent = at - RECENT_NS;
    const counts = WHAT.map(() => new Int32Array(2 * length + 1));
    const add = (what: number, place: number): void => {
      const count = counts[what] as Int32Array;
      count[place + 1] = (count[place + 1] as number) + 1;
    };
    const count = (task: TaskIndex, place: number): void => {
      const exit = tree.exitOf(task);
      if (exit > at) add(LIVING, place);
      if (tree.startOf(task) > recent && (tree.flagsOf(task) & TASK_FLAG.startIsUnknown) === 0) add(BORN, place);
      if (exit > at || exit <= recent) return;
      add(ENDED, place);
      if ((tree.exitSignalOf(task) ?? 0) > 0) add(KILLED, place);
      else if ((tree.exitCodeOf(task) ?? 0) > 0) add(FAILED, place);
    };
    const positions = new Int32Array(tree.slotCount).fill(-1); // TaskIndex -> position
    for (let p = 0; p < length; p++) {
      const task = tasks[p] as TaskIndex;
      positions[task] = p;
      if (!tree.isThread(task)) count(task, 2 * p);
    }
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (positions[task] !== -1 || !tree.isPresent(task) || tree.isThread(task)) continue;
      const exit = tree.exitOf(task);
      if (exit > at || exit <= recent) continue;
      const position = this.#shownAbove(task, positions);
      if (position >= 0) count(task, 2 * position + 1);
    }
    for (const count of counts) {
      for (let place = 0; place < 2 * length; place++) {
        count[place + 1] = (count[place + 1] as number) + (count[place] as number);
      }
    }
    return counts;
  }

  /** Position of the nearest ancestor that has one. */
  #shownAbove(task: TaskIndex, positions: Int32Array): number {
    const tree = this.#tree;
    let child = task;
    for (let step = 0; step < MAX_STEPS; step++) {
      const parent = tree.parentAt(child, Math.min(this.#order.at, tree.exitOf(child)) as EventNs);
      if (parent === NO_TASK || !tree.isPresent(parent)) return -1;
      if ((positions[parent] as number) >= 0) return positions[parent] as number;
      child = parent;
    }
    return -1;
  }
}
