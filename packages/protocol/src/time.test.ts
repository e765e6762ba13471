import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EventNs } from './ids.ts';
import {
  epochMsOf,
  epochOf,
  eventTimeOf,
  formatRfc3339Ns,
  justBefore,
  parseRfc3339Ns,
  parseTime,
  resolutionAt,
} from './time.ts';

const NOW = 1_700_000_000_123_456_789n;
const MAX = 2n ** 63n - 1n;
const epochNs = fc.bigInt({ min: -MAX, max: MAX });

test('live, epoch nanoseconds and relative times are read', () => {
  expect(parseTime('live', NOW)).toBe('live');
  expect(parseTime('0', NOW)).toBe(0n);
  expect(parseTime('1700000000123456789', NOW)).toBe(NOW);
  expect(parseTime('-5m', NOW)).toBe(NOW - 300_000_000_000n);
  expect(parseTime('-1.5s', NOW)).toBe(NOW - 1_500_000_000n);
  expect(parseTime('-250ms', NOW)).toBe(NOW - 250_000_000n);
  expect(parseTime('-2h', NOW)).toBe(NOW - 7_200_000_000_000n);
  expect(parseTime('-1d', NOW)).toBe(NOW - 86_400_000_000_000n);
  expect(parseTime('-0.000000001s', NOW)).toBe(NOW - 1n);
});

test('RFC 3339 keeps all nine digits, whatever the zone', () => {
  expect(parseTime('2023-11-14T22:13:20Z', NOW)).toBe(1_700_000_000_000_000_000n);
  expect(parseTime('2023-11-14T22:13:20.5Z', NOW)).toBe(1_700_000_000_500_000_000n);
  expect(parseTime('2023-11-14T22:13:20.123456789Z', NOW)).toBe(NOW);
  expect(parseTime('2023-11-15T03:58:20.000000001+05:45', NOW)).toBe(1_700_000_000_000_000_001n);
  expect(parseTime('2023-11-14T14:13:20.999999999-08:00', NOW)).toBe(1_700_000_000_999_999_999n);
});

test('a zone whose plus became a blank on its way through a query is read all the same', () => {
  expect(parseTime('2023-11-14T23:13:20 01:00', NOW)).toBe(1_700_000_000_000_000_000n);
  expect(parseTime('2023-11-15T03:58:20.000000001 05:45', NOW)).toBe(1_700_000_000_000_000_001n);
  for (const text of ['2023-11-14T23:13:20  01:00', '2023-11-14T23:13:20 01:60', '2023-11-14 23:13', ' 01:00'])
    expect(parseTime(text, NOW)).toBeUndefined();
  expect(parseRfc3339Ns('2023-11-14T23:13:20 01:00')).toBeUndefined();
});

test('times before 1970 are exact too', () => {
  expect(parseRfc3339Ns('1969-12-31T23:59:59.999999999Z')).toBe(-1n);
  expect(parseRfc3339Ns('1969-12-31T23:59:58.25Z')).toBe(-1_750_000_000n);
  expect(formatRfc3339Ns(-1n)).toBe('1969-12-31T23:59:59.999999999Z');
  expect(formatRfc3339Ns(-1_000_000_000n)).toBe('1969-12-31T23:59:59.000000000Z');
});

test('the 29th of February is there in leap years only', () => {
  expect(parseRfc3339Ns('2024-02-29T00:00:00Z')).toBe(1_709_164_800_000_000_000n);
  expect(parseRfc3339Ns('2000-02-29T00:00:00Z')).toBe(951_782_400_000_000_000n);
  expect(parseRfc3339Ns('2023-02-29T00:00:00Z')).toBeUndefined();
  expect(parseRfc3339Ns('2100-02-29T00:00:00Z')).toBeUndefined();
});

