// The kernel's boot clock as event time.
//
// Every kernel source stamps with CLOCK_BOOTTIME: trace clock `boot` in
// nanoseconds, /proc/PID/stat in ticks of 10 ms. EventNs 0 is the instant at
// which the clock was read; from then on event time follows the boot clock
// alone, so that setting the wall clock moves nothing.
//
// Boot nanoseconds pass 2^53 after 104 days of uptime, so they are kept in two
// words (or in ticks) until the base has been taken off. The rest is a double
// that is exact for 104 days on either side of the base.
//
// Node has CLOCK_MONOTONIC only (process.hrtime), which does not count time
// spent suspended. The difference is measured on /proc/uptime, the boot clock
// in steps of 10 ms, at the moment at which it steps.

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import type { EventNs, TimeBase } from '@dendro/protocol';

/** Where the clock looks. Tests bring their own. */
export interface ClockReadings {
  /** CLOCK_MONOTONIC in nanoseconds. */
  monotonicNs(): bigint;
  /** Wall clock in milliseconds. */
  wallMs(): number;
  /** Boot clock in ticks of 10 ms, rounded down; undefined where it cannot be read. */
  uptimeTicks(): bigint | undefined;
  /** Nanoseconds that this process' time namespace adds to the boot clock: to what /proc says, not to what tracing says. */
  namespaceBootNs(): bigint;
  /** The same of the monotonic clock: added to what `monotonicNs` says, not to what the kernel stamps with. Default 0. */
  namespaceMonotonicNs?(): bigint;
}

/** Where a clock counts from. */
export interface ClockOrigin {
  readonly epochNs: bigint;
  readonly bootNs: bigint;
  readonly bootAheadNs: bigint;
}

const TICK_NS = 10_000_000;
const WORD = 0x1_0000_0000;
const MS = 1_000_000n;
/** Below this the two clocks are the same and the measured difference is the time of the calls. */
const SAME_CLOCK_NS = MS;
const GOOD_EDGE_NS = MS / 5n;
const FAST_CLOCK_NS = 20_000;
const TIE_NS = 1_000_000;
const MAX_EDGE_WAIT_NS = 15n * MS;
const MAX_EDGES = 3;
/** A wall clock that moved this far against the monotonic one was set, or the host was suspended. */
const JUMP_MS = 500;

export class HostClock {
  readonly base: TimeBase;
  readonly #readings: ClockReadings;
  readonly #bootNs: bigint;
  readonly #high: number;
  readonly #low: number;
  readonly #baseTick: number;
  readonly #baseTickNs: number;
  /** Boot clock less monotonic clock. Grows when the host is suspended. */
  #bootAheadNs = 0n;
  /** The kernel's monotonic clock at EventNs 0, in two words; below zero after long suspensions. */
  #monotonicHigh = 0;
  #monotonicLow = 0;
  #wallAheadMs: number;

  /** Reads this host's clocks. Takes up to some 15 ms. */
  static read(readings: ClockReadings = systemReadings): HostClock {
    const bootAheadNs = measureBootAhead(readings);
    const { epochNs, monotonicNs } = readWall(readings);
    return new HostClock(epochNs, monotonicNs + bootAheadNs, readings, bootAheadNs);
  }

  /**
   * @param epochNs wall time at EventNs 0
   * @param bootNs boot time at EventNs 0
   */
  constructor(epochNs: bigint, bootNs: bigint, readings: ClockReadings = systemReadings, bootAheadNs = 0n) {
    this.base = { epochNs };
    this.#readings = readings;
    this.#bootNs = bootNs;
    this.#high = Number(bootNs >> 32n);
    this.#low = Number(bootNs & 0xffff_ffffn);
    const tickBase = bootNs + readings.namespaceBootNs();
    this.#baseTick = Number(tickBase / BigInt(TICK_NS));
    this.#baseTickNs = Number(tickBase % BigInt(TICK_NS));
    this.#tie(bootAheadNs);
    this.#wallAheadMs = wallAheadMs(readings);
  }

