// The layout of a lineage of 500 nodes, in the page's own code (`pnpm bench:lineage`
// has more of it).

import type { TaskIndex } from '@dendro/engine';
import type { EventNs, TaskId } from '@dendro/protocol';
import { Random } from '@dendro/testkit';
import { birthsOf } from '../../src/layout/births.ts';
import { lineageFamily } from '../../src/layout/lineage-family.ts';
import { lineageLayout } from '../../src/layout/lineage-layout.ts';
import { type TaskSketch, treeOf } from '../../src/testing/tree-of.ts';
import { type Row, rowOfP95 } from './harness.ts';

export const name = 'lineage';
export const goal = 'layout of 500 nodes ≤ 16 ms';

const NODES = 500;
const RUNS = 60;

export async function run(): Promise<readonly Row[]> {
  const random = new Random(1);
  const sketches: TaskSketch[] = Array.from({ length: NODES }, (_, i) => ({
    id: i + 1,
    start: i * 1000,
    ...(i === 0 ? {} : { parent: 1 + random.below(i) }),
  }));
  const tree = treeOf(sketches);
  const subject = tree.indexOf(1 as TaskId) as TaskIndex;
  const options = { at: 1e15 as EventNs, limit: NODES, wanted: () => true, groups: () => true };
  const family = lineageFamily(tree, birthsOf(tree), subject, options);
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const from = performance.now();
    lineageLayout(family);
    if (run >= RUNS / 2) times.push(performance.now() - from); // the first half warms up
  }
  return [rowOfP95(`lineage, layout of ${NODES} nodes`, times, 16)];
}
