// `pnpm bench:lineage`: what a lineage costs each time that the tree has changed.
// The goal is 16 ms, one frame, for the layout of 500 nodes. Medians; the machine
// should be quiet.

import { type TaskIndex, TemporalTree } from '@dendro/engine';
import type { EventNs, TaskId } from '@dendro/protocol';
import { birthsOf } from '../src/layout/births.ts';
import { type FamilyOptions, lineageFamily } from '../src/layout/lineage-family.ts';
import { lineageLayout } from '../src/layout/lineage-layout.ts';
import { batchOf, type TaskSketch } from '../src/testing/tree-of.ts';

const RUNS = 31;
const SHOWN = 500;
const AT = 1e15 as EventNs;

/** Children are given to the young rather than to the old, as on a real host; a third has ended. */
function bushy(count: number): TaskSketch[] {
  let seed = 1;
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  return Array.from({ length: count }, (_, i) => ({
    id: i + 1,
    start: i * 1000,
    ...(i === 0 ? {} : { parent: Math.max(1, Math.ceil(i * random() ** 0.3)) }),
    ...(i % 3 === 0 && i > 0 ? { exit: { at: i * 1000 + 500, code: 0 } } : {}),
    fields: { comm: `name-${i % 40}`, uid: 0 },
  }));
}

function chain(count: number): TaskSketch[] {
  return Array.from({ length: count }, (_, i) => ({ id: i + 1, start: i * 1000, ...(i === 0 ? {} : { parent: i }) }));
}

function siblings(count: number): TaskSketch[] {
  return Array.from({ length: count }, (_, i) => ({ id: i + 1, start: i * 1000, ...(i === 0 ? {} : { parent: 1 }) }));
}

function median(run: () => void): number {
  const times: number[] = [];
  for (let i = 0; i < RUNS + 5; i++) {
    const from = performance.now();
    run();
    if (i >= 5) times.push(performance.now() - from); // the first ones warm up
  }
  return times.sort((a, b) => a - b)[RUNS >> 1] as number;
}

function measure(name: string, sketches: readonly TaskSketch[], subjectId: number): Record<string, string | number> {
  const tree = new TemporalTree();
  tree.apply(batchOf(sketches));
  const subject = tree.indexOf(subjectId as TaskId) as TaskIndex;
  const options: FamilyOptions = { at: AT, limit: SHOWN, wanted: () => true, groups: () => true };
  const births = birthsOf(tree);
  const family = lineageFamily(tree, births, subject, options);
  const layout = lineageLayout(family);
  return {
    tree: name,
    nodes: layout.nodes.length,
    'births, ms': median(() => birthsOf(tree)).toFixed(2),
    'family, ms': median(() => lineageFamily(tree, births, subject, options)).toFixed(2),
    'layout, ms': median(() => lineageLayout(family)).toFixed(2),
  };
}

console.table([
  measure('500 bushy', bushy(500), 1),
  measure('20,000 bushy', bushy(20_000), 1),
  measure('chain of 50,000, from the middle', chain(50_000), 25_000),
  measure('chain of 50,000, from the end', chain(50_000), 50_000),
  measure('100,000 siblings', siblings(100_000), 1),
]);
