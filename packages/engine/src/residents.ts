// What stays in memory: at most so many processes and so many threads. The one
// that events touched longest ago goes first, those that ended before those
// that live. Queries touch nothing.

import { LRUCache } from 'lru-cache';
import type { TaskIndex } from './ids.ts';

export class Residents {
  readonly #living: LRUCache<TaskIndex, TaskIndex>;
  readonly #ended: LRUCache<TaskIndex, TaskIndex>;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
    // One more than the limit: what has to go is taken out by `excess`, never dropped by the cache itself.
    this.#living = new LRUCache({ max: limit + 1 });
    this.#ended = new LRUCache({ max: limit + 1 });
  }

  get size(): number {
    return this.#living.size + this.#ended.size;
  }

  get living(): number {
    return this.#living.size;
  }

  /** Notes an event of the task; a task not seen before becomes a living resident. */
  touch(task: TaskIndex): void {
    if (this.#living.get(task) === undefined && this.#ended.get(task) === undefined) this.#living.set(task, task);
  }

  end(task: TaskIndex): void {
    this.#living.delete(task);
    this.#ended.set(task, task);
  }

  forget(task: TaskIndex): void {
    this.#living.delete(task);
    this.#ended.delete(task);
  }

  /** Takes out the one that has to go, if there are more than the limit. */
  excess(): TaskIndex | undefined {
    if (this.size <= this.#limit) return undefined;
    return this.#ended.size > 0 ? this.#ended.pop() : this.#living.pop();
  }
}
