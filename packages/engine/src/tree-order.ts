// The tree as of an instant, laid out as a preorder: every row of a view in
// order, with depth and the end of its subtree, in flat arrays. A fork chain
// can be thousands deep, so nothing here recurses.

import type { EventNs } from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { LaidOutTree, type OrderOptions } from './laid-out-tree.ts';
import { TaskChanges } from './task-changes.ts';
import type { TemporalTree } from './temporal-tree.ts';

/** Processes in preorder, siblings by start; a process is followed by its threads, if asked for, then its children. */
export interface TreeOrder {
  readonly at: EventNs;
  /** Of an order of two instants the other one. */
  readonly alsoAt?: EventNs | undefined;
  readonly length: number;
  /** position -> TaskIndex */
  readonly tasks: Int32Array;
  /** position -> depth; roots are 0 */
  readonly depths: Uint16Array;
  /** position -> first position after the subtree */
  readonly subtreeEnds: Int32Array;
  /** position -> living threads of the process, the leader included; 0 in rows of threads */
  readonly threadCounts: Int32Array;
  /** Living kernel threads left out. */
  readonly hiddenKernelThreads: number;
  /** Exited processes left out because they ended too long ago. */
  readonly foldedExited: number;
}

const MAX_DEPTH = 65_535;

/** Exited processes and hidden kernel threads stay in the order while something below them is shown. */
export function orderTree(tree: TemporalTree, options: OrderOptions): TreeOrder {
  const laidOut = new LaidOutTree(tree);
  laidOut.layOut(options, undefined);
  const preorder = new Preorder(tree, laidOut, options);
  preorder.placeRings();
  return preorder.finish();
}

/** Orders of one tree, one after the other: what `orderTree` gives, at the cost of what has changed since the last one. */
export class TreeOrders {
  readonly #tree: TemporalTree;
  readonly #changes: TaskChanges;
  readonly #laidOut: LaidOutTree;

  constructor(tree: TemporalTree) {
    this.#tree = tree;
    this.#changes = new TaskChanges(tree);
    this.#laidOut = new LaidOutTree(tree);
  }

