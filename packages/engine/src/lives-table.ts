// Which lives a tid has had. A pid space of 32,768 wraps in seconds, so a tid
// means nothing without a time: each tid has a chain of lives, newest start
// first.

import { grown } from './grow.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';

export class LivesTable {
  #newest = new Int32Array(32_768).fill(NO_TASK); // tid -> TaskIndex of its newest life | NO_TASK
  #older = new Int32Array(1024).fill(NO_TASK); // TaskIndex -> next older life of the same tid | NO_TASK

  newestOf(tid: number): TaskIndex {
    return tid < this.#newest.length ? (this.#newest[tid]! as TaskIndex) : NO_TASK;
  }

  olderOf(task: TaskIndex): TaskIndex {
    return this.#older[task]! as TaskIndex;
  }

  /** Puts a life into the chain below `newer` (NO_TASK: it is the newest). */
  insert(tid: number, task: TaskIndex, newer: TaskIndex): void {
    if (tid >= this.#newest.length) this.#newest = grown(this.#newest, powerAbove(tid), NO_TASK);
    if (task >= this.#older.length) this.#older = grown(this.#older, powerAbove(task), NO_TASK);
    if (newer === NO_TASK) {
      this.#older[task] = this.#newest[tid]!;
      this.#newest[tid] = task;
    } else {
      this.#older[task] = this.#older[newer]!;
      this.#older[newer] = task;
    }
  }

  remove(tid: number, task: TaskIndex): void {
    const older = this.#older[task]!;
    this.#older[task] = NO_TASK;
    if (this.#newest[tid] === task) {
      this.#newest[tid] = older;
      return;
    }
    let newer = this.#newest[tid]!;
    while (newer !== NO_TASK && this.#older[newer] !== task) newer = this.#older[newer]!;
    if (newer !== NO_TASK) this.#older[newer] = older;
  }
}

function powerAbove(index: number): number {
  return 2 ** Math.ceil(Math.log2(index + 1));
}
