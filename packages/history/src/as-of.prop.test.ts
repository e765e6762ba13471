// The one thing that a history is for: of any instant it says what a tree says that has kept everything.

import { cpSync } from 'node:fs';
import { ProcessTree, TemporalTree } from '@dendro/engine';
import type { EventNs, TaskId, TimeBase } from '@dendro/protocol';
import {
  differencesOf,
  interleaved,
  LawfulHost,
  late,
  MS,
  Random,
  RUNS,
  seed,
  steps,
  tellProcfs,
  tellTracee,
  tellTracefs,
} from '@dendro/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SqliteHistory, type SqliteHistoryOptions } from './sqlite/store.ts';
import { answersAt } from './test-answers.ts';
import { testFolders } from './test-folders.ts';

const BASE: TimeBase = { epochNs: 1_700_000_000_000_000_000n };
const KEEPS_ALL = { entriesPerField: 4096, maxProcesses: 10_000, maxThreads: 10_000 };
/** Each stream is a file, or several. */
const LONG = 1000 * RUNS.numRuns;

const folder = testFolders();

function begin(history: SqliteHistory): void {
  history.begin({ bootId: 'boot', base: BASE, bootNs: 0n, at: Number.NEGATIVE_INFINITY as EventNs });
}

/** A history with everything small, so that all that can happen to a life happens to some. */
function smallOptions(random: Random): SqliteHistoryOptions {
  return {
    graceNs: [0, MS, 20 * MS][random.below(3)],
    blockLives: 1 + random.below(6),
    maxWaiting: 1 + random.below(20),
    keyframeFacts: 30 + random.below(200),
    entriesPerPart: [2, 5, 448][random.below(3)],
    spareEntries: [4, 64][random.below(2)],
  };
}

interface Recorded {
  readonly host: LawfulHost;
  readonly batches: readonly { readonly bytes: Uint8Array<ArrayBuffer>; readonly at: EventNs }[];
}

function record(list: Parameters<LawfulHost['run']>[0], random: Random): Recorded {
  const host = new LawfulHost({ maxPid: 20, reuseNs: 20 * MS }).run(list);
  const tree = new ProcessTree(KEEPS_ALL);
  tree.apply({ type: 'clock', epochNs: BASE.epochNs });
  const batches: { bytes: Uint8Array<ArrayBuffer>; at: EventNs }[] = [];
  const commit = () => {
    const batch = tree.commit();
    if (batch !== undefined) batches.push({ bytes: batch.bytes, at: tree.newest });
  };
  const kernel = random.below(2) === 0 ? tellTracefs(host) : tellTracee(host, random);
  const told = interleaved(kernel, tellProcfs(host, random, { unreadable: 2 }), random);
  for (const { event } of random.below(2) === 0 ? told : late(told, random)) {
    tree.apply(event);
    if (random.below(4) === 0) commit();
  }
  commit();
  return { host, batches };
}

function compare(history: SqliteHistory, reference: TemporalTree, at: EventNs): void {
  const got = history.asOf(BASE.epochNs + BigInt(at));
  expect(differencesOf(answersAt(got.tree, got.at), answersAt(reference, at))).toEqual([]);
}

const anyInstant = fc.property(steps(), seed, (list, number) => {
  const random = new Random(number);
  const { host, batches } = record(list, random);
  const reference = new TemporalTree({ entriesPerField: 4096 });
  let place = folder();
  const options = smallOptions(random);
  let history = new SqliteHistory(place, options);
  begin(history);
  const instant = () => Math.floor((host.now * random.below(1001)) / 1000) as EventNs;
  for (const { bytes, at } of batches) {
    expect(history.append(bytes, at)).toBe(true);
    reference.apply(bytes);
    if (random.below(3) === 0) history.flush();
    if (random.below(25) === 0) {
      const isKilled = random.below(2) === 0;
      history.flush();
      // As somebody finds it who comes after a kill.
      const found = isKilled ? folder() : place;
      if (isKilled) cpSync(place, found, { recursive: true });
      history.close();
      place = found;
      history = new SqliteHistory(place, options);
      begin(history);
    }
    if (random.below(10) === 0) compare(history, reference, instant());
  }
  for (let i = 0; i < 12; i++) compare(history, reference, instant());
  history.close();
});

test(
  'at any instant the history says what a tree says that has kept everything, late facts and restarts included',
  () => fc.assert(anyInstant, RUNS),
  LONG,
);

// What was seen after an exec, of which a part was in a block before that exec was told of. [OB2]
test('an exec that is told late ends how far a sighting goes back, in a life that is in parts', () => {
  fc.assert(anyInstant, { seed: 20_261_124, path: '63', numRuns: 1, endOnFailure: true });
});

test(
  'one task is read like all of them',
  () => {
    fc.assert(
      fc.property(steps(), seed, (list, number) => {
        const random = new Random(number);
        const { host, batches } = record(list, random);
        const reference = new TemporalTree({ entriesPerField: 4096 });
        const history = new SqliteHistory(folder(), smallOptions(random));
        begin(history);
        for (const { bytes, at } of batches) {
          history.append(bytes, at);
          reference.apply(bytes);
        }
        for (let i = 0; i < 20; i++) {
          const at = Math.floor((host.now * random.below(1001)) / 1000) as EventNs;
          const taskId = (1 + random.below(30)) as TaskId;
          const got = history.taskAsOf({ taskId }, BASE.epochNs + BigInt(at));
          expect(differencesOf(answersAt(got.tree, at, taskId), answersAt(reference, at, taskId))).toEqual([]);
        }
        history.close();
      }),
      RUNS,
    );
  },
  LONG,
);
