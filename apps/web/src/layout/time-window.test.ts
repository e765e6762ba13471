import type { EventNs } from '@dendro/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_SPAN_NS, MIN_SPAN_NS, moved, movedTo, stepFor, ticksOf, zoomed } from './time-window.ts';

const ns = (n: number) => n as EventNs;
const windows = fc
  .record({ from: fc.integer({ min: -1e15, max: 1e15 }), span: fc.integer({ min: MIN_SPAN_NS, max: 1e15 }) })
  .map(({ from, span }) => ({ from: ns(from), to: ns(from + span) }));

test('zooming keeps what is under the pointer where it is, and has its bounds', () => {
  fc.assert(
    fc.property(
      windows,
      fc.double({ min: 0.01, max: 100, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (window, factor, share) => {
        const about = window.from + share * (window.to - window.from);
        const next = zoomed(window, factor, about);
        const span = next.to - next.from;
        expect(span).toBeGreaterThanOrEqual(MIN_SPAN_NS * 0.999);
        expect(span).toBeLessThanOrEqual(MAX_SPAN_NS * 1.001);
        expect(Math.abs((about - next.from) / span - share)).toBeLessThan(1e-6);
      },
    ),
  );
});

test('a window moves as little as it must to hold an instant', () => {
  fc.assert(
    fc.property(windows, fc.integer({ min: -2e15, max: 2e15 }), (window, at) => {
      const next = movedTo(window, ns(at));
      expect(next.from).toBeLessThanOrEqual(at);
      expect(next.to).toBeGreaterThanOrEqual(at);
      expect(next.to - next.from).toBeCloseTo(window.to - window.from, -3);
      if (at >= window.from && at <= window.to) expect(next).toBe(window);
    }),
  );
  expect(moved({ from: ns(1), to: ns(5) }, 10)).toEqual({ from: 11, to: 15 });
});

describe('steps and ticks', () => {
  test('a step is round, and no more than so many fit', () => {
    expect(stepFor(60e9, 6)).toBe(10e9);
    expect(stepFor(600e9, 300)).toBe(2e9);
    expect(stepFor(86_400e9, 8)).toBe(3 * 3600e9);
  });

  test('ticks are round times of day within the window, in order, whatever it is', () => {
    const base = { epochNs: 1_764_237_000_123_456_789n };
    fc.assert(
      fc.property(windows, fc.integer({ min: 2, max: 20 }), (window, most) => {
        const ticks = ticksOf(window, base, most);
        expect(ticks.length).toBeLessThanOrEqual(most + 1);
        for (const [i, { at, label }] of ticks.entries()) {
          expect(at).toBeGreaterThanOrEqual(window.from - 1e6);
          expect(at).toBeLessThanOrEqual(window.to);
          expect(label).toMatch(/^\d\d:\d\d(:\d\d(\.\d{3})?)?$|^\d\d-\d\d$/);
          if (i > 0) expect(at).toBeGreaterThan(ticks[i - 1]?.at ?? 0);
        }
      }),
    );
  });
});
