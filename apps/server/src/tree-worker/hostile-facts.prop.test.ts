// What the API answers of a recording that means harm: JSON, files and snapshots, or a coded error, and soon.

import { ProcessTree, type TaskIndex, TemporalTree } from '@dendro/engine';
import { BatchWriter, DendroError, type EventNs, epochOf } from '@dendro/protocol';
import { hostileFacts, LONG_SHAPE_NAMES, longShape, randomRuns, type WriteFact } from '@dendro/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TREE_FORMATS } from '../export/tree-export.ts';
import { type AskedTree, answerJson } from './answers.ts';
import type { TreeQuestion } from './messages.ts';
import { snapshotChunks } from './snapshot.ts';

const BASE = { epochNs: 1_700_000_000_000_000_000n };

function recorded(batch: Uint8Array): ProcessTree {
  const host = new ProcessTree({ maxProcesses: 50_000, maxThreads: 50_000 });
  host.apply({ type: 'clock', epochNs: BASE.epochNs });
  host.apply({ type: 'facts', at: 0 as EventNs, batch, isSnapshot: false });
  return host;
}

/** Undefined where it is refused. */
function ask(host: ProcessTree, now: EventNs, question: TreeQuestion): string | undefined {
  const asked: AskedTree = {
    ...{ host, version: 1, id: 'h', base: BASE, now },
    reaches: () => true,
    lacks: () => [],
  };
  try {
    return answerJson(asked, question);
  } catch (thrown) {
    if (!(thrown instanceof DendroError)) throw thrown;
    return undefined;
  }
}

function askAboutTask(host: ProcessTree, now: EventNs, id: string): void {
  const at = String(epochOf(BASE, now));
  ask(host, now, { kind: 'process', id, at });
  ask(host, now, { kind: 'thread', id, at });
  const lineage = ask(host, now, { kind: 'lineage', id, at, depth: 10_000 });
  if (lineage !== undefined) JSON.parse(lineage);
}

function askAboutTree(host: ProcessTree, now: EventNs): void {
  const at = String(epochOf(BASE, now));
  const { tasks } = JSON.parse(ask(host, now, { kind: 'tree', at, withExited: true }) as string);
  expect(new Set(tasks.map(({ taskId }: { taskId: number }) => taskId)).size).toBe(tasks.length);
  for (const format of TREE_FORMATS) ask(host, now, { kind: 'export', format, at, dendro: '1', withExited: true });
  const replica = new TemporalTree();
  for (const { bytes } of snapshotChunks(host, now)) replica.apply(bytes);
}

test('whatever it says, every question has an answer', () => {
  fc.assert(
    fc.property(hostileFacts() as fc.Arbitrary<WriteFact[]>, fc.constantFrom(0, 3, 1e9), (facts, now) => {
      const writer = new BatchWriter();
      for (const write of facts) write(writer);
      const host = recorded(writer.finish());
      askAboutTree(host, now as EventNs);
      for (let id = 0; id <= 9; id++) {
        for (const kind of ['', 'pid:', 'e:']) askAboutTask(host, now as EventNs, `${kind}${id}`);
      }
    }),
    randomRuns(100),
  );
});

const LONG = 5000;
const MOST_MS = 1000;

test.each(LONG_SHAPE_NAMES)('%s takes no longer than it is long', (shape) => {
  const host = recorded(longShape(shape, LONG));
  const began = performance.now();
  askAboutTree(host, (LONG + 1) as EventNs);
  for (const task of [0, host.tree.slotCount - 1] as TaskIndex[]) {
    if (host.tree.slotCount > 0) askAboutTask(host, (LONG + 1) as EventNs, String(host.tree.taskIdOf(task)));
  }
  expect(performance.now() - began).toBeLessThan(MOST_MS);
});
