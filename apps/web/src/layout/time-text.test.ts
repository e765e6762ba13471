import { type EventNs, epochMsOf } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTimeText } from './time-text.ts';

const base = { epochNs: BigInt(new Date(2026, 10, 27, 12, 0, 0).getTime()) * 1_000_000n };
const now = 3600e9 as EventNs; // 13:00
const read = (text: string) => {
  const at = parseTimeText(text, base, now);
  return typeof at === 'number' ? new Date(Math.round(epochMsOf(base, at))) : at;
};

test('a time of day is of the last day on which it has passed', () => {
  expect(read('12:34:56')).toEqual(new Date(2026, 10, 27, 12, 34, 56));
  expect(read('9:05')).toEqual(new Date(2026, 10, 27, 9, 5));
  expect(read('23:59')).toEqual(new Date(2026, 10, 26, 23, 59));
  expect(parseTimeText('12:00:00.000000001', base, now)).toBe(1);
});

test('dates are of this zone; RFC 3339, relative times and live are as everywhere', () => {
  expect(read('2026-11-20 08:00')).toEqual(new Date(2026, 10, 20, 8, 0));
  expect(read('2026-11-20T08:00:01.5')).toEqual(new Date(2026, 10, 20, 8, 0, 1, 500));
  expect(read('2026-11-20T08:00:00Z')).toEqual(new Date(Date.UTC(2026, 10, 20, 8)));
  expect(read('-5m')).toEqual(new Date(2026, 10, 27, 12, 55));
  expect(read(' live ')).toBe('live');
});

test('what is no time is none', () => {
  for (const text of ['', '24:00', '12:60', '12:00:99', 'yesterday', '2026-02-30 10:00', '::']) {
    expect(read(text), text).toBeUndefined();
  }
  fc.assert(fc.property(fc.string(), (text) => void parseTimeText(text, base, now)));
});
