// What stays in memory: at most so many processes and so many threads. The one
// that events touched longest ago goes first, those that ended before those
// that live. Queries touch nothing.

import { LRUCache } from 'lru-cache';
import { NO_TASK, type TaskIndex } from './ids.ts';

export class Residents {
  readonly #living: LRUCache<TaskIndex, TaskIndex>;
  readonly #ended: LRUCache<TaskIndex, TaskIndex>;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
    this.#living = newCache(limit);
    this.#ended = newCache(limit);
  }

  get size(): number {
    return this.living + this.#ended.size - 1;
  }

  get living(): number {
    return this.#living.size - 1;
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
    return pop(this.#ended.size > 1 ? this.#ended : this.#living);
  }
}

// lru-cache clears its whole key list when the last entry is deleted, in time that grows with `max`. So NO_TASK
// stays in as an entry that is never deleted. One more place than the limit: what has to go is taken out by
// `excess`, never dropped by the cache itself.
function newCache(limit: number): LRUCache<TaskIndex, TaskIndex> {
  const cache = new LRUCache<TaskIndex, TaskIndex>({ max: limit + 2 });
  cache.set(NO_TASK, NO_TASK);
  return cache;
}

function pop(cache: LRUCache<TaskIndex, TaskIndex>): TaskIndex | undefined {
  const oldest = cache.pop();
  if (oldest !== NO_TASK) return oldest;
  cache.set(NO_TASK, NO_TASK);
  return cache.pop();
}
