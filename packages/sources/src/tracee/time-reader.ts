// Times of a line as event times, without the way over strings and bigints.

import { type EventNs, parseRfc3339Ns, type TimeBase } from '@dendro/protocol';
import { DIGIT_0, MINUS } from './json-bytes.ts';

const NS = 1_000_000_000;
/** 104 days: so far from the base an offset is exact in a double, whichever way it is added up. */
const EXACT_SECONDS = 9_000_000;
/** What no decoder takes, or hardly. */
const MAX_SECONDS = 315_000_000;
const MAX_DIGITS = 19;
const DATE_BYTES = 10; // 2023-11-14
const MIDDLE_BYTES = 19; // 2023-11-14T22:13:20

/** A time base that is kept in two parts. */
export class SplitBase {
  readonly epochNs: bigint;
  readonly seconds: number;
  readonly ns: number;

  constructor({ epochNs }: TimeBase) {
    this.epochNs = epochNs;
    this.seconds = Number(epochNs / 1_000_000_000n);
    this.ns = Number(epochNs % 1_000_000_000n);
  }
}

/** What a time that is not known is read as, and one that someone else must read. */
export const UNKNOWN_TIME = Number.POSITIVE_INFINITY;
export const UNSURE_TIME = Number.NaN;

export class TimeReader {
  base = new SplitBase({ epochNs: 0n });
  /** Day of the month -> the last date of such a day, as three words, and where it begins. */
  readonly #dates = new Int32Array(3 * 100);
  readonly #dateSeconds = new Float64Array(100);

  /** Epoch nanoseconds in the digits of `[from, end)`. */
  digits(bytes: Buffer, from: number, end: number): number {
    if (end <= from || end - from > MAX_DIGITS) return UNSURE_TIME;
    let p = from;
    let seconds = 0;
    for (; p < end - 9; p++) seconds = seconds * 10 + (bytes[p] as number) - DIGIT_0;
    let ns = 0;
    for (; p < end; p++) ns = ns * 10 + (bytes[p] as number) - DIGIT_0;
    return this.#eventTime(seconds, ns);
  }

  /** The same, or the RFC 3339 time, that is in `[from, end)`. */
  text(bytes: Buffer, view: DataView, from: number, end: number): number {
    let p = from;
    while (p < end && isDigit(bytes[p] as number)) p++;
    return p === end ? this.digits(bytes, from, end) : this.#rfc3339(bytes, view, from, end);
  }

  #rfc3339(bytes: Buffer, view: DataView, from: number, end: number): number {
    if (end - from <= MIDDLE_BYTES) return UNSURE_TIME;
    const date = this.#date(bytes, view, from);
    const hour = twoDigits(bytes, from + 11);
    const minute = twoDigits(bytes, from + 14);
    const second = twoDigits(bytes, from + 17);
    if (hour > 23 || minute > 59 || second > 59 || Number.isNaN(date)) return UNSURE_TIME;
    if (bytes[from + 10] !== 0x54 || bytes[from + 13] !== 0x3a || bytes[from + 16] !== 0x3a) return UNSURE_TIME;
    let p = from + MIDDLE_BYTES;
    let ns = 0;
    if (bytes[p] === 0x2e) {
      const fraction = ++p;
      let scale = NS;
      for (; p < end && isDigit(bytes[p] as number); p++) {
        ns = ns * 10 + (bytes[p] as number) - DIGIT_0;
        scale /= 10;
      }
      if (p === fraction || p > fraction + 9) return UNSURE_TIME;
      ns *= scale;
    }
    const seconds = date + hour * 3600 + minute * 60 + second;
    if (bytes[p] === 0x5a && p + 1 === end) return this.#eventTime(seconds, ns);
    return this.#eventTime(seconds - zoneSeconds(bytes, p, end), ns);
  }

  #eventTime(seconds: number, ns: number): number {
    if (seconds === 0 && ns === 0) return UNKNOWN_TIME;
    const { base } = this;
    const distance = seconds - base.seconds;
    if (distance <= EXACT_SECONDS && distance >= -EXACT_SECONDS) return distance * NS + (ns - base.ns);
    if (seconds < 0 || !(distance <= MAX_SECONDS && distance >= -MAX_SECONDS)) return UNSURE_TIME;
    return Number(BigInt(seconds) * 1_000_000_000n + BigInt(ns) - base.epochNs) as EventNs;
  }

  /** Seconds from 1970 to the date at `from`. */
  #date(bytes: Buffer, view: DataView, from: number): number {
    const day = twoDigits(bytes, from + 8);
    if (day > 31) return UNSURE_TIME;
    const dates = this.#dates;
    const [a, b, c] = [view.getInt32(from), view.getInt32(from + 4), view.getInt32(from + 6)];
    const i = day * 3;
    if (dates[i] === a && dates[i + 1] === b && dates[i + 2] === c) return this.#dateSeconds[day] as number;
    const ns = parseRfc3339Ns(`${bytes.toString('latin1', from, from + DATE_BYTES)}T00:00:00Z`);
    if (ns === undefined) return UNSURE_TIME;
    dates[i] = a;
    dates[i + 1] = b;
    dates[i + 2] = c;
    const seconds = Number(ns / 1_000_000_000n);
    this.#dateSeconds[day] = seconds;
    return seconds;
  }
}

/** @returns 100 when they are none */
function twoDigits(bytes: Buffer, at: number): number {
  const tens = ((bytes[at] as number) - DIGIT_0) >>> 0;
  const ones = ((bytes[at + 1] as number) - DIGIT_0) >>> 0;
  return tens <= 9 && ones <= 9 ? tens * 10 + ones : 100;
}

function isDigit(byte: number): boolean {
  return (byte - DIGIT_0) >>> 0 <= 9;
}

/** `+02:00` */
function zoneSeconds(bytes: Buffer, at: number, end: number): number {
  const isNegative = bytes[at] === MINUS;
  if ((!isNegative && bytes[at] !== 0x2b) || at + 6 !== end || bytes[at + 3] !== 0x3a) return UNSURE_TIME;
  const hours = twoDigits(bytes, at + 1);
  const minutes = twoDigits(bytes, at + 4);
  if (hours > 23 || minutes > 59) return UNSURE_TIME;
  const seconds = hours * 3600 + minutes * 60;
  return isNegative ? -seconds : seconds;
}
