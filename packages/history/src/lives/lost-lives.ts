// Tasks that lived when the recorder's tree let go of them, because its memory was full. That says nothing of the host, but of
// these nothing more will be told: the next life of their tid ends them.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { EventNs, TaskId, Tid } from '@dendro/protocol';

const MAX_LOST = 16_384;

/** That a task has ended, which nobody has said. */
export type Conclude = (task: TaskIndex, id: TaskId, at: EventNs) => void;

export class LostLives {
  readonly #tree: TemporalTree;
  readonly #conclude: Conclude;
  readonly #byTid = new Map<Tid, TaskId>();
  /** Tasks that the batch has told of which is being taken, and that were not here before. */
  #entered: TaskIndex[] = [];

  constructor(tree: TemporalTree, conclude: Conclude) {
    this.#tree = tree;
    this.#conclude = conclude;
  }

  beginBatch(): void {
    this.#entered.length = 0;
  }

  /** A life of a tid was told of: before it is entered. */
  meet(tid: Tid, id: TaskId, start: EventNs): void {
    if (this.#byTid.size > 0 && this.#byTid.get(tid) !== id) this.#end(tid, start);
  }

  enter(task: TaskIndex): void {
    this.#entered.push(task);
  }

  evict(id: TaskId, now: EventNs): void {
    const tree = this.#tree;
    const task = tree.indexOf(id);
    if (task === NO_TASK || !tree.isPresent(task) || tree.exitOf(task) !== Number.POSITIVE_INFINITY) return;
    const tid = tree.tidOf(task);
    if (this.#byTid.has(tid)) return;
    // What a batch says of tasks comes before whom it evicts, whatever was first.
    const next = this.#enteredWith(tid, task);
    if (next !== undefined) {
      this.#conclude(task, id, next);
      return;
    }
    const oldest = this.#byTid.size < MAX_LOST ? undefined : this.#byTid.keys().next().value;
    if (oldest !== undefined) this.#end(oldest, now);
    this.#byTid.set(tid, id);
  }

  /** When the next life of a tid began that was told of in this batch. */
  #enteredWith(tid: Tid, before: TaskIndex): EventNs | undefined {
    const tree = this.#tree;
    let first: EventNs | undefined;
    for (const task of this.#entered) {
      if (task === before || !tree.isPresent(task) || tree.tidOf(task) !== tid) continue;
      const start = tree.startOf(task);
      if (start >= tree.startOf(before) && (first === undefined || start < first)) first = start;
    }
    return first;
  }

  #end(tid: Tid, at: EventNs): void {
    const id = this.#byTid.get(tid);
    if (id === undefined) return;
    this.#byTid.delete(tid);
    const task = this.#tree.indexOf(id);
    if (task === NO_TASK || !this.#tree.isPresent(task) || this.#tree.startOf(task) > at) return;
    this.#conclude(task, id, at);
  }
}
