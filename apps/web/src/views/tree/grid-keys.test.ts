// Keys against a real order of a small tree:
//
//     1 init
//       10 sh          three threads: 10, 11, 12
//         20 vim
//       30 cron

import { orderTree, type TaskIndex } from '@dendro/engine';
import type { EventNs, TaskId } from '@dendro/protocol';
import { beforeEach, expect, test } from 'vitest';
import { Found } from '../../layout/found.ts';
import { partOf } from '../../layout/scope.ts';
import { groupsOfTree, NO_GROUPS } from '../../layout/sibling-groups.ts';
import { TaskColumns } from '../../layout/task-columns.ts';
import { visibleRows } from '../../layout/visible-rows.ts';
import { Columns } from '../../query/columns.ts';
import { matchQuery } from '../../query/match-query.ts';
import { useTree } from '../../state/tree-store.ts';
import { isFiltered, useView, view } from '../../state/view-store.ts';
import { treeOf } from '../../testing/tree-of.ts';
import { gridKeys } from './grid-keys.ts';
import { placeOfSelected } from './step-match.ts';
import { treeRowsOf } from './tree-rows.ts';

const tree = treeOf([
  { id: 1 },
  { id: 10, parent: 1, start: 1, fields: { comm: 'sh' } },
  { id: 11, leader: 10, start: 2 },
  { id: 12, leader: 10, start: 3 },
  { id: 20, parent: 10, start: 4, fields: { comm: 'vim' } },
  { id: 30, parent: 1, start: 5, fields: { comm: 'cron' } },
]);
const first = useView.getState();
let selected: number;

beforeEach(() => {
  useView.setState(first, true);
  selected = 1;
});

function rows() {
  const { collapsed, withThreads, asked, onlyFound, scope } = useView.getState();
  const order = orderTree(tree, {
    at: 10 as EventNs,
    keepExitedNs: 0,
    threads: (process) => withThreads.has(tree.taskIdOf(process)),
    kernelThreads: false,
  });
  const columns = new Columns(tree, order);
  const inAll = asked && matchQuery(asked.query, { columns, base: { epochNs: 0n }, users: {} });
  const { order: shown, from, isScopeLost } = partOf(order, scope === undefined ? undefined : tree.indexOf(scope));
  const found = inAll && new Found(inAll.subarray(from, from + shown.length));
  const filters = isFiltered({ asked, onlyFound });
  const isCollapsed = (position: number) => collapsed.has(tree.taskIdOf(shown.tasks[position] as TaskIndex));
  const rows = visibleRows(shown, { isCollapsed, matches: filters ? found : undefined });
  const rest = { asked, found, changes: undefined, columns, isFiltered: filters, isScopeLost };
  return treeRowsOf({ tree, order: shown, rows, groups: NO_GROUPS, own: [], kept: undefined, ...rest });
}

const shown = () => {
  const { rows: visible, taskAt } = rows();
  return Array.from({ length: visible.length }, (_, row) => Number(tree.taskIdOf(taskAt(row))));
};

/** Presses keys one after another; the row that is moved to is clamped as the grid does it. */
function press(...keys: string[]): void {
  for (const key of keys) {
    const treeRows = rows();
    const moveTo = (row: number) => {
      const next = Math.max(0, Math.min(treeRows.rows.length - 1, row));
      view.select(tree.taskIdOf(treeRows.taskAt(next)));
    };
    const event = { key, preventDefault: () => {}, ctrlKey: false, metaKey: false, altKey: false };
    view.select(selected as TaskId);
    gridKeys(event, treeRows, treeRows.rowOf(selected as TaskId), 2, moveTo);
    selected = Number(useView.getState().selected);
  }
}

test('Down, Up, Home, End and the page keys walk the rows and stop at the ends', () => {
  const at: number[] = [];
  for (const key of [
    'ArrowDown',
    'ArrowDown',
    'End',
    'ArrowDown',
    'ArrowUp',
    'Home',
    'ArrowUp',
    'PageDown',
    'PageUp',
  ]) {
    press(key);
    at.push(selected);
  }
  expect(at).toEqual([10, 20, 30, 30, 20, 1, 1, 20, 1]);
});

test('Left closes, then goes to the parent; Right opens, then goes to the first child', () => {
  press('ArrowDown', 'ArrowLeft');
  expect([selected, shown()]).toEqual([10, [1, 10, 30]]);
  press('ArrowLeft');
  expect(selected).toBe(1);
  press('ArrowRight', 'ArrowRight');
  expect([selected, shown()]).toEqual([10, [1, 10, 20, 30]]);
  press('ArrowRight', 'ArrowRight');
  expect(selected).toBe(20);
});

