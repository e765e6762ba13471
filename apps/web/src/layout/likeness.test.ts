import type { TaskIndex } from '@dendro/engine';
import type { EventNs, TaskId } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { batchOf, treeOf } from '../testing/tree-of.ts';
import { Likenesses } from './likeness.ts';

const chrome = { comm: 'chrome', executable: { path: '/opt/chrome' }, uid: 1000 };
const renamed = { id: 2, start: 0, fields: { ...chrome, comm: 'renamed' } };

function likesOf(likenesses: Likenesses, tree: ReturnType<typeof treeOf>, at: number, count: number): number[] {
  const like = likenesses.at(tree, at as EventNs, count);
  return [1, 2, 3].map((id) => like(tree.indexOf(id as TaskId) as TaskIndex));
}

test('who reads the same is alike, who has no name is like nobody', () => {
  const tree = treeOf([{ id: 1, fields: chrome }, { id: 2, fields: chrome }, { id: 3 }]);
  const [one, two, three] = likesOf(new Likenesses(), tree, 10, 3);
  expect(one).toBe(two);
  expect(three).toBe(-1);
});

test('of a small tree a change is seen at once, of a large one within sixteen frames', () => {
  for (const [count, frames] of [
    [3, 1],
    [1_000_000, 16],
  ] as const) {
    const tree = treeOf([1, 2, 3].map((id) => ({ id, fields: chrome })));
    const likenesses = new Likenesses();
    likesOf(likenesses, tree, 10, count);
    tree.apply(batchOf([{ ...renamed, start: 11 }]));
    let seenAfter = 0;
    for (let frame = 1; frame <= frames && seenAfter === 0; frame++) {
      const [one, two] = likesOf(likenesses, tree, 20, count);
      if (one !== two) seenAfter = frame;
    }
    expect(seenAfter).toBeGreaterThan(0);
  }
});

test('when time goes back nothing is remembered', () => {
  const tree = treeOf([
    { id: 1, fields: chrome },
    { id: 2, fields: chrome },
    { id: 3, fields: chrome },
  ]);
  tree.apply(batchOf([{ ...renamed, start: 11 }]));
  const likenesses = new Likenesses();
  const [after1, after2] = likesOf(likenesses, tree, 20, 1_000_000);
  expect(after1).not.toBe(after2);
  const [before1, before2] = likesOf(likenesses, tree, 5, 1_000_000);
  expect(before1).toBe(before2);
});