  /** What another thread of this process needs to have the same clock. */
  get origin(): ClockOrigin {
    return { epochNs: this.base.epochNs, bootNs: this.#bootNs, bootAheadNs: this.#bootAheadNs };
  }

  /** The clock of another thread. */
  static at({ epochNs, bootNs, bootAheadNs }: ClockOrigin): HostClock {
    return new HostClock(epochNs, bootNs, systemReadings, bootAheadNs);
  }

  /** Event time of a boot time in two 32-bit words: exact to the nanosecond, whatever the uptime. */
  fromBootNs(high: number, low: number): EventNs {
    return ((high - this.#high) * WORD + (low - this.#low)) as EventNs;
  }

  /**
   * Event time of a time on the kernel's monotonic clock, in two 32-bit words. Exact while the host was never
   * suspended, else as exact as the time spent suspended is known: to some 0.1 ms. It is measured anew by `now`.
   */
  fromMonotonicNs(high: number, low: number): EventNs {
    return ((high - this.#monotonicHigh) * WORD + (low - this.#monotonicLow)) as EventNs;
  }

  /** How far `fromMonotonicNs` may be from what tracing stamps with: its clock is read in a faster way. */
  get monotonicErrorNs(): number {
    return this.#bootAheadNs === 0n ? FAST_CLOCK_NS : TIE_NS;
  }

  /** Event time of a tick of 10 ms: the start time in /proc/PID/stat, rounded down by the kernel. */
  fromStartTicks(ticks: number): EventNs {
    return ((ticks - this.#baseTick) * TICK_NS - this.#baseTickNs) as EventNs;
  }

  /** Event time now. After the host was suspended it first takes up to 15 ms to find out for how long. */
  now(): EventNs {
    const ahead = wallAheadMs(this.#readings);
    if (Math.abs(ahead - this.#wallAheadMs) > JUMP_MS) {
      this.#wallAheadMs = ahead;
      this.#tie(measureBootAhead(this.#readings));
    }
    return Number(this.#readings.monotonicNs() + this.#bootAheadNs - this.#bootNs) as EventNs;
  }

  /** Milliseconds that the wall clock has been set, or has been slewed, since it was read: event time does not follow. */
  wallShiftMs(): number {
    const bootNs = this.#readings.monotonicNs() + this.#bootAheadNs - this.#bootNs;
    return this.#readings.wallMs() - Number((this.base.epochNs + bootNs) / MS);
  }

  #tie(bootAheadNs: bigint): void {
    this.#bootAheadNs = bootAheadNs;
    const monotonicNs = this.#bootNs - bootAheadNs - (this.#readings.namespaceMonotonicNs?.() ?? 0n);
    this.#monotonicHigh = Number(monotonicNs >> 32n);
    this.#monotonicLow = Number(monotonicNs & 0xffff_ffffn);
  }
}

function wallAheadMs(readings: ClockReadings): number {
  return readings.wallMs() - Number(readings.monotonicNs() / MS);
}

/** Date counts milliseconds; the instant at which it counts one is known much better. */
function readWall(readings: ClockReadings): { epochNs: bigint; monotonicNs: bigint } {
  const first = readings.wallMs();
  const giveUp = readings.monotonicNs() + 2n * MS;
  let wall = first;
  let monotonicNs = giveUp;
  do {
    wall = readings.wallMs();
    monotonicNs = readings.monotonicNs();
  } while (wall === first && monotonicNs < giveUp);
  return { epochNs: BigInt(wall) * MS, monotonicNs };
}

/** Boot clock less monotonic clock, 0 when they are one. */
function measureBootAhead(readings: ClockReadings): bigint {
  let best: Edge | undefined;
  for (let i = 0; i < MAX_EDGES; i++) {
    const edge = waitForTick(readings);
    if (edge === undefined) break;
    if (best === undefined || edge.most - edge.least < best.most - best.least) best = edge;
    if (best.most - best.least <= GOOD_EDGE_NS) break;
  }
  if (best === undefined || (best.least <= 0n && best.most >= 0n)) return 0n;
  const ahead = (best.least + best.most) / 2n;
  return ahead < SAME_CLOCK_NS ? 0n : ahead;
}

interface Edge {
  readonly least: bigint;
  readonly most: bigint;
}

/** Bounds of (boot - monotonic): the uptime stepped between the read that showed the old tick and the one that showed the new. */
function waitForTick(readings: ClockReadings): Edge | undefined {
  const namespaceNs = readings.namespaceBootNs();
  let before = readings.monotonicNs();
  const giveUp = before + MAX_EDGE_WAIT_NS;
  const first = readings.uptimeTicks();
  if (first === undefined) return undefined;
  while (before <= giveUp) {
    const beforeNext = readings.monotonicNs();
    const ticks = readings.uptimeTicks();
    const after = readings.monotonicNs();
    if (ticks === undefined) return undefined;
    if (ticks !== first) {
      const bootNs = ticks * BigInt(TICK_NS) - namespaceNs;
      return { least: bootNs - after, most: bootNs - before };
    }
    before = beforeNext;
  }
  return undefined;
}

const uptimeBytes = Buffer.alloc(64);

const systemReadings: ClockReadings = {
  monotonicNs: () => process.hrtime.bigint(),
  wallMs: () => Date.now(),
  uptimeTicks() {
    try {
      const fd = openSync('/proc/uptime', 'r');
      try {
        const length = readSync(fd, uptimeBytes, 0, uptimeBytes.length, 0);
        return parseUptime(uptimeBytes.toString('latin1', 0, length));
      } finally {
        closeSync(fd);
      }
    } catch {
      return undefined; // no /proc: the two clocks are taken to be one
    }
  },
  namespaceBootNs: () => namespaceOffsetNs('boottime'),
  namespaceMonotonicNs: () => namespaceOffsetNs('monotonic'),
};

function namespaceOffsetNs(clock: 'boottime' | 'monotonic'): bigint {
  try {
    const offsets = readFileSync('/proc/self/timens_offsets', 'utf8');
    const [, seconds, ns] = new RegExp(`^${clock}\\s+(-?\\d+)\\s+(\\d+)`, 'm').exec(offsets) ?? [];
    return seconds === undefined || ns === undefined ? 0n : BigInt(seconds) * 1_000_000_000n + BigInt(ns);
  } catch {
    return 0n; // a kernel without time namespaces
  }
}

function parseUptime(text: string): bigint | undefined {
  const [, seconds, hundredths] = /^(\d+)\.(\d\d) /.exec(text) ?? [];
  return seconds === undefined || hundredths === undefined ? undefined : BigInt(seconds) * 100n + BigInt(hundredths);
}
