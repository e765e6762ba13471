import { type EventNs, epochOf } from '@dendro/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { panWindow, ticksOf, windowOf, zoomWindow } from './lifetime-window.ts';

const base = { epochNs: 1_700_000_000_000_000_000n }; // 2023-11-14T22:13:20Z

const window = (from: number, to: number) => ({ from: from as EventNs, to: to as EventNs });

test('zooming keeps what is at the anchor where it is', () => {
  expect(zoomWindow(window(0, 100_000), 0.5, 0)).toEqual({ from: 0, to: 50_000 });
  expect(zoomWindow(window(0, 100_000), 0.5, 1)).toEqual({ from: 50_000, to: 100_000 });
  expect(zoomWindow(window(0, 100_000), 2, 0.5)).toEqual({ from: -50_000, to: 150_000 });
});

test('no zoom makes a window empty or endless', () => {
  let at = window(5e9, 6e9);
  for (let i = 0; i < 200; i++) at = zoomWindow(at, 0.5, 0.3);
  expect(at.to - at.from).toBe(1000);
  for (let i = 0; i < 300; i++) at = zoomWindow(at, 2, 0.3);
  expect(at.to - at.from).toBeLessThanOrEqual(3.3e17);
  expect(windowOf(10, 10).to).toBe(1010);
});

test('moving keeps the span', () => {
  expect(panWindow(window(0, 100_000), -0.25)).toEqual({ from: -25_000, to: 75_000 });
});

describe('ticks', () => {
  const labels = (from: number, to: number, most = 10) =>
    ticksOf(window(from, to), base, most).map(({ label }) => label);

  test('stand at round times', () => {
    expect(labels(0, 40e9)).toEqual(
      ['13:20', '13:25', '13:30', '13:35', '13:40', '13:45', '13:50', '13:55', '14:00'].map((end) =>
        expect.stringMatching(new RegExp(`^\\d\\d:${end}$`)),
      ),
    );
    expect(labels(0, 10e6, 5)).toEqual(['20.000', '20.002', '20.004', '20.006', '20.008', '20.010']);
    expect(labels(0, 3600e9, 6)).toEqual(expect.arrayContaining([expect.stringMatching(/:20$/)]));
    expect(labels(0, 30 * 86_400e9, 5)).toEqual(expect.arrayContaining([expect.stringMatching(/^2023-1[12]-\d\d$/)]));
  });

  test('of any window there are some, but not more than asked for, within it and in order', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e15, max: 1e15, noNaN: true }),
        fc.double({ min: 1e4, max: 1e17, noNaN: true }),
        fc.integer({ min: 4, max: 30 }),
        (from, span, most) => {
          const at = windowOf(from, from + span);
          const ticks = ticksOf(at, base, most);
          expect(ticks.length).toBeGreaterThanOrEqual(1);
          expect(ticks.length).toBeLessThanOrEqual(most + 1);
          ticks.forEach(({ x }, i) => {
            expect(x).toBeGreaterThanOrEqual(0);
            expect(x).toBeLessThanOrEqual(1);
            if (i > 0) expect(x).toBeGreaterThan(ticks[i - 1]!.x);
          });
        },
      ),
    );
  });

  test('are exact to the nanosecond far from the base', () => {
    const from = 9e14 as EventNs;
    const [first] = ticksOf(windowOf(from, from + 10_000), base, 10);
    expect(epochOf(base, (from + first!.x * 10_000) as EventNs) % 1000n).toBe(0n);
  });
});
