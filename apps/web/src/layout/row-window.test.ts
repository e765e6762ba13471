import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  MAX_VIEW_ROWS,
  ROW_HEIGHTS,
  rowWindow,
  scrollTopCentring,
  scrollTopShowing,
  scrollTopWithin,
} from './row-window.ts';

const H = ROW_HEIGHTS.comfortable;
const at = (scrollTop: number, viewHeight: number) => ({ scrollTop, viewHeight, rowHeight: H });

test('every row that can be seen is in the page, and never more than 94', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 200_000 }),
      fc.integer({ min: -500, max: 6_000_000 }),
      fc.integer({ min: 0, max: 20_000 }),
      fc.constantFrom(ROW_HEIGHTS.comfortable, ROW_HEIGHTS.compact),
      (count, scrollTop, viewHeight, H) => {
        const { first, end } = rowWindow({ scrollTop, viewHeight, rowHeight: H }, count);
        expect(end - first).toBeLessThanOrEqual(94);
        const height = Math.min(viewHeight, MAX_VIEW_ROWS * H);
        const top = Math.max(0, Math.min(scrollTop, count * H - height));
        for (let row = Math.floor(top / H); row < Math.min(count, Math.ceil((top + height) / H)); row++) {
          expect(row >= first && row < end).toBe(true);
        }
      },
    ),
  );
});

test('an empty list has an empty window', () => {
  expect(rowWindow(at(0, 800), 0)).toEqual({ first: 0, end: 0 });
});

test('a row in view needs no scrolling; one outside comes to the nearer edge, or to the middle', () => {
  expect(scrollTopShowing(12, at(10 * H, 20 * H))).toBe(10 * H);
  expect(scrollTopShowing(5, at(10 * H, 20 * H))).toBe(5 * H);
  expect(scrollTopShowing(40, at(10 * H, 20 * H))).toBe(21 * H);
  expect(scrollTopCentring(12, at(10 * H, 20 * H))).toBe(10 * H);
  expect(scrollTopCentring(40, at(0, 21 * H))).toBe(30 * H);
  expect(scrollTopCentring(2, at(30 * H, 21 * H))).toBe(0);
});

test('a row comes below what covers the upper edge', () => {
  expect(scrollTopShowing(12, at(10 * H, 20 * H), 2)).toBe(10 * H);
  expect(scrollTopShowing(12, at(10 * H, 20 * H), 3)).toBe(9 * H);
  expect(scrollTopShowing(2, at(10 * H, 20 * H), 4)).toBe(0);
});

test('a list that has become short is scrolled to its end at the furthest', () => {
  expect(scrollTopWithin(50 * H, at(0, 20 * H), 100)).toBe(50 * H);
  expect(scrollTopWithin(90 * H, at(0, 20 * H), 100)).toBe(80 * H);
  expect(scrollTopWithin(90 * H, at(0, 20 * H), 10)).toBe(0);
  expect(scrollTopWithin(-H, at(0, 20 * H), 100)).toBe(0);
});
