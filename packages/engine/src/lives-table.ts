// tid -> lives that had it, newest first. A chained hash table: tids can go up to
// four million, and a tree holds a few ten thousand.

import { NO_TASK, type TaskIndex } from './ids.ts';
import type { Rows } from './rows.ts';
import { TASK_ROW } from './task-row.ts';

const { olderLife: OLDER, newerLife: NEWER, sameTidBucket: SAME_BUCKET, tid: TID, integers: WIDTH } = TASK_ROW;

export class LivesTable {
  #buckets = new Int32Array(1024).fill(NO_TASK); // bucket -> newest life of some tid | NO_TASK
  readonly #rows: Rows;
  #tids = 0;

  /** @param rows of the tasks */
  constructor(rows: Rows) {
    this.#rows = rows;
  }

  newestOf(tid: number): TaskIndex {
    let task = this.#buckets[tid & (this.#buckets.length - 1)]! as TaskIndex;
    while (task !== NO_TASK && this.#rows.i32[task * WIDTH + TID] !== tid)
      task = this.#rows.i32[task * WIDTH + SAME_BUCKET]! as TaskIndex;
    return task;
  }

  olderOf(task: TaskIndex): TaskIndex {
    return this.#rows.i32[task * WIDTH + OLDER]! as TaskIndex;
  }

  /** The next newer life of the same tid; NO_TASK of the newest one. */
  newerOf(tid: number, task: TaskIndex): TaskIndex {
    return this.newestOf(tid) === task ? NO_TASK : (this.#rows.i32[task * WIDTH + NEWER]! as TaskIndex);
  }

  /** Puts a life into the chain of its tid, below `newer`; as the newest, before `newest`, when that is NO_TASK. */
  insert(tid: number, task: TaskIndex, newer: TaskIndex, newest: TaskIndex): void {
    if (newer !== NO_TASK) {
      this.#join(task, this.olderOf(newer));
      this.#join(newer, task);
    } else if (newest === NO_TASK) {
      this.#rows.i32[task * WIDTH + OLDER] = NO_TASK;
      this.#enter(tid, task);
    } else {
      this.#replace(tid, newest, task);
      this.#join(task, newest);
    }
  }

  remove(tid: number, task: TaskIndex): void {
    const older = this.olderOf(task);
    const newer = this.newerOf(tid, task);
    if (newer === NO_TASK) this.#replace(tid, task, older);
    else this.#join(newer, older);
  }

  #join(newer: TaskIndex, older: TaskIndex): void {
    this.#rows.i32[newer * WIDTH + OLDER] = older;
    if (older !== NO_TASK) this.#rows.i32[older * WIDTH + NEWER] = newer;
  }

  #enter(tid: number, task: TaskIndex): void {
    if (this.#tids >= this.#buckets.length) this.#growBuckets();
    this.#tids++;
    const bucket = tid & (this.#buckets.length - 1);
    this.#rows.i32[task * WIDTH + SAME_BUCKET] = this.#buckets[bucket]!;
    this.#buckets[bucket] = task;
  }

  /** Puts another newest life of the tid, or none, in the place of `task`. */
  #replace(tid: number, task: TaskIndex, by: TaskIndex): void {
    const bucket = tid & (this.#buckets.length - 1);
    const after = this.#rows.i32[task * WIDTH + SAME_BUCKET]!;
    const place = by === NO_TASK ? after : by;
    if (by === NO_TASK) this.#tids--;
    else this.#rows.i32[by * WIDTH + SAME_BUCKET] = after;
    if (this.#buckets[bucket] === task) {
      this.#buckets[bucket] = place;
      return;
    }
    let before = this.#buckets[bucket]!;
    while (this.#rows.i32[before * WIDTH + SAME_BUCKET] !== task)
      before = this.#rows.i32[before * WIDTH + SAME_BUCKET]!;
    this.#rows.i32[before * WIDTH + SAME_BUCKET] = place;
  }

  #growBuckets(): void {
    const old = this.#buckets;
    this.#buckets = new Int32Array(old.length * 2).fill(NO_TASK);
    for (const first of old) {
      let task = first as TaskIndex;
      while (task !== NO_TASK) {
        const next = this.#rows.i32[task * WIDTH + SAME_BUCKET]! as TaskIndex;
        const bucket = this.#rows.i32[task * WIDTH + TID]! & (this.#buckets.length - 1);
        this.#rows.i32[task * WIDTH + SAME_BUCKET] = this.#buckets[bucket]!;
        this.#buckets[bucket] = task;
        task = next;
      }
    }
  }
}
