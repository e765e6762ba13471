import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anchoredScrollTop, anchorRow, type DrawnRows } from './anchor.ts';

const H = 26;
const OVERSCAN = 6;
/** What is drawn of a list of tasks: ten rows in view, and some around them. */
function view(list: number[], scrollTop: number): DrawnRows<number> {
  const first = Math.max(0, Math.floor(scrollTop / H) - OVERSCAN);
  const end = Math.ceil(scrollTop / H) + 10 + OVERSCAN;
  return { first, ids: list.slice(first, end), scrollTop, viewHeight: 10 * H };
}
const tasks = Array.from({ length: 100 }, (_, i) => i + 1);

test('the row under the pointer anchors, else the selected one, else the first in view', () => {
  const drawn = view(tasks, 20 * H);
  expect(anchorRow(drawn, H, 25, 22)).toBe(25);
  expect(anchorRow(drawn, H, -1, 22)).toBe(22);
  expect(anchorRow(drawn, H, -1, 70)).toBe(20);
  expect(anchorRow(drawn, H, -1, -1)).toBe(20);
  expect(anchorRow(view([], 0), H, -1, -1)).toBe(-1);
});

test('an anchor stays at its place in the window whatever rows come and go around it', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(tasks, { minLength: 30 }).map((some) => some.sort((a, b) => a - b)),
      fc.shuffledSubarray(tasks, { minLength: 30 }).map((some) => some.sort((a, b) => a - b)),
      fc.integer({ min: 12, max: 20 }),
      (before, after, anchor) => {
        const drawn = view(before, 11 * H + 7);
        const rowOf = (task: number) => after.indexOf(task);
        const moved = rowOf(before[anchor]!);
        fc.pre(moved >= anchor - 11); // else the list is too short above to keep the place
        expect(moved * H - anchoredScrollTop(drawn, anchor, H, rowOf)).toBe(anchor * H - drawn.scrollTop);
      },
    ),
  );
});

test('when the anchor itself goes, the next row that is still there takes its place', () => {
  const after = tasks.filter((task) => task !== 31 && task !== 32 && task !== 5);
  // Task 31 stood in row 30; 33 now stands in row 29, one row up for task 5 and two for 31 and 32.
  expect(anchoredScrollTop(view(tasks, 20 * H), 30, H, (task) => after.indexOf(task))).toBe(19 * H);
});

test('when all below the anchor goes too, the nearest row above it stays where it is', () => {
  const drawn = view(tasks, 89 * H);
  const after = tasks.filter((task) => task <= 91 && task !== 1);
  // Tasks 93 to 100 are gone, task 92 with them; 91 stood in row 90 and now stands in row 89.
  expect(anchoredScrollTop(drawn, 93, H, (task) => after.indexOf(task))).toBe(88 * H);
});

test('a list that nothing is left of stays where it is', () => {
  expect(anchoredScrollTop(view(tasks, 20 * H), 30, H, () => -1)).toBe(20 * H);
  expect(anchoredScrollTop(view([], 0), -1, H, () => -1)).toBe(0);
});
