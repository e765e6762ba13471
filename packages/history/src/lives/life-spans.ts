// From when to when what is known here of an open life has to be read, and who is read with it. What is known here holds from the
// start of the life on, or, where a part of it is in a block already, from the end of that part on; until
// something is told that changes what is read of the time before, too.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { AUTHORITY, type Authority, type EventNs } from '@dendro/protocol';

const NEVER = Number.NEGATIVE_INFINITY;

export class LifeSpans {
  readonly #tree: TemporalTree;
  // TaskIndex -> …
  #release = new Float64Array(1024);
  #from = new Float64Array(1024); // NaN: since its start
  #isPart = new Uint8Array(1024); // 1: what it was before is in a block
  #seen = new Float64Array(1024); // the last time at which something of it was seen; -Infinity: nothing was

  constructor(tree: TemporalTree) {
    this.#tree = tree;
  }

  /** A slot that is new, or that another task had. */
  enter(task: TaskIndex): void {
    if (task >= this.#from.length) this.#grow(task);
    this.#release[task] = NEVER;
    this.#from[task] = Number.NaN;
    this.#isPart[task] = 0;
    this.#seen[task] = NEVER;
  }

  /** The same of a task that was loaded with its facts. */
  load(task: TaskIndex, from: EventNs, release: EventNs, isPart: boolean): void {
    this.enter(task);
    this.#from[task] = from === this.#tree.startOf(task) ? Number.NaN : from;
    this.#release[task] = release;
    this.#isPart[task] = isPart ? 1 : 0;
    const note = (since: EventNs, authority: Authority) => {
      if (authority === AUTHORITY.sighting) this.noteSighting(task, since);
    };
    this.#tree.forEachEntrySince(task, NEVER as EventNs, (_, since, authority) => note(since, authority));
    this.#tree.forEachParent(task, (_, since, authority) => note(since, authority));
  }

  /** Since when what is known of it here holds. */
  fromOf(task: TaskIndex): EventNs {
    const from = this.#from[task] as number;
    return (Number.isNaN(from) ? this.#tree.startOf(task) : from) as EventNs;
  }

  /** Until when somebody is known to be read through it, or an earlier copy matters; -Infinity where neither is. */
  releaseOf(task: TaskIndex): EventNs {
    return this.#release[task] as EventNs;
  }

  /** It matters until then at least. */
  extend(task: TaskIndex, to: number): void {
    if (to > (this.#release[task] as number)) this.#release[task] = to;
  }

  /** Is what it was before in a block? */
  isPart(task: TaskIndex): boolean {
    return this.#isPart[task] === 1;
  }

  /** What is known until then is in a block. */
  beginPart(task: TaskIndex, from: EventNs): void {
    this.#from[task] = from;
    this.#isPart[task] = 1;
  }

  noteSighting(task: TaskIndex, since: EventNs): void {
    if (since > (this.#seen[task] as number)) this.#seen[task] = since;
  }

  /**
   * To be called when something was told as of a time. Can it change what is read of a time that an earlier copy speaks of? What is
   * told late can, and what was seen; and so can what lies before a sighting, which then goes back no further. [OB2]
   * Then what is known here has to be read as of all of its life, though there are earlier copies.
   */
  noteTold(task: TaskIndex, since: EventNs): void {
    const from = this.#from[task] as number;
    if (since >= from && since > (this.#seen[task] as number)) return;
    if (from > this.#tree.startOf(task)) this.#from[task] = this.#tree.startOf(task);
  }

  /** Who it is has changed, and so what earlier copies say of all of its life; perhaps from another start on. */
  noteChange(task: TaskIndex, startBefore: EventNs): void {
    const from = this.#from[task] as number;
    if (Number.isNaN(from) && startBefore === this.#tree.startOf(task)) return;
    this.#from[task] = Math.min(Number.isNaN(from) ? startBefore : from, startBefore, this.#tree.startOf(task));
  }

  /** Calls `visit` for everyone through whom a task is read. */
  forEachNamedBy(task: TaskIndex, visit: (other: TaskIndex) => void): void {
    const tree = this.#tree;
    const creator = tree.creatorOf(task);
    const leader = tree.leaderOf(task);
    if (creator !== NO_TASK) visit(creator);
    if (leader !== NO_TASK && leader !== task && leader !== creator) visit(leader);
    tree.forEachParent(task, (parent) => {
      if (parent !== NO_TASK && parent !== creator && parent !== leader) visit(parent);
    });
  }

  /**
   * Those through whom a task is read. They matter as long ago as it does, even where they were mentioned for the first
   * time later: who was seen to be its parent was so before.
   */
  reachedThrough(task: TaskIndex): TaskIndex[] {
    const from = this.fromOf(task);
    const above: TaskIndex[] = [];
    this.forEachNamedBy(task, (other) => {
      above.push(other);
      if (this.#tree.isPresent(other) && this.fromOf(other) > from) this.#from[other] = from;
    });
    return above;
  }

  /** The same for everyone at once, from the last ones up. */
  reachUp(): void {
    const tree = this.#tree;
    const todo: TaskIndex[] = [];
    for (let slot = 0; slot < tree.slotCount; slot++) {
      if (tree.isPresent(slot as TaskIndex)) todo.push(slot as TaskIndex);
    }
    for (let task = todo.pop(); task !== undefined; task = todo.pop()) {
      const from = this.fromOf(task);
      this.forEachNamedBy(task, (other) => {
        if (!tree.isPresent(other) || this.fromOf(other) <= from) return;
        this.#from[other] = from;
        todo.push(other);
      });
    }
  }

  /** Everyone who matters at some time in `[from, to]`, in no order. */
  mattering(from: EventNs, to: EventNs): TaskIndex[] {
    const tree = this.#tree;
    const isIn = new Uint8Array(tree.slotCount);
    const found: TaskIndex[] = [];
    const add = (task: TaskIndex) => {
      if (isIn[task] === 1 || !tree.isPresent(task)) return;
      isIn[task] = 1;
      found.push(task);
    };
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!tree.isPresent(task) || this.fromOf(task) > to) continue;
      const ends = Math.max(tree.exitOf(task), this.#release[task] as number);
      // Who is named by others may be so by one of whom there is a part in a block.
      if (ends >= from || tree.isReferenced(task)) add(task);
    }
    // And through whom they are read, at however many removes. The list grows while it is walked.
    for (let i = 0; i < found.length; i++) this.forEachNamedBy(found[i] as TaskIndex, add);
    return found;
  }

  #grow(task: TaskIndex): void {
    const capacity = 2 ** Math.ceil(Math.log2(task + 2));
    const grow = <A extends Uint8Array | Float64Array>(from: A, to: A): A => {
      to.set(from);
      return to;
    };
    this.#release = grow(this.#release, new Float64Array(capacity));
    this.#from = grow(this.#from, new Float64Array(capacity));
    this.#isPart = grow(this.#isPart, new Uint8Array(capacity));
    this.#seen = grow(this.#seen, new Float64Array(capacity));
  }
}
