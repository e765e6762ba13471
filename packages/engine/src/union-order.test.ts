import { AUTHORITY, BatchWriter, type EntityId, type EventNs, FIELDS, type TaskId, type Tid } from '@dendro/protocol';
import { expect, test } from 'vitest';
import type { TaskIndex } from './ids.ts';
import { TemporalTree } from './temporal-tree.ts';
import { orderTree } from './tree-order.ts';
import { orderUnion } from './union-order.ts';

/** id, parent, start, exit; the parent of 5 from 60 on is 1. */
const LIVES = [
  [1, 0, 0, Number.POSITIVE_INFINITY],
  [2, 1, 10, 80],
  [3, 2, 20, 40],
  [4, 1, 70, Number.POSITIVE_INFINITY],
  [5, 2, 30, Number.POSITIVE_INFINITY],
  [6, 4, 75, 78],
] as const;

function host(): TemporalTree {
  const writer = new BatchWriter();
  const by = AUTHORITY.event;
  for (const [id, parent, start, exit] of LIVES) {
    const [task, since] = [id as TaskId, start as EventNs];
    writer.task(task, id as Tid, id as Tid, task, parent as TaskId, since, id as EntityId, 0, by);
    if (parent > 0) writer.set(task, FIELDS.parent.id, since, by, parent);
    if (Number.isFinite(exit)) writer.exit(task, exit as EventNs, by, 0, -1);
  }
  writer.set(5 as TaskId, FIELDS.parent.id, 60 as EventNs, by, 1);
  const tree = new TemporalTree();
  tree.apply(writer.finish());
  return tree;
}

/** Indented by depth. */
function drawn(at: number, alsoAt?: number): string[] {
  const tree = host();
  const options = { at: at as EventNs, keepExitedNs: 0, threads: () => false, kernelThreads: true };
  const order =
    alsoAt === undefined ? orderTree(tree, options) : orderUnion(tree, { ...options, alsoAt: alsoAt as EventNs });
  return Array.from(
    order.tasks,
    (task, p) => `${'  '.repeat(order.depths[p] as number)}${tree.tidOf(task as TaskIndex)}`,
  );
}

test('one instant has those who live then', () => {
  expect(drawn(35)).toEqual(['1', '  2', '    3', '    5']);
  expect(drawn(90)).toEqual(['1', '  5', '  4']);
});

test('twice the same instant is one', () => {
  for (const at of [5, 35, 65, 77, 90]) expect(drawn(at, at)).toEqual(drawn(at));
});

test('with another instant those who lived then are there too, where they were; who lives at both is where it is now', () => {
  expect(drawn(90, 35)).toEqual(['1', '  2', '    3', '  5', '  4']);
});

test('the other instant may be the later one: who is still to be born is there, and nobody of the time in between', () => {
  expect(drawn(35, 90)).toEqual(['1', '  2', '    3', '    5', '  4']);
});
