// The tasks that facts have come about since somebody last asked, each once.

import { grown, roomFor } from './grow.ts';
import type { TaskIndex } from './ids.ts';

export class TouchedTasks {
  #tasks: TaskIndex[] = [];
  #isIn = new Uint8Array(0); // TaskIndex -> 1 when it is in #tasks
  #isEvery = true;

  note(task: TaskIndex): void {
    if (this.#isEvery) return;
    if (task >= this.#isIn.length) this.#isIn = grown(this.#isIn, roomFor(task + 1), 0);
    if (this.#isIn[task] === 1) return;
    this.#isIn[task] = 1;
    this.#tasks.push(task);
  }

  noteEvery(): void {
    this.#isEvery = true;
  }

  /** @returns undefined when it can be any of all: at first, and when the tree has been emptied or begun anew */
  take(): readonly TaskIndex[] | undefined {
    const tasks = this.#tasks;
    for (const task of tasks) this.#isIn[task] = 0;
    this.#tasks = [];
    const isEvery = this.#isEvery;
    this.#isEvery = false;
    return isEvery ? undefined : tasks;
  }
}
