// Orders that are carried on from one to the next, beside orders made anew.

import { type OrderOptions, orderTree, type TaskIndex, TemporalTree, type TreeOrder, TreeOrders } from '@dendro/engine';
import { BatchWriter, type EventNs } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arbitraryFacts } from './arbitraries.ts';
import { randomRuns } from './random-runs.ts';

const RUNS = randomRuns(500);
const TASKS = 8;

const steps = fc.array(
  fc.record({
    facts: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 5, arbitrary: arbitraryFacts(TASKS) }),
    evicted: fc.option(fc.integer({ min: 1, max: TASKS }), { freq: 4, nil: undefined }),
    isCut: fc.boolean(),
    // Mostly time goes on; now and then somebody goes elsewhere.
    by: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 0, max: 4 }) },
      { weight: 1, arbitrary: fc.integer({ min: -9, max: 0 }) },
    ),
    keep: fc.constantFrom(0, 3, 3, 3, Number.POSITIVE_INFINITY),
    kernelThreads: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    threads: fc.integer({ min: 0, max: 3 }),
    alsoKeep: fc.option(fc.integer({ min: 0, max: TASKS - 1 }), { freq: 2, nil: undefined }),
  }),
  { minLength: 2, maxLength: 12 },
);

function plain({ tasks, depths, subtreeEnds, threadCounts, ...rest }: TreeOrder) {
  return { ...rest, tasks: [...tasks], depths: [...depths], ends: [...subtreeEnds], threadCounts: [...threadCounts] };
}

test('[AS8] an order that is carried on is the one that is made anew, whatever came, left, or went back in time', () => {
  fc.assert(
    fc.property(steps, (steps) => {
      const tree = new TemporalTree({ entriesPerField: 3 });
      const orders = new TreeOrders(tree);
      let at = 0;
      for (const { facts, evicted, isCut, by, keep, kernelThreads, threads, alsoKeep } of steps) {
        const writer = new BatchWriter();
        for (const write of facts) write(writer);
        if (evicted !== undefined) writer.evict(evicted as never, isCut);
        tree.apply(writer.finish());
        at = Math.max(0, at + by);
        const options: OrderOptions = {
          at: at as EventNs,
          keepExitedNs: keep,
          alsoKeep: alsoKeep as TaskIndex | undefined,
          kernelThreads,
          threads: (process: TaskIndex) => process % 3 < threads,
        };
        expect(plain(orders.order(options))).toEqual(plain(orderTree(tree, options)));
      }
    }),
    RUNS,
  );
});
