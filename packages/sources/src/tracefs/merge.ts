// Puts the events of all CPUs (and of a scan) into one order of time.
//
// Each CPU's stream is in order; the streams are read one after the other, and
// an event may be committed a little after its time. So events wait here until
// no earlier one can still come, which the reader of the streams knows
// (`release`). One that comes too late all the same is passed on at once: late
// facts are harmless, lost ones are not.

import type { EventNs, TaskEvent } from '@dendro/protocol';
import type { KernelRecord } from './kernel-record.ts';

export class EventMerge<R extends KernelRecord = TaskEvent> {
  readonly #sink: (record: R) => void;
  /** In order of time up to `#sorted`, then as pushed. */
  #held: R[] = [];
  #sorted = 0;

  constructor(sink: (record: R) => void) {
    this.#sink = sink;
  }

  /** Events that wait. */
  get held(): number {
    return this.#held.length;
  }

  push(event: R): void {
    this.#held.push(event);
  }

  /** Emits what happened at `until` or before. Equal times keep the order in which they were pushed. */
  release(until: number): void {
    const held = this.#held;
    // Timsort, and made for this: few long runs that are sorted already.
    if (this.#sorted < held.length) held.sort(byTime);
    let count = 0;
    while (count < held.length && timeOf(held[count] as R) <= until) count++;
    if (count > 0) this.#held = held.slice(count);
    this.#sorted = this.#held.length;
    for (let i = 0; i < count; i++) this.#sink(held[i] as R);
  }

  /** Emits everything. */
  flush(): void {
    this.release(Number.POSITIVE_INFINITY);
  }
}

/** A gap takes its place where it ends: only then is it known. A clock event precedes everything. */
export function timeOf(event: KernelRecord): EventNs | number {
  if (event.type === 'gap') return event.to;
  return event.type === 'clock' ? Number.NEGATIVE_INFINITY : event.at;
}

function byTime(a: KernelRecord, b: KernelRecord): number {
  return timeOf(a) - timeOf(b);
}
