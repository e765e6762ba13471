// What is kept of a tree from frame to frame, beside what is read anew: orders,
// groups, roll-ups, chips and what queries find, after whatever facts, evictions
// and moves in time.

import { orderTree, type TaskIndex, TemporalTree, type TreeOrder } from '@dendro/engine';
import { BatchWriter, type EventNs, type TaskId } from '@dendro/protocol';
import { arbitraryFacts, randomRuns, type WriteFact } from '@dendro/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Columns } from '../query/columns.ts';
import { matchQuery } from '../query/match-query.ts';
import { parseQuery } from '../query/parse-query.ts';
import { CHIPS, keptByChip } from './chips.ts';
import { keptTree } from './kept-tree.ts';
import { Rollups } from './rollups.ts';
import { groupsOfTree } from './sibling-groups.ts';
import { TaskColumns } from './task-columns.ts';
import { numbersOf } from './task-numbers.ts';
import { visibleRows } from './visible-rows.ts';

const TASKS = 12;
const NUMBERS = ['uid', 'euid', 'ppid', 'tid', 'start', 'exit', 'fate', 'parent'] as const;
const QUERIES = [
  'text',
  'text 1 !name:=text',
  'cmd:2 | exe:text',
  'user:1 ppid:>0',
  'exit:!=0',
  'under:3',
  'container:3',
];
const BASE = { epochNs: 0n };

/** The library has its types twice, for each kind of module, and they do not fit one another. */
const anyFacts = arbitraryFacts(TASKS) as unknown as fc.Arbitrary<WriteFact[]>;

const steps = fc.array(
  fc.record({
    facts: fc.option(anyFacts, { freq: 3, nil: [] }),
    evicted: fc.option(fc.integer({ min: 1, max: TASKS }), { freq: 4, nil: undefined }),
    by: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 0, max: 4 }) },
      { weight: 2, arbitrary: fc.integer({ min: -9, max: 0 }) },
    ),
    keep: fc.constantFrom(3, 3, 3, Number.POSITIVE_INFINITY),
    // What nobody looks at for a while has to be kept nevertheless.
    looks: fc.boolean(),
  }),
  { minLength: 2, maxLength: 10 },
);

test('what is carried on says what is read anew', () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(...QUERIES), fc.uniqueArray(fc.nat(TASKS)), (steps, query, folded) => {
      const tree = new TemporalTree({ entriesPerField: 3 });
      const { orders, columns } = keptTree(tree);
      let at = 0;
      for (const { facts, evicted, by, keep, looks } of steps) {
        const writer = new BatchWriter();
        for (const write of facts) write(writer);
        if (evicted !== undefined) writer.evict(evicted as TaskId, false);
        tree.apply(writer.finish());
        at = Math.max(0, at + by);
        const options = { at: at as EventNs, keepExitedNs: keep, threads: () => true, kernelThreads: true };
        const order = orders.order(options);
        columns.moveTo(options.at);
        if (looks) expect(saidOf(columns, order, query, folded)).toEqual(saidAnew(tree, options, query, folded));
      }
    }),
    randomRuns(300),
  );
});

function saidAnew(tree: TemporalTree, options: Parameters<typeof orderTree>[1], query: string, folded: number[]) {
  return saidOf(new TaskColumns(tree, options.at), orderTree(tree, options), query, folded);
}

function saidOf(columns: TaskColumns, order: TreeOrder, query: string, folded: readonly number[]) {
  const { tree } = columns;
  const parsed = parseQuery(query);
  if (parsed.kind === 'problem' || parsed.query === undefined) throw new Error(`not a query: ${query}`);
  const groups = groupsOfTree(columns, order, undefined);
  const rollups = new Rollups(columns, order);
  const isCollapsed = (position: number) => folded.includes(tree.taskIdOf(order.tasks[position] as TaskIndex));
  return {
    tasks: [...order.tasks],
    numbers: NUMBERS.map((what) => Array.from(order.tasks, (task) => numbersOf(columns, what)[task])),
    found: [...matchQuery(parsed.query, { columns: new Columns(tree, order, columns), base: BASE, users: { 1: 'u' } })],
    chips: CHIPS.map((chip) => [...(keptByChip(chip, columns, order, (order.at - 4) as EventNs) ?? [])]),
    groups: Array.from({ length: groups.length }, (_, group) => [groups.keyOf(group), groups.membersOf(group)]),
    rollups: Array.from(order.tasks, (_, position) => rollups.below(position)),
    rows: [...visibleRows(order, { isCollapsed, groups }).positions],
  };
}
