// Event time and wall time.
//
// Inside a host's tree a time is an offset in nanoseconds from the host's time
// base (`EventNs`, a double: exact for 104 days on either side of the base, and
// coarser by a bit whenever the distance doubles).
// The base itself is an epoch time and is kept as a bigint. Outside (JSON, URLs,
// the command line) a time is an exact decimal string of epoch nanoseconds.

import type { EventNs } from './ids.ts';

export interface TimeBase {
  /** Epoch nanoseconds at EventNs 0. */
  readonly epochNs: bigint;
}

/** Times are those of a signed 64-bit number of nanoseconds, 1677 to 2262, as everywhere in Linux and Tracee. */
const MAX_EPOCH_NS = 9_223_372_036_854_775_807n;

export function epochOf(base: TimeBase, at: EventNs): bigint {
  return base.epochNs + BigInt(Math.round(at));
}

export function eventTimeOf(base: TimeBase, epochNs: bigint): EventNs {
  return Number(epochNs - base.epochNs) as EventNs;
}

/** Times are at most 2^64 ns apart. */
const COARSEST_NS = 2 ** 12;

/** How far apart times are that differ there: 1 ns up to 104 days from the base, 2 ns up to 208, 32 ns after five years. */
export function resolutionAt(at: EventNs): number {
  const distance = Math.abs(at);
  let resolution = 1;
  while (distance >= resolution * 2 ** 53 && resolution < COARSEST_NS) resolution *= 2;
  return resolution;
}

/** A time before this one with hardly any in between. */
export function justBefore(at: EventNs): EventNs {
  return (at - resolutionAt(at)) as EventNs;
}

/** Milliseconds since the epoch, for display. Precise to a microsecond or so. */
export function epochMsOf(base: TimeBase, at: EventNs): number {
  return Number(base.epochNs / 1_000_000n) + (Number(base.epochNs % 1_000_000n) + at) / 1e6;
}

const RELATIVE = /^-(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)$/;
const RFC_3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;
const UNESCAPED_ZONE = / (\d{2}:\d{2})$/;
const UNIT_NS: Readonly<Record<string, bigint>> = {
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
};

/**
 * Reads a time as a user writes it.
 *
 * @param text `live`, epoch nanoseconds in decimal, RFC 3339 (`2026-11-23T12:00:00.5Z`), or relative
 *   to now (`-5m`, `-1.5s`, `-250ms`; units ms, s, m, h, d). The plus of `+01:00` may be a blank: that is what a query
 *   makes of a plus that was not escaped.
 * @returns epoch nanoseconds, `'live'`, or undefined when the text is none of these.
 */
export function parseTime(text: string, nowEpochNs: bigint): bigint | 'live' | undefined {
  if (text === 'live') return 'live';
  if (/^\d{1,19}$/.test(text)) return inRange(BigInt(text));
  const relative = RELATIVE.exec(text);
  if (relative) {
    const [whole = '0', fraction = ''] = (relative[1] ?? '0').split('.');
    const unit = UNIT_NS[relative[2] ?? ''] ?? 0n;
    const ago = BigInt(whole) * unit + (unit * BigInt(fraction.padEnd(9, '0'))) / 1_000_000_000n;
    return inRange(nowEpochNs - ago);
  }
  return parseRfc3339Ns(text.replace(UNESCAPED_ZONE, '+$1'));
}

/** Epoch nanoseconds of an RFC 3339 time, all nine decimals kept; undefined when it is not one. */
export function parseRfc3339Ns(text: string): bigint | undefined {
  const match = RFC_3339.exec(text);
  if (!match) return undefined;
  const [, seconds = '', fraction = '', zone = ''] = match;
  const ms = Date.parse(seconds + zone);
  if (Number.isNaN(ms) || !isInCalendar(seconds)) return undefined;
  return inRange(BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0')));
}

/** `Date.parse` takes 30 February for 2 March and 24:00 for the next day; only days past the 28th need a second look. */
function isInCalendar(seconds: string): boolean {
  if (seconds.slice(8, 10) <= '28' && seconds.slice(11, 13) !== '24') return true;
  return new Date(`${seconds}Z`).toISOString().startsWith(seconds);
}

function inRange(ns: bigint): bigint | undefined {
  return ns >= -MAX_EPOCH_NS && ns <= MAX_EPOCH_NS ? ns : undefined;
}

/** RFC 3339 in UTC with nine decimals, for people who read JSON. */
export function formatRfc3339Ns(epochNs: bigint): string {
  const fraction = ((epochNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = new Date(Number((epochNs - fraction) / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${fraction.toString().padStart(9, '0')}Z`;
}
