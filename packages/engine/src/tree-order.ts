// The tree as of an instant, laid out as a preorder: every row of a view in
// order, with depth and the end of its subtree, in flat arrays. A fork chain
// can be thousands deep, so nothing here recurses.

import type { EventNs } from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import type { TemporalTree } from './temporal-tree.ts';

export interface OrderOptions {
  readonly at: EventNs;
  /** How long a task that ended stays in the order, ns. Infinity keeps all. */
  readonly keepExitedNs: number;
  /** Are the threads of this process laid out too? */
  readonly threads: (process: TaskIndex) => boolean;
  readonly kernelThreads: boolean;
}

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

const SHOWN = 1;
const PLACED = 2;
const MAX_DEPTH = 65_535;

/** Exited processes and hidden kernel threads stay in the order while something below them is shown. */
export function orderTree(tree: TemporalTree, options: OrderOptions): TreeOrder {
  const { at } = options;
  const slots = tree.slotCount;
  const state = new Uint8Array(slots); // TaskIndex -> 0 (left out) | SHOWN | PLACED
  let hiddenKernelThreads = 0;
  let foldedExited = 0;
  const shown: TaskIndex[] = [];
  for (let slot = 0; slot < slots; slot++) {
    const task = slot as TaskIndex;
    if (!tree.isPresent(task) || tree.isThread(task) || tree.startOf(task) > at) continue;
    if (tree.exitOf(task) < at - options.keepExitedNs) foldedExited++;
    else if (tree.isKernelThread(task) && !options.kernelThreads)
      hiddenKernelThreads += tree.exitOf(task) >= at ? 1 : 0;
    else {
      state[task] = SHOWN;
      shown.push(task);
    }
  }

  // Every shown task's ancestors are shown. `parents` is what the layout uses from here on.
  const parents = new Int32Array(slots).fill(NO_TASK);
  for (let next = 0; next < shown.length; next++) {
    const task = shown[next] as TaskIndex;
    const parent = tree.parentAt(task, Math.min(at, tree.exitOf(task)) as EventNs);
    if (parent === NO_TASK || !tree.isPresent(parent) || tree.isThread(parent) || tree.startOf(parent) > at) continue;
    parents[task] = parent;
    if (state[parent] === SHOWN) continue;
    state[parent] = SHOWN;
    shown.push(parent);
    if (tree.exitOf(parent) < at - options.keepExitedNs) foldedExited--;
    else if (tree.exitOf(parent) >= at) hiddenKernelThreads--;
  }
  shown.sort((a, b) => tree.startOf(a) - tree.startOf(b) || tree.tidOf(a) - tree.tidOf(b));

  // Children as linked lists, youngest put in first so that the eldest comes out first.
  const firstChild = new Int32Array(slots).fill(NO_TASK);
  const nextSibling = new Int32Array(slots).fill(NO_TASK);
  for (let i = shown.length - 1; i >= 0; i--) {
    const task = shown[i] as TaskIndex;
    const parent = parents[task] as TaskIndex;
    if (parent === NO_TASK) continue;
    nextSibling[task] = firstChild[parent] as number;
    firstChild[parent] = task;
  }

  const rows = new Rows(shown.length);
  const place = (root: TaskIndex): void => {
    let task: TaskIndex = root;
    let depth = 0;
    const open: number[] = []; // positions of the ancestors of `task`
    for (;;) {
      state[task] = PLACED;
      const position = rows.add(task, depth);
      placeThreads(tree, options, rows, task, position, depth);
      const child = firstChild[task] as TaskIndex;
      if (child !== NO_TASK) {
        open.push(position);
        depth++;
        task = child;
        continue;
      }
      rows.close(position);
      // Up to the nearest ancestor (or self) with a sibling left.
      while (task !== root && nextSibling[task] === NO_TASK) {
        rows.close(open.pop() as number);
        depth--;
        task = parents[task] as TaskIndex;
      }
      if (task === root) return;
      task = nextSibling[task] as TaskIndex;
    }
  };
  for (const task of shown) if (parents[task] === NO_TASK) place(task);
  // What no root leads to hangs in a ring of parents: break the ring at its eldest.
  for (const task of shown) {
    if (state[task] === PLACED) continue;
    breakRing(task, parents, firstChild, nextSibling);
    place(task);
  }
  return rows.finish(at, hiddenKernelThreads, foldedExited);
}

/** Cuts a task out of its parent's list of children. */
function breakRing(task: TaskIndex, parents: Int32Array, firstChild: Int32Array, nextSibling: Int32Array): void {
  const parent = parents[task] as TaskIndex;
  if (firstChild[parent] === task) {
    firstChild[parent] = nextSibling[task] as number;
  } else {
    let before = firstChild[parent] as number;
    while (nextSibling[before] !== task) before = nextSibling[before] as number;
    nextSibling[before] = nextSibling[task] as number;
  }
  parents[task] = NO_TASK;
  nextSibling[task] = NO_TASK;
}

function placeThreads(
  tree: TemporalTree,
  options: OrderOptions,
  rows: Rows,
  process: TaskIndex,
  position: number,
  depth: number,
): void {
  const { at } = options;
  let living = tree.isAliveAt(process, at) ? 1 : 0;
  const list: TaskIndex[] | undefined = options.threads(process) ? [] : undefined;
  for (let thread = tree.firstThreadOf(process); thread !== NO_TASK; thread = tree.nextThreadOf(thread)) {
    if (!tree.isPresent(thread) || tree.startOf(thread) > at) continue;
    const exit = tree.exitOf(thread);
    if (exit >= at) living++;
    if (exit >= at - options.keepExitedNs) list?.push(thread);
  }
  rows.setThreadCount(position, living);
  if (list === undefined) return;
  list.sort((a, b) => tree.startOf(a) - tree.startOf(b) || tree.tidOf(a) - tree.tidOf(b));
  for (const thread of list) rows.close(rows.add(thread, depth + 1));
}

class Rows {
  #tasks: Int32Array;
  #depths: Uint16Array;
  #subtreeEnds: Int32Array;
  #threadCounts: Int32Array;
  #length = 0;

  constructor(capacity: number) {
    this.#tasks = new Int32Array(capacity);
    this.#depths = new Uint16Array(capacity);
    this.#subtreeEnds = new Int32Array(capacity);
    this.#threadCounts = new Int32Array(capacity);
  }

  add(task: TaskIndex, depth: number): number {
    if (this.#length === this.#tasks.length) this.#grow();
    this.#tasks[this.#length] = task;
    this.#depths[this.#length] = Math.min(depth, MAX_DEPTH);
    return this.#length++;
  }

  close(position: number): void {
    this.#subtreeEnds[position] = this.#length;
  }

  setThreadCount(position: number, count: number): void {
    this.#threadCounts[position] = count;
  }

  finish(at: EventNs, hiddenKernelThreads: number, foldedExited: number): TreeOrder {
    return {
      at,
      length: this.#length,
      tasks: this.#tasks.subarray(0, this.#length),
      depths: this.#depths.subarray(0, this.#length),
      subtreeEnds: this.#subtreeEnds.subarray(0, this.#length),
      threadCounts: this.#threadCounts.subarray(0, this.#length),
      hiddenKernelThreads,
      foldedExited,
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
