import type { EventNs, TaskId } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { treeOf } from '../testing/tree-of.ts';
import { threadRows } from './thread-rows.ts';

test('the leader, then the living by start, then the ended, the last one first; nobody who comes later', () => {
  const tree = treeOf([
    { id: 1 },
    { id: 2, parent: 1, start: 1 },
    { id: 5, leader: 2, parent: 2, start: 30 },
    { id: 3, leader: 2, parent: 2, start: 20 },
    { id: 4, leader: 2, parent: 2, start: 25, exit: { at: 40 } },
    { id: 6, leader: 2, parent: 2, start: 26, exit: { at: 45 } },
    { id: 7, leader: 2, parent: 2, start: 90 },
  ]);
  const rows = (id: number, at: number) =>
    threadRows(tree, tree.indexOf(id as TaskId), at as EventNs).map((task) => tree.taskIdOf(task));
  expect(rows(2, 50)).toEqual([2, 3, 5, 6, 4]);
  expect(rows(3, 50)).toEqual([2, 3, 5, 6, 4]);
  expect(rows(2, 26)).toEqual([2, 3, 4, 6]);
  expect(rows(1, 50)).toEqual([1]);
});
