// A replica against the server's tree: at every version that it reaches it
// answers what the server answered then, however badly it is served. The
// server's tree is small, so that it evicts, leaves stubs and trims.

import { isDeepStrictEqual } from 'node:util';
import { BatchSequence, ProcessTree, type SequencedBatch, TemporalTree } from '@dendro/engine';
import type { Version } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AllAnswers, answersOf, differencesOf, snapshotOf } from './answers.ts';
import { LawfulHost, MS } from './lawful-host.ts';
import { tellProcfs, tellTracee } from './lawful-host-dialects.ts';
import { interleaved, RUNS, seed, steps } from './lawful-host-steps.ts';
import { describeTree } from './tree-text.ts';
import { Random } from './workload.ts';

/** Of one tree on both sides, or a changelog would be cut at another place. */
const KEPT = { entriesPerField: 3 };
const LIMITS = { maxProcesses: 7, maxThreads: 4, ...KEPT };
/** Early batches that a replica keeps. */
const MAX_WAITING = 5;
/** So far from its place a batch arrives, at most. */
const WINDOW = 6;

interface Served {
  readonly batches: readonly SequencedBatch[];
  /** By version: all that the tree answered, and all that it held. */
  readonly answers: readonly AllAnswers[];
  readonly descriptions: readonly unknown[][];
  /** By version: the chunks of a snapshot. */
  readonly snapshots: readonly (readonly Uint8Array[])[];
  readonly times: readonly number[];
  readonly evicted: number;
  readonly stubs: number;
}

/** What a server does with the events: it commits after every few, and could be asked for a snapshot at any version. */
function serve(host: LawfulHost, random: Random): Served {
  const server = new ProcessTree(LIMITS);
  const times = Array.from({ length: 6 }, (_, part) => Math.floor((host.now * part) / 5));
  const batches: SequencedBatch[] = [];
  const answers = [answersOf(server.tree, times)];
  const descriptions = [describeTree(server.tree)];
  const snapshots = [snapshotOf(server.tree, 1 + random.below(10))];
  let stubs = 0;
  const commit = () => {
    const batch = server.commit();
    if (batch === undefined) return;
    batches.push(batch);
    answers.push(answersOf(server.tree, times));
    descriptions.push(describeTree(server.tree));
    snapshots.push(snapshotOf(server.tree, 1 + random.below(10)));
    stubs = Math.max(stubs, server.tree.stubCount);
  };
  server.apply({ type: 'clock', epochNs: 1_700_000_000_000_000_000n });
  // Each in its order, one behind the other: much comes late.
  for (const { event } of interleaved(tellTracee(host, random), tellProcfs(host, random, { unreadable: 2 }), random)) {
    server.apply(event);
    if (random.below(4) === 0) commit();
  }
  commit();
  return { batches, answers, descriptions, snapshots, times, evicted: server.counts.evictedProcesses, stubs };
}

class TestReplica {
  readonly #served: Served;
  readonly #batches = new BatchSequence(
    ({ bytes, to }) => {
      this.#tree.apply(bytes);
      this.#compare(to);
    },
    { maxWaiting: MAX_WAITING },
  );
  #tree = new TemporalTree(KEPT);
  reached = 0;
  resumed = 0;

  constructor(served: Served) {
    this.#served = served;
    this.#batches.reset(0 as Version);
  }

  get version(): number {
    return this.#batches.version as Version;
  }

  get needsSnapshot(): boolean {
    return this.#batches.needsSnapshot;
  }

  take(batch: SequencedBatch): void {
    this.#batches.take(batch);
  }

  /** Begins anew with the server's tree of that version. */
  resume(version: number): void {
    this.#tree = new TemporalTree(KEPT);
    for (const chunk of this.#served.snapshots[version] as Uint8Array[]) this.#tree.apply(chunk);
    this.#compare(version);
    this.resumed++;
    this.#batches.reset(version as Version);
  }

  #compare(version: number): void {
    this.reached++;
    const { answers, descriptions, times } = this.#served;
    const got = answersOf(this.#tree, times);
    expect(differencesOf(got, answers[version] as AllAnswers), `at version ${version}`).toEqual([]);
    const description = describeTree(this.#tree);
    if (!isDeepStrictEqual(description, descriptions[version])) expect(description).toEqual(descriptions[version]);
  }
}

test('[FA1] [FA8] [FA9] [BO3] batches out of order, some twice, some lost with the connection: at every version the replica answers as the server did', () => {
  const sums = { reached: 0, resumed: 0, evicted: 0, stubs: 0 };
  fc.assert(
    fc.property(steps({ weights: { look: 6 } }), seed, (list, number) => {
      const random = new Random(number);
      const served = serve(new LawfulHost({ maxPid: 20, reuseNs: 20 * MS }).run(list), random);
      const replica = new TestReplica(served);
      const { batches } = served;
      const delivery = batches
        .flatMap((batch, place) =>
          (random.below(4) === 0 ? [place, place + WINDOW] : [place]).map((at) => ({ batch, at })),
        )
        .map(({ batch, at }) => ({ batch, key: at + random.below(WINDOW) }))
        .sort((a, b) => a.key - b.key);
      let newest = 0;
      let lost = 0;
      for (const { batch } of delivery) {
        newest = Math.max(newest, batch.to);
        // The connection is cut: some batches are lost, then it goes on from a snapshot.
        if (lost === 0 && random.below(25) === 0) lost = 1 + random.below(8);
        else if (lost === 0) replica.take(batch);
        const isBack = lost > 0 && --lost === 0;
        if (isBack || replica.needsSnapshot) replica.resume(newest);
      }
      if (replica.version < batches.length) replica.resume(batches.length);
      expect(replica.version).toBe(batches.length);
      sums.reached += replica.reached;
      sums.resumed += replica.resumed;
      sums.evicted += served.evicted;
      sums.stubs += served.stubs;
    }),
    RUNS,
  );
  // It was as hard as it was meant to be.
  const runs = RUNS.numRuns;
  expect(sums.reached).toBeGreaterThan(5 * runs);
  expect(sums.resumed).toBeGreaterThan(runs / 2);
  expect(sums.evicted).toBeGreaterThan(3 * runs);
  expect(sums.stubs).toBeGreaterThan(runs / 2);
});
