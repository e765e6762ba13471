// The tree as of two instants, laid out as one preorder: whoever lives at either
// of them. Who lives at the first is where it is then, the others are where they
// were at the second. Like tree-order.ts it does not recurse.

import type { EventNs } from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import type { OrderOptions } from './laid-out-tree.ts';
import type { TemporalTree } from './temporal-tree.ts';
import type { TreeOrder } from './tree-order.ts';

export interface UnionOptions extends OrderOptions {
  /** The other instant, earlier or later than `at`. */
  readonly alsoAt: EventNs;
}

const MAX_DEPTH = 65_535;

/** The instant as of which a task of an order is to be read: `at`, but `alsoAt` of who is to be born after it. */
export function instantOf(
  tree: TemporalTree,
  { at, alsoAt }: Pick<TreeOrder, 'at' | 'alsoAt'>,
  task: TaskIndex,
): EventNs {
  return alsoAt !== undefined && tree.startOf(task) > at ? alsoAt : at;
}

/** As `orderTree`, and who lives at `alsoAt` besides. What is counted as left out is as of `at`. */
export function orderUnion(tree: TemporalTree, options: UnionOptions): TreeOrder {
  return new UnionOrder(tree, options).order();
}

class UnionOrder {
  readonly #tree: TemporalTree;
  readonly #options: UnionOptions;
  readonly #parents: Int32Array; // TaskIndex -> TaskIndex | NO_TASK
  readonly #firstChild: Int32Array;
  readonly #nextSibling: Int32Array;
  readonly #isPlaced: Uint8Array; // TaskIndex -> 1 once it has a row
  // By position.
  readonly #tasks: number[] = [];
  readonly #depths: number[] = [];
  readonly #subtreeEnds: number[] = [];
  readonly #threadCounts: number[] = [];
  #hiddenKernelThreads = 0;
  #foldedExited = 0;

  constructor(tree: TemporalTree, options: UnionOptions) {
    this.#tree = tree;
    this.#options = options;
    const slots = tree.slotCount;
    this.#parents = new Int32Array(slots).fill(NO_TASK);
    this.#firstChild = new Int32Array(slots).fill(NO_TASK);
    this.#nextSibling = new Int32Array(slots).fill(NO_TASK);
    this.#isPlaced = new Uint8Array(slots);
  }

