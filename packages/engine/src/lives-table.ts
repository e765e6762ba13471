// Which lives a tid has had. A pid space of 32,768 wraps in seconds, so a tid
// means nothing without a time: each tid has a chain of lives, newest start
// first.
//
// The newest lives of all tids hang in a chained hash table: tids can go up to
// four million, and a tree holds a few ten thousand.

import { grown } from './grow.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';

export class LivesTable {
  #buckets = new Int32Array(1024).fill(NO_TASK); // bucket -> newest life of some tid | NO_TASK
  #next = new Int32Array(1024).fill(NO_TASK); // newest life -> newest life of another tid of the bucket | NO_TASK
  #older = new Int32Array(1024).fill(NO_TASK); // TaskIndex -> next older life of the same tid | NO_TASK
  #tid = new Int32Array(1024); // TaskIndex -> tid
  #tids = 0;

  newestOf(tid: number): TaskIndex {
    let task = this.#buckets[tid & (this.#buckets.length - 1)]! as TaskIndex;
    while (task !== NO_TASK && this.#tid[task] !== tid) task = this.#next[task]! as TaskIndex;
    return task;
  }

  olderOf(task: TaskIndex): TaskIndex {
    return this.#older[task]! as TaskIndex;
  }

  /** Puts a life into the chain below `newer` (NO_TASK: it is the newest). */
  insert(tid: number, task: TaskIndex, newer: TaskIndex): void {
    if (task >= this.#older.length) this.#growTasks(task);
    this.#tid[task] = tid;
    if (newer !== NO_TASK) {
      this.#older[task] = this.#older[newer]!;
      this.#older[newer] = task;
      return;
    }
    const newest = this.newestOf(tid);
    this.#older[task] = newest;
    if (newest === NO_TASK) this.#enter(tid, task);
    else this.#replace(tid, newest, task);
  }

  remove(tid: number, task: TaskIndex): void {
    const older = this.#older[task]!;
    this.#older[task] = NO_TASK;
    let newer = this.newestOf(tid);
    if (newer === task) {
      this.#replace(tid, task, older as TaskIndex);
      return;
    }
    while (newer !== NO_TASK && this.#older[newer] !== task) newer = this.#older[newer]! as TaskIndex;
    if (newer !== NO_TASK) this.#older[newer] = older;
  }

  #enter(tid: number, task: TaskIndex): void {
    if (this.#tids >= this.#buckets.length) this.#growBuckets();
    this.#tids++;
    const bucket = tid & (this.#buckets.length - 1);
    this.#next[task] = this.#buckets[bucket]!;
    this.#buckets[bucket] = task;
  }

  /** Puts another newest life of the tid, or none, in the place of `task`. */
  #replace(tid: number, task: TaskIndex, by: TaskIndex): void {
    const bucket = tid & (this.#buckets.length - 1);
    const after = this.#next[task]!;
    const place = by === NO_TASK ? after : by;
    if (by === NO_TASK) this.#tids--;
    else this.#next[by] = after;
    this.#next[task] = NO_TASK;
    if (this.#buckets[bucket] === task) {
      this.#buckets[bucket] = place;
      return;
    }
    let before = this.#buckets[bucket]!;
    while (this.#next[before] !== task) before = this.#next[before]!;
    this.#next[before] = place;
  }

  #growTasks(task: TaskIndex): void {
    const capacity = 2 ** Math.ceil(Math.log2(task + 1));
    this.#next = grown(this.#next, capacity, NO_TASK);
    this.#older = grown(this.#older, capacity, NO_TASK);
    this.#tid = grown(this.#tid, capacity, 0);
  }

  #growBuckets(): void {
    const old = this.#buckets;
    this.#buckets = new Int32Array(old.length * 2).fill(NO_TASK);
    for (const first of old) {
      let task = first;
      while (task !== NO_TASK) {
        const next = this.#next[task]!;
        const bucket = this.#tid[task]! & (this.#buckets.length - 1);
        this.#next[task] = this.#buckets[bucket]!;
        this.#buckets[bucket] = task;
        task = next;
      }
    }
  }
}
