// What is kept of a tree from frame to frame, for as long as the tree is there.

import { TaskChanges, type TemporalTree, TreeOrders } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { TaskColumns } from './task-columns.ts';

export interface KeptTree {
  readonly orders: TreeOrders;
  readonly columns: TaskColumns;
}

const kept = new WeakMap<TemporalTree, KeptTree>();

export function keptTree(tree: TemporalTree): KeptTree {
  const known = kept.get(tree);
  if (known !== undefined) return known;
  const made = { orders: new TreeOrders(tree), columns: new TaskColumns(tree, 0 as EventNs, new TaskChanges(tree)) };
  kept.set(tree, made);
  return made;
}
