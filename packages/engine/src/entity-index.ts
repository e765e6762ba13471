// Entity id -> tasks. Entity ids collide, so a lookup gives all that have it.
// A chained hash table in typed arrays: two numbers for each task.

import type { EntityId } from '@dendro/protocol';
import { grown } from './grow.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';

export class EntityIndex {
  #heads = new Int32Array(1024).fill(NO_TASK); // bucket -> TaskIndex | NO_TASK
  #next = new Int32Array(1024).fill(NO_TASK); // TaskIndex -> next task of the same bucket | NO_TASK
  #ids = new Uint32Array(1024); // TaskIndex -> EntityId, 0 = not in here
  #size = 0;

  /** Enters a task, or moves it when it has got another entity id. */
  put(task: TaskIndex, id: EntityId): void {
    if (task >= this.#next.length) this.#growTasks(task);
    if (this.#ids[task] === id) return;
    this.remove(task);
    if (this.#size >= this.#heads.length) this.#growHeads();
    this.#size++;
    this.#ids[task] = id;
    const bucket = id & (this.#heads.length - 1);
    this.#next[task] = this.#heads[bucket] as number;
    this.#heads[bucket] = task;
  }

  remove(task: TaskIndex): void {
    const id = task < this.#ids.length ? (this.#ids[task] as number) : 0;
    if (id === 0) return;
    this.#size--;
    this.#ids[task] = 0;
    const bucket = id & (this.#heads.length - 1);
    const next = this.#next[task] as number;
    if (this.#heads[bucket] === task) {
      this.#heads[bucket] = next;
      return;
    }
    let before = this.#heads[bucket] as number;
    while (this.#next[before] !== task) before = this.#next[before] as number;
    this.#next[before] = next;
  }

  /** In no order. */
  find(id: EntityId): TaskIndex[] {
    const found: TaskIndex[] = [];
    let task = this.#heads[id & (this.#heads.length - 1)] as number;
    for (; task !== NO_TASK; task = this.#next[task] as number)
      if (this.#ids[task] === id) found.push(task as TaskIndex);
    return found;
  }

  #growTasks(task: TaskIndex): void {
    const capacity = 2 ** Math.ceil(Math.log2(task + 1));
    this.#next = grown(this.#next, capacity, NO_TASK);
    this.#ids = grown(this.#ids, capacity, 0);
  }

  #growHeads(): void {
    this.#heads = new Int32Array(this.#heads.length * 2).fill(NO_TASK);
    for (let task = 0; task < this.#ids.length; task++) {
      const id = this.#ids[task] as number;
      if (id === 0) continue;
      const bucket = id & (this.#heads.length - 1);
      this.#next[task] = this.#heads[bucket] as number;
      this.#heads[bucket] = task;
    }
  }
}
