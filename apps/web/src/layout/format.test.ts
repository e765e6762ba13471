import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import {
  age,
  clockTime,
  dateTime,
  duration,
  elapsed,
  exactTime,
  millisecondsOf,
  plural,
  signalName,
} from './format.ts';

const base = { epochNs: BigInt(new Date(2026, 10, 23, 14, 3, 27).getTime()) * 1_000_000n };
const today = new Date(2026, 10, 23, 20).getTime();

test('a time of today is a time, one of another day has its date', () => {
  expect(clockTime(base, 0 as EventNs, today)).toBe('14:03:27');
  expect(clockTime(base, -86_400e9 as EventNs, today)).toBe('11-22 14:03:27');
  expect(clockTime(base, (-400 * 86_400e9) as EventNs, today)).toBe('2025-10-19');
  expect(dateTime(base, 0 as EventNs)).toBe('2026-11-23 14:03:27');
});

test('an exact time has all nine decimals', () => {
  expect(exactTime({ epochNs: 1_700_000_000_000_000_001n }, 22 as EventNs)).toBe('2023-11-14T22:13:20.000000023Z');
});

test.each([
  [0, '0ms'],
  [140.9e6, '140ms'],
  [8e9, '8s'],
  [60e9, '1m'],
  [725e9, '12m 5s'],
  [(3 * 86_400 + 4 * 3600 + 59) * 1e9, '3d 4h'],
])('%d ns is %s', (ns, text) => {
  expect(duration(ns)).toBe(text);
});

test('signals have their names, counts their plurals', () => {
  expect([signalName(9), signalName(15), signalName(31), signalName(34)]).toEqual([
    'SIGKILL',
    'SIGTERM',
    'SIGSYS',
    'signal 34',
  ]);
  expect([plural(1, 'thread'), plural(2, 'process', 'processes'), plural(1234, 'thread')]).toEqual([
    '1 thread',
    '2 processes',
    '1,234 threads',
  ]);
});

test('an age is said in its largest unit', () => {
  expect([-5, 0, 59.9e9, 60e9, 7199e9, 90_000e9].map(age)).toEqual(['0s', '0s', '59s', '1m', '1h', '1d']);
});

test('milliseconds follow the time of day', () => {
  expect(millisecondsOf({ epochNs: 1_700_000_000_042_999_999n }, 0 as EventNs)).toBe('.042');
});

test('short times are said finer', () => {
  expect([-1, 999, 412_000, 3.9e6, 140e6, 1.04e9, 9.99e9, 10e9, 75e9].map(elapsed)).toEqual([
    '0µs',
    '0µs',
    '412µs',
    '3ms',
    '140ms',
    '1.0s',
    '9.9s',
    '10s',
    '1m 15s',
  ]);
});
