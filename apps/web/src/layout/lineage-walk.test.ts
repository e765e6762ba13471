import type { EventNs, TaskId } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { treeOf } from '../testing/tree-of.ts';
import { birthsOf } from './births.ts';
import { lineageFamily } from './lineage-family.ts';
import { lineageLayout } from './lineage-layout.ts';
import { walk } from './lineage-walk.ts';

const tree = treeOf([
  { id: 9, start: 0 },
  { id: 10, start: 1, parent: 9 },
  { id: 11, start: 2, parent: 10 },
  { id: 12, start: 3, parent: 10 },
  { id: 13, start: 4, parent: 10 },
  { id: 14, start: 5, parent: 11 },
  { id: 15, start: 6, parent: 13 },
]);
const family = lineageFamily(tree, birthsOf(tree), tree.indexOf(10 as TaskId), {
  at: 100 as EventNs,
  limit: 500,
  wanted: () => true,
  groups: () => false,
});
const layout = lineageLayout(family);

function from(start: number | 'end', ...keys: readonly string[]): number | string {
  let at = layout.nodes.findIndex((node) => (start === 'end' ? node.kind === 'end' : node.key === `task-${start}`));
  for (const key of keys) at = walk(layout, at, key) ?? -1;
  const node = layout.nodes[at];
  return node?.kind === 'task' ? Number(tree.taskIdOf(node.task)) : (node?.kind ?? 'nowhere');
}

test('left goes to the parent, as far as why there is none', () => {
  expect(from(14, 'ArrowLeft')).toBe(11);
  expect(from(14, 'ArrowLeft', 'ArrowLeft', 'ArrowLeft')).toBe(9);
  expect(from(9, 'ArrowLeft')).toBe('end');
  expect(from('end', 'ArrowLeft')).toBe('end');
});

test('right goes to the child that stands nearest, and nowhere from a leaf', () => {
  expect(from('end', 'ArrowRight', 'ArrowRight', 'ArrowRight')).toBe(12);
  expect(from(12, 'ArrowRight')).toBe(12);
});

test('up and down stay within a generation, across families', () => {
  expect(from(12, 'ArrowUp')).toBe(11);
  expect(from(12, 'ArrowDown', 'ArrowDown')).toBe(13);
  expect(from(14, 'ArrowDown')).toBe(15);
  expect(from(9, 'ArrowUp')).toBe(9);
});

test('Home is the eldest, End the process itself; other keys mean nothing', () => {
  expect(from(15, 'Home')).toBe('end');
  expect(from(15, 'End')).toBe(10);
  expect(walk(layout, 0, 'x')).toBeUndefined();
});
