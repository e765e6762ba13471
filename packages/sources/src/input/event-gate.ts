// Times of a feed as event times: what they count from is the time of the first
// event. Should that be a wild one, all others would be too far away from it: so
// it is the first that is near to what most of the early ones say.
//
// A feed may go on for years, its times a few nanoseconds coarser then
// (docs/adr/0012). What is refused is a time far after all that were told
// before; in a live feed, which may have been silent for long, it must be far
// after now, too.

import { type EventNs, eventTimeOf, type TaskEvent, type TimeBase } from '@dendro/protocol';
import type { EventSink } from '../source.ts';

/** So many events, at most, say together what time it was when the feed began. */
const MAX_EARLY = 64;
/** As far from its base a time is exact in a double, 104 days: what is as far away from all the others is taken for wild. */
const MAX_DISTANCE_NS = BigInt(Number.MAX_SAFE_INTEGER);

interface Draft {
  readonly epochNs: bigint;
  readonly make: (at: EventNs) => TaskEvent;
}

export interface EventGateOptions {
  /** Does the feed tell of what happens now? */
  readonly isLive?: boolean | undefined;
  /** What a time of the feed is as an event time, where its digits are more than that. */
  readonly eventTimeOf?: typeof eventTimeOf | undefined;
  /** Wall clock in milliseconds. Tests bring their own. */
  readonly wallMs?: (() => number) | undefined;
}

export class EventGate {
  readonly #sink: EventSink;
  readonly #refuse: () => void;
  readonly #isLive: boolean;
  readonly #eventTimeOf: typeof eventTimeOf;
  readonly #wallMs: () => number;
  #base: TimeBase | undefined;
  /** Of what was taken. */
  #newestNs = 0n;
  #early: Draft[] = [];

  /**
   * @param sink gets `clock` before the first event
   * @param refuse is called for an event whose time is far away from that of all others
   */
  constructor(
    sink: EventSink,
    refuse: () => void,
    { isLive = false, eventTimeOf: toEventTime = eventTimeOf, wallMs = Date.now }: EventGateOptions = {},
  ) {
    this.#sink = sink;
    this.#refuse = refuse;
    this.#isLive = isLive;
    this.#eventTimeOf = toEventTime;
    this.#wallMs = wallMs;
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
    this.#newestNs = base.epochNs;
    this.#sink({ type: 'clock', epochNs: base.epochNs });
    for (const { epochNs, make } of early) this.#pass(base, epochNs, make);
  }

  #pass(base: TimeBase, epochNs: bigint, make: (at: EventNs) => TaskEvent): void {
    if (base.epochNs - epochNs > MAX_DISTANCE_NS || this.#isFarAhead(epochNs)) {
      this.#refuse();
      return;
    }
    if (epochNs > this.#newestNs) this.#newestNs = epochNs;
    this.#sink(make(this.#eventTimeOf(base, epochNs)));
  }

  #isFarAhead(epochNs: bigint): boolean {
    if (epochNs - this.#newestNs <= MAX_DISTANCE_NS) return false;
    return !this.#isLive || epochNs - BigInt(this.#wallMs()) * 1_000_000n > MAX_DISTANCE_NS;
  }
}

function isNear(time: bigint, other: bigint): boolean {
  const distance = time - other;
  return distance <= MAX_DISTANCE_NS && distance >= -MAX_DISTANCE_NS;
}
