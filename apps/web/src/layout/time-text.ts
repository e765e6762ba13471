// A time as a person types it: what the protocol reads (RFC 3339, `-5m`, `live`,
// epoch nanoseconds), and times of day and dates of the zone that is shown.

import { type EventNs, epochMsOf, epochOf, eventTimeOf, parseTime, type TimeBase } from '@dendro/protocol';
import { msOf, zoned } from './zone.ts';

const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/;
const DATED = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)$/;
const DAY_MS = 86_400_000;
/** A time of day that is further ahead than this is meant to be yesterday's. */
const AHEAD_MS = 60_000;

/**
 * @param now what relative times count from, and which day a time of day is on: the last one on which it has passed
 * @returns `live`; undefined when it is no time
 */
export function parseTimeText(text: string, base: TimeBase, now: EventNs): EventNs | 'live' | undefined {
  const trimmed = text.trim();
  const clock = CLOCK.exec(trimmed);
  const nowMs = epochMsOf(base, now);
  if (clock !== null) {
    const ms = onDay(zoned(nowMs), clock);
    if (ms === undefined) return undefined;
    return fromMs(base, ms > nowMs + AHEAD_MS ? ms - DAY_MS : ms, clock[4]);
  }
  const dated = DATED.exec(trimmed);
  if (dated !== null) {
    const [, year, month, day, rest = ''] = dated;
    const time = CLOCK.exec(rest);
    const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
    const ms = time === null || date.getUTCDate() !== Number(day) ? undefined : onDay(date, time);
    return ms === undefined ? undefined : fromMs(base, ms, time?.[4]);
  }
  const epoch = parseTime(trimmed, epochOf(base, now));
  return epoch === undefined || epoch === 'live' ? epoch : eventTimeOf(base, epoch);
}

function onDay(day: Date, [, hours, minutes, seconds = '0']: RegExpExecArray): number | undefined {
  const [h, m, s] = [Number(hours), Number(minutes), Number(seconds)];
  if (h > 23 || m > 59 || s > 59) return undefined;
  return msOf(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate(), h, m, s);
}

function fromMs(base: TimeBase, ms: number, fraction = ''): EventNs {
  return eventTimeOf(base, BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0')));
}
