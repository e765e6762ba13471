import fc from 'fast-check';
import { expect, test } from 'vitest';
import { orderOf } from '../testing/order-of.ts';
import { MAX_STICKY, stickyAbove, stickyRows } from './sticky-rows.ts';
import { visibleRows } from './visible-rows.ts';

const H = 10;
const { order, names } = orderOf(`
init
  sshd
    bash
      vim
      less
  cron
    job
kthreadd
`);
const rows = visibleRows(order, { isCollapsed: () => false });
const lines = (scrollTop: number) => stickyRows(rows, scrollTop, H).map(({ row, top }) => [names[row], top]);

test('at the top nothing is held; a parent is held as soon as its own row begins to leave', () => {
  expect(lines(0)).toEqual([]);
  expect(lines(1).slice(0, 1)).toEqual([['init', 0]]);
});

test('the ancestors of the first row below the lines are held, and no leaf is', () => {
  for (const scrollTop of [H, 2 * H - 5, 2 * H])
    expect(lines(scrollTop)).toEqual([
      ['init', 0],
      ['sshd', H],
      ['bash', 2 * H],
    ]);
  expect(lines(4 * H)).toEqual([['init', 0]]);
});

test('where a subtree ends, its line is pushed out by the row that comes next', () => {
  // Above: less is the last below sshd and bash, cron is next.
  expect(lines(3 * H + 4)).toEqual([
    ['init', 0],
    ['sshd', H - 4],
  ]);
  expect(lines(2 * H + 3).at(-1)).toEqual(['bash', 2 * H - 3]);
});

test('of a deep chain the eldest and the nearest are held, and how many are between', () => {
  const chain = orderOf(Array.from({ length: 30 }, (_, i) => `${'  '.repeat(i)}t${i}`).join('\n'));
  const deep = visibleRows(chain.order, { isCollapsed: () => false });
  expect(stickyRows(deep, 20 * H, H).map(({ row, skipped }) => [row, skipped])).toEqual([
    [0, 0],
    [1, 0],
    [2, 0],
    [23, 20],
  ]);
});

const shape = fc.array(fc.nat(7), { minLength: 1, maxLength: 50 }).map((depths) => {
  let last = -1;
  const text = depths.map((depth, i) => {
    last = Math.min(depth, last + 1);
    return `${'  '.repeat(last)}t${i}`;
  });
  return visibleRows(orderOf(text.join('\n')).order, { isCollapsed: () => false });
});

test('what can be seen below the lines has all its ancestors in them or in view, up to the limit', () => {
  fc.assert(
    fc.property(shape, fc.nat(500), (rows, scrollTop) => {
      const held = stickyRows(rows, scrollTop, H);
      expect(held.length).toBeLessThanOrEqual(MAX_STICKY);
      const last = held.at(-1);
      const bottom = last === undefined ? 0 : last.top + H;
      const first = Math.ceil((scrollTop + bottom) / H);
      if (first >= rows.length || rows.depths[first]! > MAX_STICKY) return;
      for (let row = rows.parents[first]!; row >= 0; row = rows.parents[row]!) {
        const isInView = row * H - scrollTop >= 0 && row < first;
        expect(isInView || held.some((line) => line.row === row)).toBe(true);
      }
    }),
  );
});

test('a pixel of scrolling moves no line by more than a pixel, and none appears or goes away from its place', () => {
  fc.assert(
    fc.property(shape, fc.nat(400), (rows, scrollTop) => {
      const at = (top: number) =>
        new Map(
          stickyRows(rows, top, H)
            .filter(({ skipped }) => skipped === 0)
            .map((line) => [line.row, line.top]),
        );
      if (rows.depths.some((depth) => depth > MAX_STICKY)) return;
      const [before, after] = [at(scrollTop), at(scrollTop + 1)];
      // Where a row stands when it is not held; what is above the window is not seen.
      const seen = (lines: Map<number, number>, row: number, top: number) =>
        Math.max(-H, lines.get(row) ?? row * H - top);
      for (const row of new Set([...before.keys(), ...after.keys()])) {
        const moved = seen(after, row, scrollTop + 1) - seen(before, row, scrollTop);
        // Pushed out by the next row, a line may be covered by the one above it before it goes.
        const isCovered = (before.get(row) ?? 0) <= (before.size - 2) * H + 1;
        if (!isCovered || before.size < 2) expect(Math.abs(moved)).toBeLessThanOrEqual(1);
      }
    }),
  );
});

test('a row that is scrolled to stands right below its ancestors', () => {
  fc.assert(
    fc.property(shape, fc.nat(49), (rows, wanted) => {
      const row = wanted % rows.length;
      const covered = stickyAbove(rows, row);
      const scrollTop = Math.max(0, (row - covered) * H);
      const bottom = Math.max(0, ...stickyRows(rows, scrollTop, H).map(({ top }) => top + H));
      expect(row * H - scrollTop).toBeGreaterThanOrEqual(bottom);
    }),
  );
});
