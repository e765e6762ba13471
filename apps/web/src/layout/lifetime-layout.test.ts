import type { EventNs, TaskId } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type TaskSketch, treeOf } from '../testing/tree-of.ts';
import { birthsOf } from './births.ts';
import { type LifetimeRow, lifetimeRows, livesWithin } from './lifetime-layout.ts';
import { windowOf } from './lifetime-window.ts';
import { lineageFamily } from './lineage-family.ts';

interface Asked {
  readonly from: number;
  readonly to: number;
  readonly at?: number;
  readonly limit?: number;
}

function rowsOf(sketches: readonly TaskSketch[], { from, to, at = to, limit = 500 }: Asked) {
  const tree = treeOf(sketches);
  const window = windowOf(from, to);
  const family = lineageFamily(tree, birthsOf(tree), tree.indexOf(1 as TaskId), {
    at: at as EventNs,
    limit,
    wanted: (task) => livesWithin(tree, task, window),
    groups: () => false,
  });
  const rows = lifetimeRows(tree, family, window, at as EventNs);
  const idOf = (row: LifetimeRow) => (row.kind === 'life' ? Number(tree.taskIdOf(row.task)) : `+${row.count}`);
  return { rows, family, idOf };
}

const S = 1e9;
const story: TaskSketch[] = [
  { id: 1, start: 0 },
  { id: 2, start: 10 * S, parent: 1, exit: { at: 20 * S, code: 0 } },
  { id: 3, start: 12 * S, parent: 2, exit: { at: 14 * S, code: 1 } },
  { id: 4, start: 30 * S, parent: 1 },
  { id: 5, start: 31 * S, parent: 4, exit: { at: 50 * S, signal: 9 } },
];

test('one bar for each life, in the order of the tree', () => {
  const { rows, idOf } = rowsOf(story, { from: 0, to: 40 * S });
  expect(rows.map(idOf)).toEqual([1, 2, 3, 4, 5]);
  expect(rows.map(({ depth, parent }) => [depth, parent])).toEqual([
    [0, -1],
    [1, 0],
    [2, 1],
    [1, 0],
    [2, 3],
  ]);
  expect(rows[1]).toMatchObject({
    bar: { left: 0.25, right: 0.5, isCutLeft: false, isCutRight: false, isOpen: false },
  });
  // It lives at the instant that is shown: nothing is known of its end, though that was said later.
  expect(rows[4]).toMatchObject({ bar: { right: 1, isCutRight: false, isOpen: true } });
});

test('bars that go on beyond the window are cut, and marked at that end', () => {
  const { rows, idOf } = rowsOf(story, { from: 13 * S, to: 33 * S, at: 60 * S });
  expect(rows.map(idOf)).toEqual([1, 2, 3, 4, 5]);
  const cuts = rows.map((row) => row.kind === 'life' && [row.bar?.isCutLeft, row.bar?.isCutRight]);
  expect(cuts).toEqual([
    [true, true],
    [true, false],
    [true, false],
    [false, true],
    [false, true],
  ]);
});

test('who did not live in the window is left out and counted, unless somebody below him did', () => {
  const { rows, family, idOf } = rowsOf(
    [...story, { id: 6, start: 25 * S, parent: 2 }, { id: 7, start: 1 * S, parent: 1, exit: { at: 2 * S } }],
    { from: 24 * S, to: 29 * S, at: 60 * S },
  );
  expect(rows.map(idOf)).toEqual([1, 2, 6]);
  expect(rows[1]).toMatchObject({ bar: undefined });
  expect(family.unwanted).toBe(4);
});

test('what there is no room for is a row below its parent', () => {
  const many = Array.from({ length: 20 }, (_, i) => ({ id: 10 + i, start: i * 1000, parent: 1 }));
  const below = [60, 61, 62, 63].map((id) => ({ id, start: 30_000, parent: 12 }));
  const { rows, idOf } = rowsOf([{ id: 1, start: 0 }, ...many, ...below], { from: 0, to: 100_000, limit: 5 });
  expect(rows.map(idOf)).toEqual([1, 10, 11, 12, '+4', 13, 14, '+15']);
  expect(rows.map(({ parent }) => parent)).toEqual([-1, 0, 0, 0, 3, 0, 0, 0]);
});

test('of any tree: rows are a preorder, and each bar is within the window', () => {
  const forest = fc.array(fc.record({ parent: fc.nat(), life: fc.option(fc.nat(50)) }), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(
      forest,
      fc.integer({ min: -10, max: 80 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 40 }),
      (births, from, span, limit) => {
        const sketches = births.map(
          ({ parent, life }, i): TaskSketch => ({
            id: i + 1,
            start: i * 1000,
            ...(i === 0 ? {} : { parent: (parent % i) + 1 }),
            ...(life === null ? {} : { exit: { at: (i + life) * 1000 } }),
          }),
        );
        const { rows, family } = rowsOf(sketches, { from: from * 1000, to: (from + span) * 1000, at: 100_000, limit });
        const lives = rows.filter(({ kind }) => kind === 'life');
        expect(lives).toHaveLength(family.members.length);
        expect(rows.reduce((sum, row) => sum + (row.kind === 'more' ? row.count : 0), 0)).toBe(family.more);
        for (const [i, row] of rows.entries()) {
          expect(row.parent).toBeLessThan(i);
          expect(row.depth).toBe(row.parent < 0 ? 0 : rows[row.parent]!.depth + 1);
          if (row.kind !== 'life' || row.bar === undefined) continue;
          const { left, right } = row.bar;
          expect(left).toBeGreaterThanOrEqual(0);
          expect(right).toBeLessThanOrEqual(1);
          expect(left).toBeLessThanOrEqual(right);
        }
      },
    ),
  );
});
