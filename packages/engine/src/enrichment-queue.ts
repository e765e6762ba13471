// Processes that /proc should be asked about. The newest request is the most
// urgent: its process is the likeliest to be alive and to end soon.

import type { TaskIndex } from './ids.ts';

export interface EnrichmentRequest {
  readonly task: TaskIndex;
  readonly pid: number;
}

const MAX_WAITING = 8192;

export class EnrichmentQueue {
  readonly #waiting = new Map<TaskIndex, number>(); // task -> pid, oldest request first
  #dropped = 0;

  /** Requests dropped because too many waited. */
  get dropped(): number {
    return this.#dropped;
  }

  add(task: TaskIndex, pid: number): void {
    this.#waiting.delete(task);
    this.#waiting.set(task, pid);
    if (this.#waiting.size <= MAX_WAITING) return;
    for (const oldest of this.#waiting.keys()) {
      this.#waiting.delete(oldest);
      this.#dropped++;
      return;
    }
  }

  /** The process has ended: /proc knows nothing of it any more. */
  cancel(task: TaskIndex): void {
    this.#waiting.delete(task);
  }

  take(max: number): EnrichmentRequest[] {
    const newest = [...this.#waiting].slice(-max).reverse();
    for (const [task] of newest) this.#waiting.delete(task);
    return newest.map(([task, pid]) => ({ task, pid }));
  }
}
