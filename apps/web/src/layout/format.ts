// Times, sizes and signals as people read them.

import { type EventNs, epochMsOf, epochOf, formatRfc3339Ns, type TimeBase } from '@dendro/protocol';
import { zoned } from './zone.ts';

/** `14:03:27`, with the date before it when that is not `today`'s. */
export function clockTime(base: TimeBase, at: EventNs, todayMs: number): string {
  const date = zoned(epochMsOf(base, at));
  const today = zoned(todayMs);
  const [year, thisYear] = [date, today].map((date) => date.getUTCFullYear());
  if (year !== thisYear) return `${year}-${dayOf(date)}`;
  return dayOf(date) === dayOf(today) ? timeOf(date) : `${dayOf(date)} ${timeOf(date)}`;
}

/** `2026-11-23 14:03:27` */
export function dateTime(base: TimeBase, at: EventNs): string {
  const date = zoned(epochMsOf(base, at));
  return `${date.getUTCFullYear()}-${dayOf(date)} ${timeOf(date)}`;
}

/** `.042`, to follow a time of day. */
export function millisecondsOf(base: TimeBase, at: EventNs): string {
  const ms = (epochOf(base, at) / 1_000_000n) % 1000n;
  return `.${String(ms).padStart(3, '0')}`;
}

/** UTC to the nanosecond, for titles and copying. */
export function exactTime(base: TimeBase, at: EventNs): string {
  return formatRfc3339Ns(epochOf(base, at));
}

const UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
  [1, 's'],
] as const;

/** `3d 4h`, `12m 5s`, `8s`, `140ms`: the two largest units. */
export function duration(ns: number): string {
  const seconds = Math.floor(ns / 1e9);
  if (seconds < 1) return `${Math.max(0, Math.floor(ns / 1e6))}ms`;
  const first = UNITS.findIndex(([size]) => seconds >= size);
  const [size, name] = UNITS[first] as (typeof UNITS)[number];
  const next = UNITS[first + 1];
  const rest = next === undefined ? 0 : Math.floor((seconds % size) / next[0]);
  return `${Math.floor(seconds / size)}${name}${next !== undefined && rest > 0 ? ` ${rest}${next[1]}` : ''}`;
}

/** `412µs`, `140ms`, `2.1s`, `12m 5s`: as `duration`, and finer where that says little. */
export function elapsed(ns: number): string {
  if (ns < 1e6) return `${Math.max(0, Math.floor(ns / 1e3))}µs`;
  if (ns < 10e9 && ns >= 1e9) return `${(Math.floor(ns / 1e8) / 10).toFixed(1)}s`;
  return duration(ns);
}

/** `3d`, `12m`, `8s`, `0s`: the largest unit, so that it seldom changes. */
export function age(ns: number): string {
  const seconds = Math.max(0, Math.floor(ns / 1e9));
  const [size, name] = UNITS.find(([size]) => seconds >= size) ?? [1, 's'];
  return `${Math.floor(seconds / size)}${name}`;
}

export function count(n: number): string {
  return n.toLocaleString('en');
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
}

// Numbers of x86 and ARM (signal(7)).
const SIGNALS =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  );

export function signalName(signal: number): string {
  const name = SIGNALS[signal - 1];
  return name === undefined ? `signal ${signal}` : `SIG${name}`;
}

/** Number of a signal by its name, with or without SIG. */
export function signalNumber(name: string): number | undefined {
  const index = SIGNALS.indexOf(name.toUpperCase().replace(/^SIG/, ''));
  return index < 0 ? undefined : index + 1;
}

function timeOf(date: Date): string {
  return [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(twoDigits).join(':');
}

function dayOf(date: Date): string {
  return `${twoDigits(date.getUTCMonth() + 1)}-${twoDigits(date.getUTCDate())}`;
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0');
}
