import { NO_TASK } from '@dendro/engine';
import type { EventNs, TaskId } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { treeOf } from '../testing/tree-of.ts';
import { endOf, followTarget } from './follow.ts';

const tree = treeOf([
  { id: 1, fields: { comm: 'init' } },
  { id: 4, parent: 1, start: 1, fields: { comm: 'sshd' }, exit: { at: 60, code: 0 } },
  { id: 5, parent: 4, start: 10, fields: { comm: 'nginx' }, exit: { at: 50, signal: 9 } },
  { id: 6, leader: 5, start: 11, exit: { at: 40 } },
  { id: 7, start: 1, exit: { at: 20 } },
]);
const target = (id: number, at: number) => {
  const found = followTarget(tree, id as TaskId, at as EventNs);
  return found.kind === 'living'
    ? [tree.tidOf(found.task), found.ended === NO_TASK ? undefined : tree.tidOf(found.ended)]
    : found.kind;
};

test('who lives is followed; once it has ended its parent, as it was then, and so on up', () => {
  expect(target(5, 20)).toEqual([5, undefined]);
  expect(target(5, 50)).toEqual([4, 5]);
  expect(target(5, 60)).toEqual([1, 4]);
});

test('after a thread its process is followed', () => {
  expect(target(6, 45)).toEqual([5, 6]);
});

test('before its birth there is nobody to follow, and without a parent nobody is left', () => {
  expect(target(5, 5)).toBe('not-begun');
  expect(target(7, 30)).toBe('lost');
  expect(target(99, 30)).toBe('lost');
});

test('an end is told with how it was', () => {
  expect(endOf(tree, tree.indexOf(5 as TaskId), 55 as EventNs)).toBe('nginx [5] ended (SIGKILL)');
});
