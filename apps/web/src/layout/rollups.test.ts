import { orderTree, type TaskIndex } from '@dendro/engine';
import { type EventNs, TASK_FLAG, type TaskId } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type TaskSketch, treeOf } from '../testing/tree-of.ts';
import { Rollups } from './rollups.ts';
import { TaskColumns } from './task-columns.ts';

const S = 1e9;
const AT = 1000 * S;

function rollupsOf(sketches: readonly TaskSketch[], keepSeconds = 15) {
  const tree = treeOf(sketches);
  const order = orderTree(tree, {
    at: AT as EventNs,
    keepExitedNs: keepSeconds * S,
    threads: () => true,
    kernelThreads: false,
  });
  const rollups = new Rollups(new TaskColumns(tree, order.at), order);
  const positionOf = (id: number) => order.tasks.indexOf(tree.indexOf(id as TaskId));
  return { tree, order, rollups, positionOf, below: (id: number) => rollups.below(positionOf(id)) };
}

test('of what is below a row, those that live count, and what happened in the last minute; the row itself does not', () => {
  const { below } = rollupsOf([
    { id: 1, start: 999 * S },
    { id: 2, parent: 1, start: 900 * S },
    { id: 3, parent: 2, start: 950 * S },
    { id: 4, parent: 2, start: 950 * S, flags: TASK_FLAG.startIsUnknown },
    { id: 5, leader: 2, start: 990 * S },
    { id: 6, parent: 2, start: 1, exit: { at: 990 * S, code: 2 } },
    { id: 7, parent: 2, start: 1, exit: { at: 991 * S, signal: 11 } },
    { id: 8, parent: 2, start: 1, exit: { at: 992 * S, code: 0 } },
  ]);
  expect(below(1)).toEqual({ living: 3, born: 1, ended: 3, failed: 1, killed: 1 });
  expect(below(3)).toEqual({ living: 0, born: 0, ended: 0, failed: 0, killed: 0 });
});

test('what is folded away counts as long as it ended in the last minute, where its nearest shown ancestor is', () => {
  const { below, order } = rollupsOf([
    { id: 1, start: 0 },
    { id: 2, parent: 1, start: 1 },
    { id: 3, parent: 2, start: 2, exit: { at: 960 * S, code: 1 } },
    { id: 4, parent: 3, start: 3, exit: { at: 959 * S, code: 1 } },
    { id: 5, parent: 2, start: 3, exit: { at: 930 * S, code: 1 } },
    { id: 6, parent: 1, start: 4 },
  ]);
  expect(order.length).toBe(3);
  expect(below(1)).toMatchObject({ living: 2, ended: 2, failed: 2 });
  expect(below(2)).toMatchObject({ living: 0, ended: 2, failed: 2 });
  expect(below(6)).toMatchObject({ ended: 0 });
});

test('a group counts its members but for those that live, and all below them', () => {
  const { rollups, positionOf } = rollupsOf([
    { id: 1, start: 0 },
    { id: 2, parent: 1, start: 980 * S },
    { id: 3, parent: 2, start: 990 * S },
    { id: 4, parent: 1, start: 990 * S, exit: { at: 995 * S, code: 0 } },
  ]);
  expect(rollups.group([positionOf(2), positionOf(4)])).toEqual({ living: 1, born: 3, ended: 1, failed: 0, killed: 0 });
});

test('counts agree with a walk over all tasks, however many of them are folded away', () => {
  const task = fc.record({
    parent: fc.nat(30),
    start: fc.integer({ min: 900, max: 999 }),
    life: fc.integer({ min: 1, max: 120 }),
  });
  fc.assert(
    fc.property(fc.array(task, { maxLength: 30 }), fc.constantFrom(0, 15, 600), (tasks, keep) => {
      // Parents outlive their children, so that nobody changes his.
      const sketches: TaskSketch[] = [{ id: 1, start: 0 }];
      for (const [i, { parent, start, life }] of tasks.entries()) {
        const above = sketches[parent % sketches.length] as TaskSketch;
        const exit = Math.min((start + life) * S, (above.exit?.at ?? Number.POSITIVE_INFINITY) - 1);
        const begin = Math.max(start * S, above.start ?? 0);
        if (exit <= begin) continue;
        sketches.push({
          id: 2 + i,
          parent: above.id,
          start: begin,
          ...(exit < AT ? { exit: { at: exit, code: 0 } } : {}),
        });
      }
      const { tree, below } = rollupsOf(sketches, keep);
      const expected = { living: 0, born: 0, ended: 0, failed: 0, killed: 0 };
      for (const { id } of sketches.slice(1)) {
        const task = tree.indexOf(id as TaskId) as TaskIndex;
        const exit = tree.exitOf(task);
        const isRecent = exit <= AT && exit > AT - 60 * S;
        if (exit > AT) expected.living++;
        if (isRecent) expected.ended++;
        if (tree.startOf(task) > AT - 60 * S) expected.born++;
      }
      expect(below(1)).toEqual(expected);
    }),
  );
});