test('Left on a row without children goes to its parent', () => {
  press('End', 'ArrowLeft');
  expect(selected).toBe(1);
});

test('* opens everything below the row', () => {
  view.collapse([1, 10].map((id) => id as TaskId));
  expect(shown()).toEqual([1]);
  press('*');
  expect(shown()).toEqual([1, 10, 20, 30]);
});

test('t shows the threads of a process, and from a thread hides them again', () => {
  press('ArrowDown', 't');
  expect(shown()).toEqual([1, 10, 11, 12, 20, 30]);
  press('ArrowDown', 't');
  expect([selected, shown()]).toEqual([10, [1, 10, 20, 30]]);
});

test('Enter opens the details of the row', () => {
  press('ArrowDown', 'Enter');
  expect(useView.getState()).toMatchObject({ areDetailsOpen: true, selected: 10 });
});

test('with a filter nothing is folded: Left goes to the parent', () => {
  view.setQuery('name:vim');
  expect(shown()).toEqual([1, 10, 20]);
  press('ArrowDown', 'ArrowLeft');
  expect([selected, useView.getState().collapsed.size]).toEqual([1, 0]);
});

test('plain text hides nothing; n and N go from match to match, round the end, through what is folded', () => {
  view.collapse([1, 10].map((id) => id as TaskId));
  view.setQuery('vim | cron');
  expect(shown()).toEqual([1]);
  press('n');
  expect([selected, shown()]).toEqual([20, [1, 10, 20, 30]]);
  press('n');
  expect([selected, placeOfSelected(rows(), 30 as TaskId)]).toEqual([30, 2]);
  press('n');
  expect(selected).toBe(20);
  press('N');
  expect(selected).toBe(30);
  expect(useView.getState().revealed).toEqual({ task: 30 });
});

test('s shows the subtree alone, and what is found is found in there', () => {
  press('ArrowDown', 's');
  expect(shown()).toEqual([10, 20]);
  expect([...rows().order.depths]).toEqual([0, 1]);
  view.setQuery('vim | cron');
  expect(rows().found?.count).toBe(1);
  view.setScope(99 as TaskId);
  expect([shown(), rows().isScopeLost]).toEqual([[], true]);
});

test('keys with Ctrl, Alt or Meta, and keys without a meaning, are left to the browser', () => {
  let prevented = 0;
  const key = (name: string, ctrlKey = false) =>
    gridKeys(
      { key: name, preventDefault: () => prevented++, ctrlKey, metaKey: false, altKey: false },
      rows(),
      0,
      2,
      () => {},
    );
  key('ArrowDown', true);
  key('x');
  key('Tab');
  expect(prevented).toBe(0);
  key('ArrowDown');
  expect(prevented).toBe(1);
});

test('on the row of a group Right opens it and then goes in, Left leads back and closes it, Enter does either', () => {
  const crowd = treeOf([
    { id: 1 },
    ...[10, 11, 12, 13].map((id) => ({ id, parent: 1, start: id, fields: { comm: 'worker' } })),
  ]);
  const order = orderTree(crowd, { at: 50 as EventNs, keepExitedNs: 0, threads: () => false, kernelThreads: false });
  const groups = groupsOfTree(new TaskColumns(crowd, order.at), order, undefined);
  let row = 1;
  const after = (key: string) => {
    const isGroupOpen = (group: number) => useTree.getState().openGroups.has(groups.keyOf(group));
    const rows = visibleRows(order, { isCollapsed: () => false, groups, isGroupOpen });
    const nothingAsked = {
      asked: undefined,
      found: undefined,
      changes: undefined,
      isFiltered: false,
      isScopeLost: false,
    };
    const columns = new Columns(crowd, order);
    const found = treeRowsOf({ tree: crowd, order, groups, own: [], kept: undefined, rows, columns, ...nothingAsked });
    const event = { key, preventDefault: () => {}, ctrlKey: false, metaKey: false, altKey: false };
    gridKeys(event, found, row, 2, (next) => {
      row = next;
    });
    return [row, useTree.getState().openGroups.size];
  };
  expect(['ArrowRight', 'ArrowRight', 'ArrowLeft', 'ArrowLeft', 'Enter', 'Enter'].map(after)).toEqual([
    [1, 1],
    [2, 1],
    [1, 1],
    [1, 0],
    [1, 1],
    [1, 0],
  ]);
  expect(after('F')).toEqual([1, 0]);
  expect(useTree.getState().followed).toBeUndefined();
});

test('F follows the task of a row, and pressed there again stops', () => {
  press('ArrowDown', 'F');
  expect(useTree.getState().followed).toEqual({ task: 10, because: undefined });
  press('F');
  expect(useTree.getState().followed).toBeUndefined();
});
