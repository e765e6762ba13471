// tid -> lives that had it, newest first. A chained hash table: tids can go up to
// four million, and a tree holds a few ten thousand.

import { grown, roomFor } from './grow.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';
import type { TemporalTree } from './temporal-tree.ts';

// Columns of a row.
const OLDER = 0; // TaskIndex -> next older life of the same tid | NO_TASK
const SAME_BUCKET = 1; // newest life of a tid -> newest life of another tid of the bucket | NO_TASK
const WIDTH = 2;

export class LivesTable {
  readonly #tree: TemporalTree;
  #buckets = new Int32Array(1024).fill(NO_TASK); // bucket -> newest life of some tid | NO_TASK
  #rows = new Int32Array(0);
  #tids = 0;

  /** @param tree knows the tid of a life */
  constructor(tree: TemporalTree) {
    this.#tree = tree;
  }

  newestOf(tid: number): TaskIndex {
    let task = this.#buckets[tid & (this.#buckets.length - 1)]! as TaskIndex;
    while (task !== NO_TASK && this.#tree.tidOf(task) !== tid) task = this.#rows[task * WIDTH + SAME_BUCKET]! as TaskIndex;
    return task;
  }

  olderOf(task: TaskIndex): TaskIndex {
    return this.#rows[task * WIDTH + OLDER]! as TaskIndex;
  }

  /** Puts a life into the chain of its tid, below `newer`; as the newest, before `newest`, when that is NO_TASK. */
  insert(tid: number, task: TaskIndex, newer: TaskIndex, newest: TaskIndex): void {
    if (task * WIDTH >= this.#rows.length) this.#rows = grown(this.#rows, roomFor(task + 1) * WIDTH, NO_TASK);
    if (newer !== NO_TASK) {
      this.#rows[task * WIDTH + OLDER] = this.#rows[newer * WIDTH + OLDER]!;
      this.#rows[newer * WIDTH + OLDER] = task;
      return;
    }
    this.#rows[task * WIDTH + OLDER] = newest;
    if (newest === NO_TASK) this.#enter(tid, task);
    else this.#replace(tid, newest, task);
  }

  remove(tid: number, task: TaskIndex): void {
    const older = this.#rows[task * WIDTH + OLDER]! as TaskIndex;
    let newer = this.newestOf(tid);
    if (newer === task) {
      this.#replace(tid, task, older);
      return;
    }
    while (newer !== NO_TASK && this.olderOf(newer) !== task) newer = this.olderOf(newer);
    if (newer !== NO_TASK) this.#rows[newer * WIDTH + OLDER] = older;
  }

  #enter(tid: number, task: TaskIndex): void {
    if (this.#tids >= this.#buckets.length) this.#growBuckets();
    this.#tids++;
    const bucket = tid & (this.#buckets.length - 1);
    this.#rows[task * WIDTH + SAME_BUCKET] = this.#buckets[bucket]!;
    this.#buckets[bucket] = task;
  }

  /** Puts another newest life of the tid, or none, in the place of `task`. */
  #replace(tid: number, task: TaskIndex, by: TaskIndex): void {
    const bucket = tid & (this.#buckets.length - 1);
    const after = this.#rows[task * WIDTH + SAME_BUCKET]!;
    const place = by === NO_TASK ? after : by;
    if (by === NO_TASK) this.#tids--;
    else this.#rows[by * WIDTH + SAME_BUCKET] = after;
    if (this.#buckets[bucket] === task) {
      this.#buckets[bucket] = place;
      return;
    }
    let before = this.#buckets[bucket]!;
    while (this.#rows[before * WIDTH + SAME_BUCKET] !== task) before = this.#rows[before * WIDTH + SAME_BUCKET]!;
    this.#rows[before * WIDTH + SAME_BUCKET] = place;
  }

  #growBuckets(): void {
    const old = this.#buckets;
    this.#buckets = new Int32Array(old.length * 2).fill(NO_TASK);
    for (const first of old) {
      let task = first as TaskIndex;
      while (task !== NO_TASK) {
        const next = this.#rows[task * WIDTH + SAME_BUCKET]! as TaskIndex;
        const bucket = this.#tree.tidOf(task) & (this.#buckets.length - 1);
        this.#rows[task * WIDTH + SAME_BUCKET] = this.#buckets[bucket]!;
        this.#buckets[bucket] = task;
        task = next;
      }
    }
  }
}
