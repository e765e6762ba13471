import { type EventNs, epochMsOf } from '@dendro/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import { clockTime, dateTime } from './format.ts';
import { ticksOf as lifetimeTicks, windowOf } from './lifetime-window.ts';
import { parseTimeText } from './time-text.ts';
import { ticksOf } from './time-window.ts';
import { setUtc } from './zone.ts';

const base = { epochNs: BigInt(Date.UTC(2026, 10, 23, 2, 30)) * 1_000_000n };
const at = 0 as EventNs;
const hour = { from: at, to: 3600e9 as EventNs };

afterEach(() => {
  setUtc(false);
  vi.unstubAllEnvs();
});

test('times are shown and read in the zone of the browser, or in UTC', () => {
  vi.stubEnv('TZ', 'America/New_York');
  const read = (text: string) => epochMsOf(base, parseTimeText(text, base, 60e9 as EventNs) as EventNs);
  const lives = () => lifetimeTicks(windowOf(0, 3600e9), base, 6).map(({ label }) => label);
  expect(dateTime(base, at)).toBe('2026-11-22 21:30:00');
  expect(clockTime(base, at, Date.UTC(2026, 10, 23, 4))).toBe('21:30:00');
  expect(ticksOf(hour, base, 2).map(({ label }) => label)).toEqual(['21:30', '22:00', '22:30']);
  expect(lives()[0]).toBe('21:30');
  expect(read('21:30:10')).toBe(Date.UTC(2026, 10, 23, 2, 30, 10));
  expect(read('2026-11-22 20:00')).toBe(Date.UTC(2026, 10, 23, 1));
  setUtc(true);
  expect(dateTime(base, at)).toBe('2026-11-23 02:30:00');
  expect(clockTime(base, at, Date.UTC(2026, 10, 22, 23))).toBe('11-23 02:30:00');
  expect(ticksOf(hour, base, 2).map(({ label }) => label)).toEqual(['02:30', '03:00', '03:30']);
  expect(lives()[0]).toBe('02:30');
  expect(read('02:30:10')).toBe(Date.UTC(2026, 10, 23, 2, 30, 10));
  expect(read('2026-11-22 20:00')).toBe(Date.UTC(2026, 10, 22, 20));
  expect(parseTimeText('2026-02-30 10:00', base, at)).toBeUndefined();
});
