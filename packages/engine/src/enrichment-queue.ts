// Processes that /proc should be asked about. The newest request is the most
// urgent: its process is the likeliest to be alive and to end soon.

import type { EventNs } from '@dendro/protocol';
import type { TaskIndex } from './ids.ts';

export interface EnrichmentRequest {
  readonly task: TaskIndex;
  readonly pid: number;
  /** What it was like from then on is asked. */
  readonly since: EventNs;
}

const MAX_WAITING = 8192;

export class EnrichmentQueue {
  readonly #waiting = new Map<TaskIndex, EnrichmentRequest>(); // oldest request first
  #dropped = 0;

  /** Requests dropped because too many waited. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Requests that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  add(task: TaskIndex, pid: number, since: EventNs): void {
    this.#waiting.delete(task);
    this.#waiting.set(task, { task, pid, since });
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

  /** The process has been read at that time. */
  answer(task: TaskIndex, at: EventNs): void {
    const request = this.#waiting.get(task);
    if (request !== undefined && request.since <= at) this.#waiting.delete(task);
  }

  take(max: number): EnrichmentRequest[] {
    const newest = [...this.#waiting.values()].slice(-max).reverse();
    for (const { task } of newest) this.#waiting.delete(task);
    return newest;
  }
}
