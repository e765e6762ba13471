// Times of a feed as event times: what they count from is the time of the first
// event. Should that be a wild one, all others would be too far away from it: so
// it is the first that is near to what most of the early ones say.

import { type EventNs, eventTimeOf, type TaskEvent, type TimeBase } from '@dendro/protocol';
import type { EventSink } from '../source.ts';

/** So many events, at most, say together what time it was when the feed began. */
const MAX_EARLY = 64;
/** As far from its base a time is exact in a double: 104 days. */
const MAX_EXACT_NS = BigInt(Number.MAX_SAFE_INTEGER);

interface Draft {
  readonly epochNs: bigint;
  readonly make: (at: EventNs) => TaskEvent;
}

export class EventGate {
  readonly #sink: EventSink;
  readonly #refuse: () => void;
  #base: TimeBase | undefined;
  #early: Draft[] = [];

  /**
   * @param sink gets `clock` before the first event
   * @param refuse is called for an event whose time is too far away to be exact
   */
  constructor(sink: EventSink, refuse: () => void) {
    this.#sink = sink;
    this.#refuse = refuse;
  }

  give(epochNs: bigint, make: (at: EventNs) => TaskEvent): void {
    if (this.#base !== undefined) this.#pass(this.#base, epochNs, make);
    else {
      this.#early.push({ epochNs, make });
      if (this.#early.length >= MAX_EARLY) this.settle();
    }
  }

  /** Nothing waits any longer: the feed makes a pause, or is over. */
  settle(): void {
    const early = this.#early;
    if (early.length === 0) return;
    this.#early = [];
    const times = early.map(({ epochNs }) => epochNs).sort((a, b) => (a < b ? -1 : 1));
    const middle = times[times.length >> 1] ?? 0n;
    const first = early.find(({ epochNs }) => isNear(epochNs, middle));
    const base = { epochNs: first?.epochNs ?? middle };
    this.#base = base;
    this.#sink({ type: 'clock', epochNs: base.epochNs });
    for (const { epochNs, make } of early) this.#pass(base, epochNs, make);
  }

  #pass(base: TimeBase, epochNs: bigint, make: (at: EventNs) => TaskEvent): void {
    if (isNear(epochNs, base.epochNs)) this.#sink(make(eventTimeOf(base, epochNs)));
    else this.#refuse();
  }
}

function isNear(time: bigint, other: bigint): boolean {
  const distance = time - other;
  return distance <= MAX_EXACT_NS && distance >= -MAX_EXACT_NS;
}
