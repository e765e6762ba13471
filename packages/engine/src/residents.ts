// What stays in memory: at most so many processes and so many threads. The one
// that events touched longest ago goes first, those that ended before those
// that live. Queries touch nothing.
//
// Only those that ended stand in an lru-cache: they are the ones that go. The
// living are merely stamped when they are touched. Should they alone be too
// many, the eighth part that was touched longest ago is picked out, and these
// go one by one.

import { LRUCache } from 'lru-cache';
import { grown } from './grow.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';

const STATE = { absent: 0, living: 1, ended: 2 } as const;
const PICKED_SHARE = 1 / 8;

export class Residents {
  readonly #limit: number;
  readonly #ended: LRUCache<TaskIndex, TaskIndex>;
  #state = new Uint8Array(1024); // TaskIndex -> STATE
  #touchedAt = new Float64Array(1024); // TaskIndex -> count of touches when it was touched last
  #touches = 0;
  #livingCount = 0;
  /** The next to go of the living, the most urgent last. */
  #picked: TaskIndex[] = [];
  #pickedAt = 0;

  constructor(limit: number) {
    this.#limit = limit;
    // lru-cache clears its whole key list when the last entry is deleted, in time that grows with `max`. So NO_TASK
    // stays in, as an entry that is never deleted. There is one more place than the limit: what has to go is taken
    // out by `excess`, never dropped by the cache itself.
    this.#ended = new LRUCache({ max: limit + 2 });
    this.#ended.set(NO_TASK, NO_TASK);
  }

  get size(): number {
    return this.#livingCount + this.#ended.size - 1;
  }

  get living(): number {
    return this.#livingCount;
  }

  /** Notes an event of the task; a task not seen before becomes a living resident. */
  touch(task: TaskIndex): void {
    if (task >= this.#state.length) this.#grow(task);
    this.#touchedAt[task] = ++this.#touches;
    if (this.#state[task] === STATE.living) return;
    if (this.#state[task] === STATE.ended) {
      this.#ended.get(task);
      return;
    }
    this.#state[task] = STATE.living;
    this.#livingCount++;
  }

  end(task: TaskIndex): void {
    if (task >= this.#state.length) this.#grow(task);
    if (this.#state[task] === STATE.living) this.#livingCount--;
    this.#state[task] = STATE.ended;
    this.#ended.set(task, task);
  }

  forget(task: TaskIndex): void {
    if (task >= this.#state.length || this.#state[task] === STATE.absent) return;
    if (this.#state[task] === STATE.living) this.#livingCount--;
    else this.#ended.delete(task);
    this.#state[task] = STATE.absent;
  }

  /** Takes out the one that has to go, if there are more than the limit. */
  excess(): TaskIndex | undefined {
    if (this.size <= this.#limit) return undefined;
    const task = this.#ended.size > 1 ? this.#oldestEnded() : this.#oldestLiving();
    if (task !== undefined) this.#state[task] = STATE.absent;
    return task;
  }

  #oldestEnded(): TaskIndex | undefined {
    const oldest = this.#ended.pop();
    if (oldest !== NO_TASK) return oldest;
    this.#ended.set(NO_TASK, NO_TASK);
    return this.#ended.pop();
  }

  #oldestLiving(): TaskIndex | undefined {
    for (;;) {
      const task = this.#picked.pop();
      if (task === undefined) {
        if (this.#livingCount === 0) return undefined;
        this.#pick();
      } else if (this.#state[task] === STATE.living && (this.#touchedAt[task] as number) <= this.#pickedAt) {
        this.#livingCount--;
        return task;
      }
    }
  }

  #pick(): void {
    const living: TaskIndex[] = [];
    for (let task = 0; task < this.#state.length; task++) {
      if (this.#state[task] === STATE.living) living.push(task as TaskIndex);
    }
    living.sort((a, b) => (this.#touchedAt[b] as number) - (this.#touchedAt[a] as number));
    this.#picked = living.slice(-Math.ceil(living.length * PICKED_SHARE));
    this.#pickedAt = this.#touches;
  }

  #grow(task: TaskIndex): void {
    const capacity = 2 ** Math.ceil(Math.log2(task + 1));
    this.#state = grown(this.#state, capacity, STATE.absent);
    this.#touchedAt = grown(this.#touchedAt, capacity, 0);
  }
}