test.each([
  '',
  'now',
  'LIVE',
  '-1',
  '1.5',
  '0x10',
  '1e9',
  ' 1',
  '99999999999999999999',
  '9223372036854775808',
  '5m',
  '-5',
  '-5 m',
  '-5y',
  '--5m',
  '-.5s',
  '-1234567890s',
  '-999999999d',
  '2023-11-14',
  '2023-11-14T22:13:20',
  '2023-11-14 22:13:20Z',
  '2023-11-14T22:13:20.Z',
  '2023-11-14T22:13:20.1234567890Z',
  '2023-11-14T22:13:20+0100',
  '2023-13-01T00:00:00Z',
  '2023-00-01T00:00:00Z',
  '2023-02-30T00:00:00Z',
  '2023-04-31T00:00:00Z',
  '2023-01-00T00:00:00Z',
  '2023-01-01T24:00:00Z',
  '2023-01-01T23:60:00Z',
  '2023-01-01T23:59:60Z',
  '2023-01-01T00:00:00+24:00',
  '2023-01-01T00:00:00+01:60',
  '2300-01-01T00:00:00Z',
])('"%s" is not a time', (text) => {
  expect(parseTime(text, NOW)).toBeUndefined();
});

test('every time of the 64-bit range can be written and read back, to the nanosecond', () => {
  fc.assert(
    fc.property(epochNs, (ns) => {
      const text = formatRfc3339Ns(ns);
      expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
      expect(parseRfc3339Ns(text)).toBe(ns);
      if (ns >= 0n) expect(parseTime(String(ns), NOW)).toBe(ns);
    }),
    { numRuns: 1_000 },
  );
});

test('whatever is parsed can be formatted, and junk is undefined', () => {
  const almost = fc.stringMatching(/^-?[0-9]{1,12}(\.[0-9]{1,10})?(ms|s|m|h|d|y)?$/);
  fc.assert(
    fc.property(fc.oneof(fc.string(), almost), epochNs, (text, now) => {
      const time = parseTime(text, now);
      if (typeof time === 'bigint') formatRfc3339Ns(time);
    }),
    { numRuns: 1_000 },
  );
});

test('event time and epoch time convert exactly within 104 days of the base', () => {
  const day = 86_400_000_000_000n;
  const distance = fc.bigInt({ min: -104n * day, max: 104n * day });
  fc.assert(
    fc.property(epochNs, distance, (baseNs, ns) => {
      const base = { epochNs: baseNs };
      const at = eventTimeOf(base, baseNs + ns);
      expect(epochOf(base, at)).toBe(baseNs + ns);
    }),
  );
});

test.each([
  [104, 1],
  [105, 2],
  [208, 2],
  [209, 4],
  [365 * 5, 32],
  [365 * 20, 128],
])('%i days from the base, on either side, times are told apart that differ by %i ns', (days, ns) => {
  for (const at of [days * 86_400e9, -days * 86_400e9] as EventNs[]) {
    expect(resolutionAt(at)).toBe(ns);
    expect([at + ns, at - ns].map((other) => other === at)).toEqual([false, false]);
    if (ns > 1) expect([at + ns / 4, at - ns / 4]).toEqual([at, at]);
    expect(justBefore(at)).toBe(at - ns);
  }
});

test('there is a time before any time, at every distance, and none far before it', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }), (ns) => {
      const at = Number(ns) as EventNs;
      expect(justBefore(at)).toBeLessThan(at);
      expect(at - justBefore(at)).toBeLessThanOrEqual(Math.max(1, Math.abs(at) * 2 ** -52));
    }),
  );
  expect(justBefore(Number.POSITIVE_INFINITY as EventNs)).toBe(Number.POSITIVE_INFINITY);
});

test('milliseconds for display are right to a microsecond', () => {
  const base = { epochNs: NOW };
  expect(epochMsOf(base, 0 as EventNs)).toBeCloseTo(1_700_000_000_123.4568, 3);
  expect(epochMsOf(base, 1_500_000 as EventNs)).toBeCloseTo(1_700_000_000_124.9568, 3);
  expect(epochMsOf({ epochNs: -1n }, 0 as EventNs)).toBeCloseTo(0, 3);
});
