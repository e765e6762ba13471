// The stretch of time that the strip shows, and how it is divided.

import { type EventNs, epochMsOf, type TimeBase } from '@dendro/protocol';
import { behindUtcMs, zoned } from './zone.ts';

/** `[from, to)` */
export interface TimeWindow {
  readonly from: EventNs;
  readonly to: EventNs;
}

const SECOND = 1e9;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Steps that a person reads at a glance. */
const STEPS = [
  ...[1e6, 2e6, 5e6, 10e6, 20e6, 50e6, 100e6, 200e6, 500e6],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((n) => n * DAY),
];
export const MIN_SPAN_NS = 10e6;
export const MAX_SPAN_NS = 400 * DAY;

/** Width of a bucket: the smallest step of which no more than `most` fit. */
export function stepFor(spanNs: number, most: number): number {
  return STEPS.find((step) => spanNs / step <= most) ?? (STEPS.at(-1) as number);
}

/**
 * The window that is `factor` times as long, with the instant `about` at the same place. Never shorter than 10 ms, nor
 * longer than a year or so.
 */
export function zoomed({ from, to }: TimeWindow, factor: number, about: number): TimeWindow {
  const span = to - from;
  const next = Math.min(MAX_SPAN_NS, Math.max(MIN_SPAN_NS, span * factor));
  const share = span === 0 ? 0.5 : (about - from) / span;
  const start = about - share * next;
  return { from: start as EventNs, to: (start + next) as EventNs };
}

export function moved({ from, to }: TimeWindow, byNs: number): TimeWindow {
  return { from: (from + byNs) as EventNs, to: (to + byNs) as EventNs };
}

/** The same span, moved as little as needed for `at` to be in it. */
export function movedTo(window: TimeWindow, at: EventNs): TimeWindow {
  if (at < window.from) return moved(window, at - window.from - (window.to - window.from) * 0.1);
  if (at > window.to) return moved(window, at - window.to + (window.to - window.from) * 0.1);
  return window;
}

export interface Tick {
  readonly at: EventNs;
  readonly label: string;
}

/** Round times of day in the window; the date where a day begins. */
export function ticksOf({ from, to }: TimeWindow, base: TimeBase, most: number): Tick[] {
  const step = stepFor(to - from, most);
  const fromMs = epochMsOf(base, from);
  // Days begin at midnight of the zone, which is no multiple of anything in UTC.
  const zoneMs = -behindUtcMs(fromMs);
  const stepMs = step / 1e6;
  const ticks: Tick[] = [];
  for (let ms = Math.ceil((fromMs + zoneMs) / stepMs) * stepMs - zoneMs; ticks.length <= most; ms += stepMs) {
    const at = (from + (ms - fromMs) * 1e6) as EventNs;
    if (at > to) break;
    ticks.push({ at, label: labelOf(zoned(ms), ms, step) });
  }
  return ticks;
}

function labelOf(date: Date, ms: number, step: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const minute = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  if (step < SECOND) return `${minute}:${two(date.getUTCSeconds())}.${String(Math.floor(ms) % 1000).padStart(3, '0')}`;
  if (step < MINUTE) return `${minute}:${two(date.getUTCSeconds())}`;
  if (step < DAY && minute !== '00:00') return minute;
  return `${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
}
