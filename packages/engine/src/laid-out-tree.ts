// Who is in a layout of the tree, and below whom, as linked lists: a fork or an
// end moves a few links, however large the tree. `layOut` reads again only what
// it is told may have changed (task-changes.ts), or all.
//
// In it are those who are shown, and whoever leads to one of them.

import { type EventNs, NO_TASK_ID } from '@dendro/protocol';
import { roomFor } from './grow.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';
import type { TemporalTree } from './temporal-tree.ts';

export interface OrderOptions {
  readonly at: EventNs;
  /** How long a task that ended stays in the order, ns. Infinity keeps all. */
  readonly keepExitedNs: number;
  /** Stays in it, however long ago it ended: a process that somebody looks at. */
  readonly alsoKeep?: TaskIndex | undefined;
  /** Are the threads of this process laid out too? */
  readonly threads: (process: TaskIndex) => boolean;
  readonly kernelThreads: boolean;
}

/** What a task is by itself, whoever may be below it. */
const STANDING = {
  /** Not there, not begun, or a thread. */
  none: 0,
  /** Ended too long ago. */
  folded: 1,
  /** A kernel thread, and these are not shown. */
  hidden: 2,
  /** One that has ended, not too long ago. */
  hiddenEnded: 3,
  shown: 4,
} as const;

const HAS_THREADS = 1;
const IS_IN = 2;
/** It is among those that will be folded. */
const ENDS = 4;

export class LaidOutTree {
  readonly #tree: TemporalTree;
  #options: OrderOptions | undefined;
  // By TaskIndex. Of lists NO_TASK is the end.
  parents = new Int32Array(0);
  firstChild = new Int32Array(0);
  nextSibling = new Int32Array(0);
  /** The leader is one of them. */
  livingThreads = new Int32Array(0);
  #lastChild = new Int32Array(0);
  #previousSibling = new Int32Array(0);
  #standings = new Uint8Array(0);
  #bits = new Uint8Array(0);
  // What siblings are ordered by.
  #starts = new Float64Array(0);
  #tids = new Int32Array(0);
  #ids = new Float64Array(0);
  firstRoot: TaskIndex = NO_TASK;
  #lastRoot = NO_TASK as number;
  #size = 0;
  #hidden = 0;
  #folded = 0;
  /** Those that have ended and will be folded; perhaps it is not true any more. */
  #ended: TaskIndex[] = [];

  constructor(tree: TemporalTree) {
    this.#tree = tree;
  }

  /** Processes in it. */
  get size(): number {
    return this.#size;
  }

  /** Living kernel threads left out. */
  get hiddenKernelThreads(): number {
    return this.#hidden;
  }

  /** Ended processes left out. */
  get foldedExited(): number {
    return this.#folded;
  }

