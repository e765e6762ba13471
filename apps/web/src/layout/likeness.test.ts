import { TaskChanges, type TaskIndex } from '@dendro/engine';
import type { EventNs, TaskId } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { batchOf, treeOf } from '../testing/tree-of.ts';
import { Likenesses } from './likeness.ts';
import { TaskColumns } from './task-columns.ts';

const S = 1e9;
const chrome = { comm: 'chrome', executable: { path: '/opt/chrome' }, uid: 1000 };
const renamed = { id: 2, start: 11 * S, fields: { ...chrome, comm: 'renamed' } };

function likesOf(columns: TaskColumns): number[] {
  const { likes } = Likenesses.of(columns);
  return [1, 2, 3].map((id) => likes[columns.tree.indexOf(id as TaskId) as TaskIndex] as number);
}

test('who reads the same is alike, who has no name is like nobody', () => {
  const tree = treeOf([{ id: 1, fields: chrome }, { id: 2, fields: chrome }, { id: 3 }]);
  const [one, two, three] = likesOf(new TaskColumns(tree, S as EventNs));
  expect(one).toBe(two);
  expect(three).toBe(-1);
});

test('one file is the same program, whatever else is known of it', () => {
  const file = { path: '/opt/chrome', inode: '17' };
  const tree = treeOf([{ id: 1, fields: chrome }, { id: 2, fields: { ...chrome, executable: file } }, { id: 3 }]);
  const [one, two] = likesOf(new TaskColumns(tree, S as EventNs));
  expect(one).toBe(two);
});

test('a change is seen at once, and before it nothing of it', () => {
  const tree = treeOf([1, 2, 3].map((id) => ({ id, fields: chrome })));
  const columns = new TaskColumns(tree, (10 * S) as EventNs, new TaskChanges(tree));
  likesOf(columns);
  columns.moveTo((10 * S) as EventNs);
  likesOf(columns);
  tree.apply(batchOf([renamed]));
  for (const [at, isAlike] of [
    [10, true],
    [20, false],
    [5, true],
    [12, false],
  ] as const) {
    columns.moveTo((at * S) as EventNs);
    const [one, two] = likesOf(columns);
    expect(one === two).toBe(isAlike);
  }
});
