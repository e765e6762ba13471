// The span of time in which lives are looked at: to zoom it, to move it, to mark it
// with ticks. A process can live for microseconds: this is finer than the strip of
// time (time-window.ts), and exact to the nanosecond.

import { type EventNs, epochOf, type TimeBase } from '@dendro/protocol';
import type { TimeWindow } from './time-window.ts';
import { behindUtcMs, zoned } from './zone.ts';

const MIN_SPAN_NS = 1000;
/** Ten years. */
const MAX_SPAN_NS = 3.2e17;

/** @param factor below 1 comes closer; @param anchor what stays where it is, 0 at the left edge, 1 at the right one */
export function zoomWindow({ from, to }: TimeWindow, factor: number, anchor: number): TimeWindow {
  const span = Math.min(MAX_SPAN_NS, Math.max(MIN_SPAN_NS, (to - from) * factor));
  const fixed = from + (to - from) * anchor;
  return windowOf(fixed - span * anchor, fixed + span * (1 - anchor));
}

/** @param part of the window: -0.25 goes a quarter back */
export function panWindow({ from, to }: TimeWindow, part: number): TimeWindow {
  const by = (to - from) * part;
  return windowOf(from + by, to + by);
}

/** Never empty. */
export function windowOf(from: number, to: number): TimeWindow {
  const begin = Math.round(from);
  return { from: begin as EventNs, to: Math.max(Math.round(to), begin + MIN_SPAN_NS) as EventNs };
}

export interface Tick {
  /** 0 at the left edge of the window, 1 at the right one. */
  readonly x: number;
  readonly label: string;
}

const SECOND = 1_000_000_000;
const STEPS = [
  ...[3, 4, 5, 6, 7, 8].flatMap((digits) => [1, 2, 5].map((n) => n * 10 ** digits)),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * 60 * SECOND),
  ...[1, 2, 3, 6, 12].map((n) => n * 3600 * SECOND),
  ...[1, 2, 7, 14, 28, 91, 182, 365, 730].map((n) => n * 86_400 * SECOND),
];

/** Round instants in a window, so many at most; days begin where they do here. */
export function ticksOf(window: TimeWindow, base: TimeBase, most: number): Tick[] {
  const span = window.to - window.from;
  const step = STEPS.find((step) => span / step <= most) ?? (STEPS.at(-1) as number);
  const begin = epochOf(base, window.from);
  const zone = BigInt(behindUtcMs(Number(begin / 1_000_000n))) * 1_000_000n;
  const size = BigInt(step);
  const past = (((begin - zone) % size) + size) % size;
  const ticks: Tick[] = [];
  for (let at = past === 0n ? begin : begin + size - past; ticks.length <= most; at += size) {
    const x = Number(at - begin) / span;
    if (x > 1) break;
    ticks.push({ x, label: tickLabel(at, step) });
  }
  return ticks;
}

function tickLabel(at: bigint, step: number): string {
  const date = zoned(Number(at / 1_000_000n));
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  if (step >= 86_400 * SECOND) return `${date.getUTCFullYear()}-${day}`;
  const minute = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  if (step >= 60 * SECOND) return minute === '00:00' ? day : minute;
  const second = `${minute}:${two(date.getUTCSeconds())}`;
  if (step >= SECOND) return second;
  const digits = 9 - Math.floor(Math.log10(step));
  const rest = String(((at % BigInt(SECOND)) + BigInt(SECOND)) % BigInt(SECOND)).padStart(9, '0');
  return `${second.slice(6)}.${rest.slice(0, digits)}`;
}
