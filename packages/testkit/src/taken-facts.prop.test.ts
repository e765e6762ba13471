// A tree that is given the batches of another one: what a recording is replayed into.

import { NO_TASK, ProcessTree, type ProcessTreeOptions, type TaskIndex, TemporalTree } from '@dendro/engine';
import { BatchWriter, type EntityId, type EventNs } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answersOf, differencesOf, snapshotOf } from './answers.ts';
import { arbitraryFacts } from './arbitraries.ts';
import { LawfulHost, MS } from './lawful-host.ts';
import { tellProcfs, tellTracee } from './lawful-host-dialects.ts';
import { interleaved, RUNS, seed, steps } from './lawful-host-steps.ts';
import { Random } from './workload.ts';

const SMALL = { maxProcesses: 7, maxThreads: 4 };
const CLOCK = { type: 'clock', epochNs: 1_700_000_000_000_000_000n } as const;

interface Recorded {
  readonly recorder: ProcessTree;
  readonly batches: readonly { readonly bytes: Uint8Array; readonly at: EventNs }[];
  readonly times: readonly number[];
}

function record(host: LawfulHost, random: Random, limits: ProcessTreeOptions = {}): Recorded {
  const recorder = new ProcessTree(limits);
  const batches: { bytes: Uint8Array; at: EventNs }[] = [];
  const commit = () => {
    const batch = recorder.commit();
    if (batch !== undefined) batches.push({ bytes: batch.bytes, at: recorder.newest });
  };
  recorder.apply(CLOCK);
  for (const { event } of interleaved(tellTracee(host, random), tellProcfs(host, random, { unreadable: 2 }), random)) {
    recorder.apply(event);
    if (random.below(4) === 0) commit();
  }
  commit();
  return { recorder, batches, times: Array.from({ length: 6 }, (_, part) => Math.floor((host.now * part) / 5)) };
}

function replay({ batches }: Recorded, limits: ProcessTreeOptions = {}): ProcessTree {
  const replayed = new ProcessTree(limits);
  replayed.apply(CLOCK);
  for (const { bytes, at } of batches) replayed.apply({ type: 'facts', batch: bytes, at, isSnapshot: false });
  return replayed;
}

function take(tree: ProcessTree, batch: Uint8Array, isSnapshot = false): void {
  tree.apply({ type: 'facts', batch, at: 0 as EventNs, isSnapshot });
}

/** Whom a pid, a task id and an entity id mean, at each time; undefined: nobody. */
function resolved(host: ProcessTree, times: readonly number[]): Map<string, unknown> {
  const { tree } = host;
  const found = new Map<string, unknown>();
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (!tree.isPresent(task)) continue;
    const refs = [
      { pid: tree.tidOf(task) as number },
      { taskId: tree.taskIdOf(task) },
      { entityId: tree.entityIdOf(task) as EntityId },
    ];
    for (const ref of refs) {
      for (const at of times) found.set(`${JSON.stringify(ref)} at ${at}`, resolve(host, ref, at as EventNs));
    }
  }
  return found;
}

function resolve(host: ProcessTree, ref: Parameters<ProcessTree['resolve']>[0], at: EventNs): unknown {
  try {
    const task = host.resolve(ref, at);
    return task === NO_TASK ? undefined : host.tree.taskIdOf(task);
  } catch (error) {
    return String(error);
  }
}

test('replayed, a recording answers, counts and resolves as the tree did that it was made of', () => {
  fc.assert(
    fc.property(steps(), seed, (list, number) => {
      const recorded = record(new LawfulHost({ maxPid: 20, reuseNs: 20 * MS }).run(list), new Random(number));
      const { recorder, times } = recorded;
      const replayed = replay(recorded);
      expect(differencesOf(answersOf(replayed.tree, times), answersOf(recorder.tree, times))).toEqual([]);
      expect(differencesOf(resolved(replayed, times), resolved(recorder, times))).toEqual([]);
      expect(replayed.newest).toBe(recorded.batches.at(-1)?.at ?? Number.NEGATIVE_INFINITY);
      expect(replayed.factsRefused).toBe(0);
      const { processes, threads, tasks, placeholders, gaps } = recorder.counts;
      expect(replayed.counts).toMatchObject({ processes, threads, tasks, placeholders, gaps, ringsRefused: 0 });
    }),
    RUNS,
  );
});

test('a replica that follows the replay knows what the replay knows', () => {
  fc.assert(
    fc.property(steps(), seed, (list, number) => {
      const { batches, times } = record(new LawfulHost({ maxPid: 20, reuseNs: 20 * MS }).run(list), new Random(number));
      const replayed = new ProcessTree(SMALL);
      const replica = new TemporalTree();
      for (const { bytes, at } of batches) {
        replayed.apply({ type: 'facts', batch: bytes, at, isSnapshot: false });
        const batch = replayed.commit();
        if (batch !== undefined) replica.apply(batch.bytes);
      }
      expect(differencesOf(answersOf(replica, times), answersOf(replayed.tree, times))).toEqual([]);
    }),
    RUNS,
  );
});

test('what the recorder had to let go of is in the replay, as far as that has room', () => {
  let evicted = 0;
  fc.assert(
    fc.property(steps({ weights: { look: 6 } }), seed, (list, number) => {
      const recorded = record(new LawfulHost({ maxPid: 20, reuseNs: 20 * MS }).run(list), new Random(number), SMALL);
      const { counts } = recorded.recorder;
      evicted += counts.evictedProcesses;
      const roomy = replay(recorded);
      expect(roomy.counts).toMatchObject({ evictedProcesses: 0, evictedThreads: 0, stubs: 0 });
      expect(roomy.counts.tasks).toBe(counts.tasks + counts.evictedProcesses + counts.evictedThreads);
      const narrow = replay(recorded, { maxProcesses: 5, maxThreads: 3 });
      expect(narrow.counts.tasks).toBeLessThanOrEqual(8);
    }),
    RUNS,
  );
  expect(evicted).toBeGreaterThan(3 * RUNS.numRuns);
});

test('a snapshot is taken like a batch', () => {
  fc.assert(
    fc.property(steps(), seed, (list, number) => {
      const random = new Random(number);
      const { recorder, times } = record(new LawfulHost({ maxPid: 20, reuseNs: 20 * MS }).run(list), random);
      const replayed = new ProcessTree();
      for (const chunk of snapshotOf(recorder.tree)) take(replayed, chunk, true);
      expect(differencesOf(answersOf(replayed.tree, times), answersOf(recorder.tree, times))).toEqual([]);
    }),
    RUNS,
  );
});

test('facts that no recorder would write do no harm: nobody is an ancestor of itself, and all of it can be read', () => {
  fc.assert(
    fc.property(fc.array(arbitraryFacts(8), { maxLength: 4 }), (lists) => {
      const host = new ProcessTree({ maxProcesses: 6, maxThreads: 4 });
      host.apply(CLOCK);
      for (const facts of lists) {
        const writer = new BatchWriter();
        for (const write of facts) write(writer);
        take(host, writer.finish());
        host.commit();
      }
      answersOf(host.tree, [0, 3, 6, 12]);
      expect(host.counts.tasks).toBeLessThanOrEqual(10);
      // Events can be added to it all the same.
      host.apply({ type: 'fork', at: 20 as EventNs, tid: 3, creatorTid: 1 });
      host.apply({ type: 'exit', at: 30 as EventNs, tid: 3, isGroupDead: true });
      host.commit();
    }),
    RUNS,
  );
});
