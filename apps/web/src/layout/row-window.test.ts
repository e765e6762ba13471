import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ROW_HEIGHT as H, MAX_VIEW_ROWS, rowWindow, scrollTopShowing } from './row-window.ts';

test('every row that can be seen is in the page, and never more than 98', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 200_000 }),
      fc.integer({ min: -500, max: 6_000_000 }),
      fc.integer({ min: 0, max: 20_000 }),
      (count, scrolled, viewHeight) => {
        const { first, end } = rowWindow(scrolled, viewHeight, count);
        expect(end - first).toBeLessThanOrEqual(98);
        const height = Math.min(viewHeight, MAX_VIEW_ROWS * H);
        const top = Math.max(0, Math.min(scrolled, count * H - height));
        for (let row = Math.floor(top / H); row < Math.min(count, Math.ceil((top + height) / H)); row++) {
          expect(row >= first && row < end).toBe(true);
        }
      },
    ),
  );
});

test('an empty list has an empty window', () => {
  expect(rowWindow(0, 800, 0)).toEqual({ first: 0, end: 0 });
});

test('a row in view needs no scrolling; one outside comes to the nearer edge, or to the middle', () => {
  expect(scrollTopShowing(12, 10 * H, 20 * H)).toBe(10 * H);
  expect(scrollTopShowing(5, 10 * H, 20 * H)).toBe(5 * H);
  expect(scrollTopShowing(40, 10 * H, 20 * H)).toBe(21 * H);
  expect(scrollTopShowing(40, 0, 21 * H, true)).toBe(30 * H);
  expect(scrollTopShowing(2, 30 * H, 21 * H, true)).toBe(0);
});
