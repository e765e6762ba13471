// Puts what the thread that reads /proc has seen between the events of the feed,
// each at its time. It is quick: it has read a process that has just called exec
// before the feed has told of the exec, sometimes of the birth.

import type { EventNs, ObserveEvent } from '@dendro/protocol';

/** How much longer than this an event would have to be on its way: what was seen waits no longer for it. */
const MAX_HELD_NS = 60_000_000;

export class Observations {
  #held: ObserveEvent[] = [];
  readonly #apply: (seen: ObserveEvent) => void;
  /** Time of the first that is held; Infinity when there is none. */
  nextAt = Number.POSITIVE_INFINITY;

  constructor(apply: (seen: ObserveEvent) => void) {
    this.#apply = apply;
  }

  /** In the order in which they were seen. */
  add(seen: ObserveEvent): void {
    this.#held.push(seen);
    this.nextAt = Math.min(this.nextAt, seen.at);
  }

  /** Was this process read at that time or later, and is it still to be passed on? */
  holds(pid: number, since: EventNs): boolean {
    return this.#held.some((seen) => seen.pid === pid && seen.at >= since);
  }

  /** Passes on those up to this time: the feed has told what came before. */
  releaseUntil(at: number): void {
    if (this.nextAt > at) return;
    let count = 0;
    for (const seen of this.#held) {
      if (seen.at > at) break;
      this.#apply(seen);
      count++;
    }
    this.#held = this.#held.slice(count);
    this.nextAt = this.#held[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Passes on those that have waited long enough. */
  releaseOld(now: EventNs): void {
    this.releaseUntil(now - MAX_HELD_NS);
  }
}
