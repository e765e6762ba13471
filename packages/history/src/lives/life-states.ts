// When an open life is complete.
//
//   living  --end-->  waiting  --a while later-->  ready  --as many as make a block-->  sealed
//                                 |   ^
//                  somebody is read v   | nobody is any more
//                       through it  pinned

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { AUTHORITY, type EventNs, type TaskId } from '@dendro/protocol';
import { DURATION_CLASSES, durationClass } from './duration-class.ts';
import type { LifeSealer } from './life-sealer.ts';
import type { LifeSpans } from './life-spans.ts';

const INIT_TID = 1;
/** They are in the cache of a processor together. */
const EVICTED_AT_ONCE = 256;
const STATE = { none: 0, pinned: 1, ready: 2 } as const;

export interface LifeLimits {
  readonly graceNs: number;
  readonly maxWaiting: number;
  readonly maxPinned: number;
  readonly blockLives: number;
}

export class LifeStates {
  readonly #tree: TemporalTree;
  readonly #spans: LifeSpans;
  readonly #sealer: LifeSealer;
  readonly #limits: LifeLimits;
  #state = new Uint8Array(1024); // TaskIndex -> STATE
  /** Ended lives and when they are looked at, in order; the first ones have gone. */
  #due: { readonly id: TaskId; readonly at: number }[] = [];
  #firstDue = 0;
  readonly #ready: TaskId[][] = Array.from({ length: DURATION_CLASSES }, () => []);
  #readyCount = 0;
  #pinned = 0;
  #pinnedOrder: TaskId[] = [];
  #cut = 0;

  constructor(tree: TemporalTree, spans: LifeSpans, sealer: LifeSealer, limits: LifeLimits) {
    this.#tree = tree;
    this.#spans = spans;
    this.#sealer = sealer;
    this.#limits = limits;
  }

  get waiting(): number {
    return this.#due.length - this.#firstDue;
  }

  get pinned(): number {
    return this.#pinned;
  }

  get ready(): number {
    return this.#readyCount;
  }

  /** Lives through which others are read no further than to them: there were too many. */
  get cut(): number {
    return this.#cut;
  }

