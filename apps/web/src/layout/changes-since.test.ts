import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { treeOf } from '../testing/tree-of.ts';
import { changesSince } from './changes-since.ts';

test('processes that started and ended after an instant are counted, threads are not', () => {
  const tree = treeOf([
    { id: 1 },
    { id: 2, parent: 1, start: 5, exit: { at: 9 } },
    { id: 3, parent: 1, start: 12, exit: { at: 15 } },
    { id: 4, parent: 1, start: 13 },
    { id: 5, leader: 4, start: 14 },
    { id: 6, parent: 1, start: 2, exit: { at: 11 } },
  ]);
  expect(changesSince(tree, 10 as EventNs)).toEqual({ started: 2, ended: 2 });
  expect(changesSince(tree, 20 as EventNs)).toEqual({ started: 0, ended: 0 });
});
