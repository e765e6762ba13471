import { NO_TASK, orderTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { type TaskSketch, treeOf } from '../testing/tree-of.ts';
import { groupsOfTree } from './sibling-groups.ts';
import { TaskColumns } from './task-columns.ts';

const S = 1e9;
const chrome = { comm: 'chrome', executable: { path: '/opt/chrome' }, uid: 1000 };

function groups(children: readonly Partial<TaskSketch>[], seconds = 100) {
  const tree = treeOf([
    { id: 1, fields: { comm: 'init', uid: 0 } },
    ...children.map((child, i) => ({ id: 10 + i, parent: 1, start: i, fields: chrome, ...child })),
  ]);
  const at = (seconds * S) as EventNs;
  const order = orderTree(tree, { at, keepExitedNs: 60 * S, threads: () => true, kernelThreads: false });
  const found = groupsOfTree(new TaskColumns(tree, order.at), order, undefined);
  return Array.from({ length: found.length }, (_, group) => ({
    key: found.keyOf(group),
    tids: found.membersOf(group).map((position) => tree.tidOf((order.tasks[position] ?? NO_TASK) as never)),
  }));
}

test('four siblings with the same program, name and user are a group, three are none', () => {
  expect(groups([{}, {}, {}, {}]).map(({ tids }) => tids)).toEqual([[10, 11, 12, 13]]);
  expect(groups([{}, {}, {}])).toEqual([]);
});

test('who has another name, program or user is not in it, nor are threads', () => {
  const others = [
    { fields: { ...chrome, comm: 'chrome_crashpad' } },
    { fields: { ...chrome, executable: { path: '/tmp/chrome' } } },
    { fields: { ...chrome, uid: 0 } },
    { leader: 10 },
  ];
  expect(groups([{}, {}, {}, {}, ...others]).map(({ tids }) => tids)).toEqual([[10, 11, 12, 13]]);
});

test('who has children is not in it: what it started is to be seen', () => {
  const child = { id: 50, parent: 10, start: 20 };
  expect(groups([{}, {}, {}, {}, {}, child]).map(({ tids }) => tids)).toEqual([[11, 12, 13, 14]]);
});

test('who failed stays out; who ended well stays in', () => {
  const ends = [
    { exit: { at: 90 * S, code: 3 } },
    { exit: { at: 90 * S, signal: 9 } },
    { exit: { at: 90 * S, code: 0 } },
  ];
  expect(groups([{}, {}, {}, ...ends]).map(({ tids }) => tids)).toEqual([[10, 11, 12, 15]]);
});

test('a group keeps its name when its eldest member goes', () => {
  const before = groups([{ exit: { at: 20 * S, code: 0 } }, {}, {}, {}, {}], 30);
  const after = groups([{ exit: { at: 20 * S, code: 0 } }, {}, {}, {}, {}], 200);
  expect([before[0]?.tids.length, after[0]?.tids.length]).toEqual([5, 4]);
  expect(after[0]?.key).toBe(before[0]?.key);
});