  /** A slot that is new, or that another task had. */
  enter(task: TaskIndex): void {
    if (task >= this.#state.length) {
      const grown = new Uint8Array(2 ** Math.ceil(Math.log2(task + 2)));
      grown.set(this.#state);
      this.#state = grown;
    }
    this.#set(task, STATE.none);
  }

  /** One that has ended, or whose threads may have, is looked at a while later. */
  wait(id: TaskId, now: EventNs): void {
    this.#due.push({ id, at: now + this.#limits.graceNs });
  }

  lookAtDue(now: EventNs): void {
    const { maxWaiting, maxPinned, blockLives } = this.#limits;
    for (; this.#firstDue < this.#due.length; this.#firstDue++) {
      const { id, at } = this.#due[this.#firstDue] as { id: TaskId; at: number };
      if (at > now && this.#due.length - this.#firstDue <= maxWaiting) break;
      this.#lookAt(id, now);
    }
    if (this.#firstDue > 4096 && this.#firstDue > this.#due.length / 2) {
      this.#due = this.#due.slice(this.#firstDue);
      this.#firstDue = 0;
    }
    if (this.#pinned > maxPinned) this.#cutPinned(now);
    if (this.#readyCount >= blockLives) this.#sealReady(now);
  }

  /**
   * Looks at everyone who has ended and at whom nobody has looked since: in time, and not at each change of who is named
   * by whom.
   */
  sweep(now: EventNs): void {
    const tree = this.#tree;
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!tree.isPresent(task) || this.#state[task] === STATE.ready) continue;
      if (tree.exitOf(task) < now - this.#limits.graceNs) this.#settle(task, now);
    }
  }

  /** The time of all is over: who lives has ended by then, and everything is sealed. */
  sealAll(at: EventNs): void {
    const [tree, spans] = [this.#tree, this.#spans];
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!tree.isPresent(task)) continue;
      if (tree.exitOf(task) === Number.POSITIVE_INFINITY) tree.mergeExit(task, at, AUTHORITY.inferred);
      spans.extend(task, Math.max(tree.exitOf(task), at));
      this.#set(task, STATE.none);
    }
    spans.reachUp();
    const byClass: TaskIndex[][] = Array.from({ length: DURATION_CLASSES }, () => []);
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!tree.isPresent(task)) continue;
      byClass[durationClass(spans.fromOf(task), spans.releaseOf(task))]?.push(task);
    }
    const { blockLives } = this.#limits;
    for (const [index, tasks] of byClass.entries()) {
      tasks.sort((a, b) => tree.taskIdOf(a) - tree.taskIdOf(b));
      for (let at = 0; at < tasks.length; at += blockLives) {
        this.#sealer.add(tasks.slice(at, at + blockLives));
        this.#sealer.finish(index);
      }
    }
  }

  /**
   * Chains of daemons, each of which was started by the one before and outlived it, can be of any length. Those at the old
   * end get what they inherit as their own, and are read through no further.
   */
  #cutPinned(now: EventNs): void {
    const tree = this.#tree;
    let next = 0;
    for (; next < this.#pinnedOrder.length && this.#pinned > this.#limits.maxPinned; next++) {
      const id = this.#pinnedOrder[next] as TaskId;
      const task = tree.indexOf(id);
      if (task === NO_TASK || !tree.isPresent(task) || this.#state[task] !== STATE.pinned) continue;
      const above = this.#spans.reachedThrough(task);
      if (above.length === 0 || tree.isThread(task)) continue;
      this.#sealer.part(task, id, now);
      const start = tree.startOf(task);
      const values: [field: number, value: number][] = [];
      tree.forEachInherited(task, (field, value) => values.push([field, value]));
      for (const [field, value] of values) tree.mergeValue(task, field, start, AUTHORITY.sighting, value);
      tree.forgetWayUp(task);
      this.#cut++;
      for (const other of above) {
        if (!tree.isPresent(other) || this.#state[other] !== STATE.pinned) continue;
        this.#spans.extend(other, now);
        this.#settle(other, now);
      }
    }
    this.#pinnedOrder = this.#pinnedOrder.slice(next);
  }

  /** A task that has ended, or whose threads may have. */
  #lookAt(id: TaskId, now: EventNs): void {
    const tree = this.#tree;
    const task = tree.indexOf(id);
    if (task === NO_TASK || !tree.isPresent(task)) return;
    for (let thread = tree.firstThreadOf(task); thread !== NO_TASK; thread = tree.nextThreadOf(thread)) {
      if (tree.isPresent(thread)) this.#settle(thread, now);
    }
    this.#settle(task, now);
  }

  #settle(task: TaskIndex, now: EventNs): void {
    const tree = this.#tree;
    const exit = tree.exitOf(task);
    // Orphans are read through init, which nobody names.
    if (exit === Number.POSITIVE_INFINITY || exit > now || tree.tidOf(task) === INIT_TID) {
      this.#set(task, STATE.none);
      return;
    }
    if (tree.isReferenced(task)) {
      if (this.#state[task] !== STATE.pinned) this.#pinnedOrder.push(tree.taskIdOf(task));
      this.#set(task, STATE.pinned);
      return;
    }
    if (this.#state[task] === STATE.ready) return;
    this.#set(task, STATE.ready);
    this.#spans.extend(task, exit);
    this.#ready[durationClass(this.#spans.fromOf(task), this.#spans.releaseOf(task))]?.push(tree.taskIdOf(task));
  }

  #sealReady(now: EventNs): void {
    for (const [index, ids] of this.#ready.entries()) {
      if (ids.length < this.#limits.blockLives / (index > 2 ? 2 : 1)) continue;
      this.#ready[index] = [];
      this.#sealLives(ids, index, now);
    }
  }

  /** Puts ready ones into a block and takes them out of the tree. */
  #sealLives(ids: readonly TaskId[], classIndex: number, now: EventNs): void {
    const tree = this.#tree;
    const still: TaskIndex[] = [];
    let before = 0;
    for (const id of Float64Array.from(ids).sort()) {
      if (id === before) continue;
      before = id;
      const task = tree.indexOf(id as TaskId);
      if (this.#isStillReady(task)) still.push(task);
    }
    if (still.length === 0) return;
    // What is written goes while it is at hand; and not one by one, since then what is read from far up would be looked for anew
    // for each.
    for (let at = 0; at < still.length; at += EVICTED_AT_ONCE) {
      const tasks = still.slice(at, at + EVICTED_AT_ONCE);
      this.#sealer.add(tasks);
      for (const task of tasks) this.#evict(task, now);
    }
    this.#sealer.finish(classIndex);
  }

  #evict(task: TaskIndex, now: EventNs): void {
    const [tree, spans] = [this.#tree, this.#spans];
    const release = spans.releaseOf(task);
    const above = spans.reachedThrough(task);
    this.#set(task, STATE.none);
    tree.evictTask(task, false);
    for (const other of above) {
      if (!tree.isPresent(other)) continue;
      spans.extend(other, release);
      if (this.#state[other] === STATE.pinned) this.#settle(other, now);
    }
  }

  #isStillReady(task: TaskIndex): boolean {
    const tree = this.#tree;
    if (task === NO_TASK || !tree.isPresent(task) || this.#state[task] !== STATE.ready) return false;
    const exit = tree.exitOf(task);
    this.#spans.extend(task, exit);
    if (exit !== Number.POSITIVE_INFINITY && !tree.isReferenced(task)) return true;
    this.#set(task, exit === Number.POSITIVE_INFINITY ? STATE.none : STATE.pinned);
    return false;
  }

  #set(task: TaskIndex, state: number): void {
    const before = this.#state[task];
    if (before === state) return;
    if (before === STATE.pinned) this.#pinned--;
    if (before === STATE.ready) this.#readyCount--;
    if (state === STATE.pinned) this.#pinned++;
    if (state === STATE.ready) this.#readyCount++;
    this.#state[task] = state;
  }
}