  order(): TreeOrder {
    const { at, alsoAt } = this.#options;
    const shown = this.#withAncestors(this.#chosen());
    this.#sort(shown);
    // The youngest is put in first, so that the eldest comes out first.
    for (const task of shown.toReversed()) {
      const parent = this.#parents[task] as TaskIndex;
      if (parent === NO_TASK) continue;
      this.#nextSibling[task] = this.#firstChild[parent] as number;
      this.#firstChild[parent] = task;
    }
    for (const task of shown) if (this.#parents[task] === NO_TASK) this.#place(task);
    // What no root leads to hangs in a ring of parents: it is broken at its eldest.
    for (const task of shown) if (this.#isPlaced[task] === 0) this.#place(task);
    return {
      ...{ at, alsoAt, length: this.#tasks.length },
      tasks: Int32Array.from(this.#tasks),
      depths: Uint16Array.from(this.#depths),
      subtreeEnds: Int32Array.from(this.#subtreeEnds),
      threadCounts: Int32Array.from(this.#threadCounts),
      hiddenKernelThreads: this.#hiddenKernelThreads,
      foldedExited: this.#foldedExited,
    };
  }

  #chosen(): TaskIndex[] {
    const tree = this.#tree;
    const { at, alsoAt, keepExitedNs, alsoKeep, kernelThreads } = this.#options;
    const latest = Math.max(at, alsoAt);
    const chosen: TaskIndex[] = [];
    // hot: runs once per task
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!tree.isPresent(task) || tree.isThread(task) || tree.startOf(task) > latest) continue;
      const isToCome = tree.startOf(task) > at;
      const exit = tree.exitOf(task);
      const isFolded = exit < at - keepExitedNs && task !== alsoKeep;
      if ((isToCome || isFolded) && !this.#livesAlso(task)) this.#foldedExited += isToCome ? 0 : 1;
      else if (!kernelThreads && tree.isKernelThread(task)) {
        this.#hiddenKernelThreads += !isToCome && exit >= at ? 1 : 0;
      } else chosen.push(task);
    }
    return chosen;
  }

  /** Every ancestor of one that is shown is shown. The list grows while it is walked. */
  #withAncestors(shown: TaskIndex[]): TaskIndex[] {
    const tree = this.#tree;
    const { at, alsoAt, keepExitedNs } = this.#options;
    const latest = Math.max(at, alsoAt);
    const isShown = new Uint8Array(tree.slotCount);
    for (const task of shown) isShown[task] = 1;
    for (const task of shown) {
      const parent = tree.parentAt(task, this.#placedAt(task));
      if (parent === NO_TASK || !tree.isPresent(parent) || tree.isThread(parent)) continue;
      if (tree.startOf(parent) > latest) continue;
      this.#parents[task] = parent;
      if (isShown[parent] === 1) continue;
      isShown[parent] = 1;
      shown.push(parent);
      if (tree.startOf(parent) > at) continue;
      if (tree.exitOf(parent) < at - keepExitedNs) this.#foldedExited--;
      else if (tree.exitOf(parent) >= at) this.#hiddenKernelThreads--;
    }
    return shown;
  }

  #place(root: TaskIndex): void {
    let task = root;
    let depth = 0;
    const open: number[] = []; // positions of the ancestors of `task`
    for (;;) {
      this.#isPlaced[task] = 1;
      const position = this.#add(task, depth);
      this.#placeThreads(task, position, depth);
      const child = this.#unplaced(this.#firstChild[task] as TaskIndex);
      if (child !== NO_TASK) {
        open.push(position);
        depth++;
        task = child;
        continue;
      }
      this.#subtreeEnds[position] = this.#tasks.length;
      // Up to the nearest ancestor (or self) with a sibling left.
      let next = NO_TASK as TaskIndex;
      while (task !== root) {
        next = this.#unplaced(this.#nextSibling[task] as TaskIndex);
        if (next !== NO_TASK) break;
        this.#subtreeEnds[open.pop() as number] = this.#tasks.length;
        depth--;
        task = this.#parents[task] as TaskIndex;
      }
      if (task === root) return;
      task = next;
    }
  }

  /** The task, or the next of its siblings that has no row: in a ring the one at which it was broken has. */
  #unplaced(task: TaskIndex): TaskIndex {
    let next = task;
    while (next !== NO_TASK && this.#isPlaced[next] === 1) next = this.#nextSibling[next] as TaskIndex;
    return next;
  }

  #placeThreads(process: TaskIndex, position: number, depth: number): void {
    const tree = this.#tree;
    const { at, keepExitedNs, threads } = this.#options;
    let living = tree.isAliveAt(process, at) ? 1 : 0;
    const list: TaskIndex[] | undefined = threads(process) ? [] : undefined;
    for (let thread = tree.firstThreadOf(process); thread !== NO_TASK; thread = tree.nextThreadOf(thread)) {
      if (!tree.isPresent(thread)) continue;
      if (tree.isAliveAt(thread, at)) living++;
      if (list === undefined) continue;
      const isKept = tree.startOf(thread) <= at && tree.exitOf(thread) >= at - keepExitedNs;
      if (isKept || this.#livesAlso(thread)) list.push(thread);
    }
    this.#threadCounts[position] = living;
    if (list === undefined) return;
    this.#sort(list);
    for (const thread of list) {
      const at = this.#add(thread, depth + 1);
      this.#subtreeEnds[at] = this.#tasks.length;
      this.#threadCounts[at] = 0;
    }
  }

  #add(task: TaskIndex, depth: number): number {
    this.#depths.push(Math.min(depth, MAX_DEPTH));
    return this.#tasks.push(task) - 1;
  }

  #sort(tasks: TaskIndex[]): void {
    const tree = this.#tree;
    tasks.sort((a, b) => tree.startOf(a) - tree.startOf(b) || tree.tidOf(a) - tree.tidOf(b));
  }

  #livesAlso(task: TaskIndex): boolean {
    const { alsoAt } = this.#options;
    return this.#tree.startOf(task) <= alsoAt && this.#tree.exitOf(task) > alsoAt;
  }

  /** The instant whose parent a task is laid out under. */
  #placedAt(task: TaskIndex): EventNs {
    const { at, alsoAt } = this.#options;
    const exit = this.#tree.exitOf(task);
    const livesNow = this.#tree.startOf(task) <= at && exit > at;
    return !livesNow && this.#livesAlso(task) ? alsoAt : (Math.min(at, exit) as EventNs);
  }
}
