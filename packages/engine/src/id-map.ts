// TaskId -> TaskIndex: a chained hash table in typed arrays, eight bytes for
// each task. A Map would cost five times the memory and twice the time, and
// this is looked up and changed at every birth and eviction.

import type { TaskId } from '@dendro/protocol';
import { grown } from './grow.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';

export class IdMap {
  readonly #idOf: (task: TaskIndex) => TaskId;
  #heads = new Int32Array(1024).fill(NO_TASK); // bucket -> TaskIndex | NO_TASK
  #next = new Int32Array(1024).fill(NO_TASK); // TaskIndex -> next task of the same bucket | NO_TASK
  #size = 0;

  /** @param idOf the id of a task that is in the map: it is kept elsewhere already */
  constructor(idOf: (task: TaskIndex) => TaskId) {
    this.#idOf = idOf;
  }

  get size(): number {
    return this.#size;
  }

  get(id: TaskId): TaskIndex {
    let task = this.#heads[this.#bucketOf(id)] as TaskIndex;
    while (task !== NO_TASK && this.#idOf(task) !== id) task = this.#next[task] as TaskIndex;
    return task;
  }

  /** The id must not be in the map, and `idOf(task)` must be `id` from now on. */
  add(id: TaskId, task: TaskIndex): void {
    if (task >= this.#next.length) this.#next = grown(this.#next, 2 ** Math.ceil(Math.log2(task + 1)), NO_TASK);
    if (this.#size >= this.#heads.length) this.#growHeads();
    this.#size++;
    const bucket = this.#bucketOf(id);
    this.#next[task] = this.#heads[bucket] as number;
    this.#heads[bucket] = task;
  }

  delete(id: TaskId): void {
    const bucket = this.#bucketOf(id);
    let before: TaskIndex = NO_TASK;
    let task = this.#heads[bucket] as TaskIndex;
    while (task !== NO_TASK && this.#idOf(task) !== id) {
      before = task;
      task = this.#next[task] as TaskIndex;
    }
    if (task === NO_TASK) return;
    this.#size--;
    if (before === NO_TASK) this.#heads[bucket] = this.#next[task] as number;
    else this.#next[before] = this.#next[task] as number;
  }

  // Ids come in sequence: neighbours fall into neighbouring buckets, which spreads them evenly.
  #bucketOf(id: number): number {
    return (id | 0) & (this.#heads.length - 1);
  }

  #growHeads(): void {
    const old = this.#heads;
    this.#heads = new Int32Array(old.length * 2).fill(NO_TASK);
    for (const head of old) {
      let task = head as TaskIndex;
      while (task !== NO_TASK) {
        const next = this.#next[task] as TaskIndex;
        const bucket = this.#bucketOf(this.#idOf(task));
        this.#next[task] = this.#heads[bucket] as number;
        this.#heads[bucket] = task;
        task = next;
      }
    }
  }
}
