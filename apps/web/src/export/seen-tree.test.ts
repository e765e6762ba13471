import { orderTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { Found } from '../layout/found.ts';
import { groupsOfTree } from '../layout/sibling-groups.ts';
import { TaskColumns } from '../layout/task-columns.ts';
import { visibleRows } from '../layout/visible-rows.ts';
import { treeOf } from '../testing/tree-of.ts';
import { type SeenOf, seenTree } from './seen-tree.ts';

const tree = treeOf([
  { id: 1, fields: { comm: 'init' } },
  { id: 2, parent: 1, start: 1, fields: { comm: 'shell' } },
  { id: 3, parent: 2, start: 2, fields: { comm: 'make' } },
  { id: 4, parent: 3, start: 3, fields: { comm: 'cc' } },
  ...[5, 6, 7, 8].map((id) => ({
    id,
    parent: 1,
    start: id,
    fields: { comm: 'worker', uid: 0, executable: { path: '/bin/worker' } },
  })),
]);
const order = orderTree(tree, {
  at: 100 as EventNs,
  keepExitedNs: 0,
  threads: () => false,
  kernelThreads: false,
});
const usual = { withFolded: false, chip: 'all', newSince: 0 as EventNs, hidesOwn: false } as const;

function seen(collapsed: readonly number[], query?: readonly number[]): SeenOf {
  const at = (p: number) => tree.taskIdOf(order.tasks[p] as never) as number;
  const found =
    query && new Found(Uint8Array.from({ length: order.length }, (_, p) => (query.includes(at(p)) ? 1 : 0)));
  const rows = visibleRows(order, {
    isCollapsed: (p) => collapsed.includes(at(p)),
    matches: found,
    groups: groupsOfTree(new TaskColumns(tree, order.at), order, undefined),
  });
  return { tree, order, rows, found, isFiltered: query !== undefined, own: [] };
}

function seenRows(...asked: Parameters<typeof seenTree>) {
  const { rowAt, length, ...rest } = seenTree(...asked);
  return { rows: Array.from({ length }, (_, row) => rowAt(row)), ...rest };
}

test('what is folded or stands in one row is counted, and written only when that is asked for', () => {
  const folded = seenRows(seen([2]), usual);
  expect(folded.rows.map(({ id, depth, isLast, folded, alike }) => [id, depth, isLast, folded, alike])).toEqual([
    [1, 0, true, 0, 0],
    [2, 1, false, 2, 0],
    [5, 1, true, 0, 4],
  ]);
  expect(folded).toMatchObject({ total: 8, folded: 2, grouped: 3 });

  const whole = seenRows(seen([2]), { ...usual, withFolded: true });
  expect(whole.rows.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(whole.rows.map(({ parent }) => parent)).toEqual([-1, 0, 1, 2, 0, 0, 0, 0]);
  expect(whole).toMatchObject({ total: 8, folded: 0, grouped: 0 });
});

test('with a filter, matches and what leads to them are told apart', () => {
  for (const withFolded of [false, true]) {
    const { rows, total } = seenRows(seen([2], [4]), { ...usual, withFolded });
    expect(rows.map(({ id, isMatch }) => [id, isMatch])).toEqual([
      [1, false],
      [2, false],
      [3, false],
      [4, true],
    ]);
    expect(total).toBe(8);
  }
});