  /** Has it threads, dead ones too? */
  hasThreads(process: number): boolean {
    return ((this.#bits[process] as number) & HAS_THREADS) !== 0;
  }

  /** All that are in it, in the order of siblings. */
  sorted(): TaskIndex[] {
    const tasks: TaskIndex[] = [];
    for (let slot = 0; slot < this.#bits.length; slot++) if (this.#isIn(slot)) tasks.push(slot as TaskIndex);
    return tasks.sort((a, b) => this.#compare(a, b));
  }

  /** @param changed who may read otherwise than at the last call; undefined: anybody */
  layOut(options: OrderOptions, changed: ReadonlySet<TaskIndex> | undefined): void {
    const before = this.#options;
    this.#options = options;
    const isSame =
      before?.keepExitedNs === options.keepExitedNs &&
      before.kernelThreads === options.kernelThreads &&
      before.alsoKeep === options.alsoKeep;
    if (this.#bits.length < this.#tree.slotCount) this.#grow(roomFor(this.#tree.slotCount));
    if (changed === undefined || !isSame) this.#layOutAll();
    else this.#layOutSome(changed, options);
  }

  #layOutAll(): void {
    this.parents.fill(NO_TASK);
    this.firstChild.fill(NO_TASK);
    this.#lastChild.fill(NO_TASK);
    this.#standings.fill(STANDING.none);
    this.#bits.fill(0);
    this.firstRoot = NO_TASK;
    this.#lastRoot = NO_TASK;
    this.#size = 0;
    this.#hidden = 0;
    this.#folded = 0;
    this.#ended = [];
    const shown: TaskIndex[] = [];
    // hot: runs once per task when a person goes to another time
    for (let slot = 0; slot < this.#tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      this.#read(task);
      this.#countOut(task, 1);
      if (this.#standings[task] === STANDING.shown) shown.push(task);
    }
    for (const task of shown) this.#enter(task);
    // The list grows while it is walked: whoever leads to somebody is in it too.
    for (const task of shown) {
      const parent = this.parents[task] as TaskIndex;
      if (parent === NO_TASK || this.#isIn(parent)) continue;
      this.#enter(parent);
      shown.push(parent);
    }
    shown.sort((a, b) => this.#compare(a, b));
    for (const task of shown) this.#link(task);
  }

  #layOutSome(changed: ReadonlySet<TaskIndex>, { at, keepExitedNs }: OrderOptions): void {
    const leaders = new Set<TaskIndex>();
    for (const task of changed) {
      this.#readAgain(task);
      // Whoever is below it may have to go elsewhere, and its process counts it.
      for (let child = this.firstChild[task] as number; child !== NO_TASK; ) {
        const next = this.nextSibling[child] as number;
        if (!changed.has(child as TaskIndex)) this.#readAgain(child as TaskIndex);
        child = next;
      }
      const leader = this.#tree.leaderOf(task);
      if (leader !== NO_TASK && leader !== task && !changed.has(leader)) leaders.add(leader);
    }
    // Each once: to count its threads costs as much as there are.
    for (const leader of leaders) this.#readAgain(leader);
    const oldest = at - keepExitedNs;
    const ended = this.#ended;
    this.#ended = [];
    for (const task of ended) {
      const exit = this.#tree.exitOf(task);
      const isDue = this.#standings[task] !== STANDING.none && exit < Number.POSITIVE_INFINITY;
      if (isDue && exit >= oldest) this.#ended.push(task);
      else {
        this.#bits[task] = (this.#bits[task] as number) & ~ENDS;
        if (isDue) this.#readAgain(task);
      }
    }
  }

  #readAgain(task: TaskIndex): void {
    const [parent, start, tid, id] = [this.parents[task], this.#starts[task], this.#tids[task], this.#ids[task]];
    this.#countOut(task, -1);
    this.#read(task);
    this.#countOut(task, 1);
    const hasMoved =
      parent !== this.parents[task] ||
      start !== this.#starts[task] ||
      tid !== this.#tids[task] ||
      id !== this.#ids[task];
    if (this.#isIn(task) && hasMoved) {
      this.#unlink(task, parent as number);
      this.#link(task);
      this.#settle(parent as number);
      this.#settle(this.parents[task] as number);
    }
    this.#settle(task);
  }

  /** What the tree says of a task now. */
  #read(task: TaskIndex): void {
    const tree = this.#tree;
    const { at, keepExitedNs, alsoKeep, kernelThreads } = this.#options as OrderOptions;
    let standing: number = STANDING.none;
    let parent: number = NO_TASK;
    if (tree.isPresent(task) && !tree.isThread(task) && tree.startOf(task) <= at) {
      const exit = tree.exitOf(task);
      if (exit < at - keepExitedNs && task !== alsoKeep) standing = STANDING.folded;
      else if (kernelThreads || !tree.isKernelThread(task)) standing = STANDING.shown;
      else standing = exit >= at ? STANDING.hidden : STANDING.hiddenEnded;
      if (exit < Number.POSITIVE_INFINITY && standing !== STANDING.folded) this.#noteEnded(task, keepExitedNs);
      parent = tree.parentAt(task, Math.min(at, exit) as EventNs);
      if (parent !== NO_TASK && !this.#canLead(parent as TaskIndex, at)) parent = NO_TASK;
      this.#countThreads(task, exit, at);
    }
    this.#standings[task] = standing;
    this.parents[task] = parent;
    this.#starts[task] = tree.startOf(task);
    this.#tids[task] = tree.tidOf(task);
    this.#ids[task] = tree.taskIdOf(task);
  }

  #noteEnded(task: TaskIndex, keepExitedNs: number): void {
    const bits = this.#bits[task] as number;
    if (keepExitedNs === Number.POSITIVE_INFINITY || (bits & ENDS) !== 0) return;
    this.#bits[task] = bits | ENDS;
    this.#ended.push(task);
  }

  #canLead(task: TaskIndex, at: EventNs): boolean {
    return this.#tree.isPresent(task) && !this.#tree.isThread(task) && this.#tree.startOf(task) <= at;
  }

  #countThreads(process: TaskIndex, exit: EventNs, at: EventNs): void {
    const tree = this.#tree;
    let living = exit >= at ? 1 : 0;
    const first = tree.firstThreadOf(process);
    for (let thread = first; thread !== NO_TASK; thread = tree.nextThreadOf(thread)) {
      if (tree.isPresent(thread) && tree.isAliveAt(thread, at)) living++;
    }
    this.livingThreads[process] = living;
    const others = (this.#bits[process] as number) & ~HAS_THREADS;
    this.#bits[process] = others | (first === NO_TASK ? 0 : HAS_THREADS);
  }

  /** Puts a task in or takes it out, as is right, and whoever leads to it. */
  #settle(from: number): void {
    for (let task = from; task !== NO_TASK; task = this.parents[task] as number) {
      const belongs = this.#standings[task] === STANDING.shown || this.firstChild[task] !== NO_TASK;
      if (belongs === this.#isIn(task)) return;
      if (belongs) {
        this.#enter(task as TaskIndex);
        this.#link(task as TaskIndex);
      } else this.#leave(task as TaskIndex);
    }
  }

  #enter(task: TaskIndex): void {
    this.#countOut(task, -1);
    this.#bits[task] = (this.#bits[task] as number) | IS_IN;
    this.#size++;
  }

  #leave(task: TaskIndex): void {
    this.#unlink(task, this.parents[task] as number);
    this.#bits[task] = (this.#bits[task] as number) & ~IS_IN;
    this.#size--;
    this.#countOut(task, 1);
  }

  /** Of those that are left out, how many are so for which reason. */
  #countOut(task: TaskIndex, by: 1 | -1): void {
    if (this.#isIn(task)) return;
    const standing = this.#standings[task];
    if (standing === STANDING.folded) this.#folded += by;
    else if (standing === STANDING.hidden) this.#hidden += by;
  }

  /** Into the list of its parent, among its siblings; mostly it is the youngest. */
  #link(task: TaskIndex): void {
    const parent = this.parents[task] as number;
    let before = parent === NO_TASK ? this.#lastRoot : (this.#lastChild[parent] as number);
    while (before !== NO_TASK && this.#compare(before, task) > 0) before = this.#previousSibling[before] as number;
    const first = parent === NO_TASK ? this.firstRoot : (this.firstChild[parent] as number);
    const after = before === NO_TASK ? first : (this.nextSibling[before] as number);
    this.#previousSibling[task] = before;
    this.nextSibling[task] = after;
    if (before === NO_TASK) this.#setFirst(parent, task);
    else this.nextSibling[before] = task;
    if (after === NO_TASK) this.#setLast(parent, task);
    else this.#previousSibling[after] = task;
  }

  #unlink(task: TaskIndex, parent: number): void {
    const before = this.#previousSibling[task] as number;
    const after = this.nextSibling[task] as number;
    if (before === NO_TASK) this.#setFirst(parent, after);
    else this.nextSibling[before] = after;
    if (after === NO_TASK) this.#setLast(parent, before);
    else this.#previousSibling[after] = before;
  }

  #setFirst(parent: number, task: number): void {
    if (parent === NO_TASK) this.firstRoot = task as TaskIndex;
    else this.firstChild[parent] = task;
  }