  order(options: OrderOptions): TreeOrder {
    this.#laidOut.layOut(options, this.#changes.upTo(options.at));
    const preorder = new Preorder(this.#tree, this.#laidOut, options);
    if (!preorder.isWhole) {
      // Those in a ring keep each other in the layout, whoever has left it.
      this.#laidOut.layOut(options, undefined);
      return orderTree(this.#tree, options);
    }
    return preorder.finish();
  }
}

/** What roots lead to, row by row. */
class Preorder {
  readonly #tree: TemporalTree;
  readonly #laidOut: LaidOutTree;
  readonly #options: OrderOptions;
  readonly #rows: Rows;

  constructor(tree: TemporalTree, laidOut: LaidOutTree, options: OrderOptions) {
    this.#tree = tree;
    this.#laidOut = laidOut;
    this.#options = options;
    this.#rows = new Rows(laidOut.size);
    const { firstRoot, nextSibling } = laidOut;
    for (let root = firstRoot; root !== NO_TASK; root = nextSibling[root] as TaskIndex) this.#place(root);
  }

  get isWhole(): boolean {
    return this.#rows.processCount === this.#laidOut.size;
  }

  /** What no root leads to hangs in a ring of parents: breaks each ring at its eldest. */
  placeRings(): void {
    if (this.isWhole) return;
    const placed = new Set<number>(this.#rows.tasks);
    for (const task of this.#laidOut.sorted()) {
      if (placed.has(task)) continue;
      const from = this.#rows.length;
      this.#place(task);
      for (const one of this.#rows.tasks.subarray(from)) placed.add(one);
    }
  }

  finish(): TreeOrder {
    const { hiddenKernelThreads, foldedExited } = this.#laidOut;
    return { at: this.#options.at, ...this.#rows.finish(), hiddenKernelThreads, foldedExited };
  }

  // hot: runs once per row with each frame
  #place(root: TaskIndex): void {
    const rows = this.#rows;
    const { firstChild, nextSibling, parents, livingThreads } = this.#laidOut;
    // A root that hangs below itself, in a ring of parents, is not come to a second time.
    const besideRoot = (task: number) => (task === root ? (nextSibling[task] as number) : task);
    let task: number = root;
    let depth = 0;
    const open: number[] = []; // positions of the ancestors of `task`
    for (;;) {
      const position = rows.add(task, depth, livingThreads[task] as number);
      if (this.#laidOut.hasThreads(task)) this.#placeThreads(task as TaskIndex, depth);
      const child = besideRoot(firstChild[task] as number);
      if (child !== NO_TASK) {
        open.push(position);
        depth++;
        task = child;
        continue;
      }
      rows.close(position);
      // Up to the nearest ancestor with a sibling left.
      let next: number = NO_TASK;
      while (task !== root) {
        next = besideRoot(nextSibling[task] as number);
        if (next !== NO_TASK) break;
        rows.close(open.pop() as number);
        depth--;
        task = parents[task] as number;
      }
      if (task === root) return;
      task = next;
    }
  }

  #placeThreads(process: TaskIndex, depth: number): void {
    const tree = this.#tree;
    const { at, keepExitedNs, threads } = this.#options;
    if (!threads(process)) return;
    const list: TaskIndex[] = [];
    for (let thread = tree.firstThreadOf(process); thread !== NO_TASK; thread = tree.nextThreadOf(thread)) {
      if (!tree.isPresent(thread) || tree.startOf(thread) > at) continue;
      if (tree.exitOf(thread) >= at - keepExitedNs) list.push(thread);
    }
    list.sort((a, b) => tree.startOf(a) - tree.startOf(b) || tree.tidOf(a) - tree.tidOf(b));
    for (const thread of list) this.#rows.close(this.#rows.add(thread, depth + 1, OF_A_THREAD));
  }
}

/** In place of a number of living threads. */
const OF_A_THREAD = -1;

class Rows {
  #tasks: Int32Array;
  #depths: Uint16Array;
  #subtreeEnds: Int32Array;
  #threadCounts: Int32Array;
  #length = 0;
  #threads = 0;

  constructor(capacity: number) {
    this.#tasks = new Int32Array(capacity);
    this.#depths = new Uint16Array(capacity);
    this.#subtreeEnds = new Int32Array(capacity);
    this.#threadCounts = new Int32Array(capacity);
  }

  get processCount(): number {
    return this.#length - this.#threads;
  }

  get length(): number {
    return this.#length;
  }

  get tasks(): Int32Array {
    return this.#tasks.subarray(0, this.#length);
  }

  add(task: number, depth: number, livingThreads: number): number {
    const position = this.#length;
    if (position === this.#tasks.length) this.#grow();
    this.#tasks[position] = task;
    this.#depths[position] = Math.min(depth, MAX_DEPTH);
    if (livingThreads === OF_A_THREAD) this.#threads++;
    else this.#threadCounts[position] = livingThreads;
    return this.#length++;
  }

  close(position: number): void {
    this.#subtreeEnds[position] = this.#length;
  }

  finish() {
    return {
      length: this.#length,
      tasks: this.tasks,
      depths: this.#depths.subarray(0, this.#length),
      subtreeEnds: this.#subtreeEnds.subarray(0, this.#length),
      threadCounts: this.#threadCounts.subarray(0, this.#length),
    };
  }

  #grow(): void {
    const capacity = Math.max(64, this.#tasks.length * 2);
    const copy = <A extends Int32Array | Uint16Array>(from: A, to: A): A => {
      to.set(from);
      return to;
    };
    this.#tasks = copy(this.#tasks, new Int32Array(capacity));
    this.#depths = copy(this.#depths, new Uint16Array(capacity));
    this.#subtreeEnds = copy(this.#subtreeEnds, new Int32Array(capacity));
    this.#threadCounts = copy(this.#threadCounts, new Int32Array(capacity));
  }
}
