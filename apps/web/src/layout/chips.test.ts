import { orderTree } from '@dendro/engine';
import { type EventNs, TASK_FLAG } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { treeOf } from '../testing/tree-of.ts';
import { CHIPS, type Chip, countChips, keptByChip } from './chips.ts';
import { ownPositions, withoutOwn } from './own.ts';
import { TaskColumns } from './task-columns.ts';

const S = 1e9;
const tree = treeOf([
  { id: 1, fields: { comm: 'init', uid: 0, euid: 0 } },
  { id: 2, flags: TASK_FLAG.kernelThread, fields: { uid: 0 } },
  { id: 3, parent: 1, start: 90 * S, fields: { uid: 1000, euid: 0 } },
  {
    id: 4,
    parent: 1,
    start: 95 * S,
    flags: TASK_FLAG.startIsUnknown,
    fields: { uid: 1000, euid: 1000, container: 'c1' },
  },
  { id: 5, leader: 4, start: 96 * S },
  { id: 6, parent: 1, start: 20 * S, exit: { at: 99 * S, code: 0 }, fields: { uid: 1000, euid: 1000 } },
  { id: 7, parent: 1, start: 20 * S, exit: { at: 30 * S, code: 0 } },
]);
const order = orderTree(tree, {
  at: (100 * S) as EventNs,
  keepExitedNs: 15 * S,
  threads: () => true,
  kernelThreads: true,
});
const columns = new TaskColumns(tree, order.at);
const since = (80 * S) as EventNs;
const kept = (chip: Chip) => {
  const rows = keptByChip(chip, columns, order, since);
  return [...order.tasks]
    .filter((_, p) => rows === undefined || rows[p] === 1)
    .map((task) => tree.tidOf(task as never));
};

test('each chip keeps what it says; threads go with their process', () => {
  expect(Object.fromEntries(CHIPS.map((chip) => [chip, kept(chip)]))).toEqual({
    all: [1, 6, 3, 4, 5, 2],
    running: [1, 3, 4, 5, 2],
    exited: [6],
    new: [3],
    containers: [4, 5],
    root: [1, 3],
  });
});

test('counts are of processes, and those folded away count as exited', () => {
  const counts = { all: 5, running: 4, exited: 2, new: 1, containers: 1, root: 2 };
  for (const [step, times] of [
    [undefined, 1],
    [order.length, CHIPS.length],
    [4, (CHIPS.length * order.length) / 4],
  ] as const) {
    const steps = countChips(columns, order, since, step);
    for (let time = 1; time < times; time++) expect(steps.next()).toEqual({ done: false, value: undefined });
    expect(steps.next()).toEqual({ done: true, value: counts });
  }
});

test("Dendro's own processes are left out with their threads, and a former life of a pid is not its own", () => {
  const own = ownPositions(columns, order, [4, 6, 999]);
  expect(own.map((p) => tree.tidOf(order.tasks[p] as never))).toEqual([4]);
  const rest = withoutOwn(tree, order, own, undefined);
  expect([...order.tasks].filter((_, p) => rest?.[p] === 1).map((task) => tree.tidOf(task as never))).toEqual([
    1, 6, 3, 2,
  ]);
  expect(ownPositions(columns, order, [])).toEqual([]);
  expect(withoutOwn(tree, order, [], undefined)).toBeUndefined();
});