  #setLast(parent: number, task: number): void {
    if (parent === NO_TASK) this.#lastRoot = task;
    else this.#lastChild[parent] = task;
  }

  #isIn(task: number): boolean {
    return ((this.#bits[task] as number) & IS_IN) !== 0;
  }

  #compare(a: number, b: number): number {
    const byStart = (this.#starts[a] as number) - (this.#starts[b] as number);
    if (byStart !== 0) return byStart;
    return (this.#tids[a] as number) - (this.#tids[b] as number) || (this.#ids[a] as number) - (this.#ids[b] as number);
  }

  #grow(slots: number): void {
    const integers = (from: Int32Array): Int32Array<ArrayBuffer> => {
      const to = new Int32Array(slots).fill(NO_TASK, from.length);
      to.set(from);
      return to;
    };
    const doubles = (from: Float64Array): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(slots).fill(NO_TASK_ID, from.length);
      to.set(from);
      return to;
    };
    const bytes = (from: Uint8Array): Uint8Array<ArrayBuffer> => {
      const to = new Uint8Array(slots);
      to.set(from);
      return to;
    };
    this.parents = integers(this.parents);
    this.firstChild = integers(this.firstChild);
    this.nextSibling = integers(this.nextSibling);
    this.livingThreads = integers(this.livingThreads);
    this.#lastChild = integers(this.#lastChild);
    this.#previousSibling = integers(this.#previousSibling);
    this.#tids = integers(this.#tids);
    this.#starts = doubles(this.#starts);
    this.#ids = doubles(this.#ids);
    this.#standings = bytes(this.#standings);
    this.#bits = bytes(this.#bits);
  }
}
