// Two hours of a host in a few seconds, with all that is old going: what it takes of the disk and of memory stays the same.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { EventNs } from '@dendro/protocol';
import { LIVES_EPOCH_NS, LivesHost } from '@dendro/testkit';
import { expect, test } from 'vitest';
import { SqliteHistory, type SqliteHistoryOptions } from './sqlite/store.ts';
import { testFolders } from './test-folders.ts';

const folder = testFolders();
const SECOND = 1_000_000_000;
const MINUTE = 60 * SECOND;
const HOURS = 120 * MINUTE;
const MAX_BYTES = 3 * 1024 * 1024;
/** Until then as much comes as is to stay. */
const WARM_UP = 40 * MINUTE;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

interface Sample {
  /** Tasks that the live tree remembers. */
  readonly tasks: number;
  readonly disk: number;
  readonly heap: number;
  readonly resident: number;
}

function record(options: SqliteHistoryOptions): {
  readonly samples: readonly Sample[];
  readonly history: SqliteHistory;
} {
  const history = new SqliteHistory(folder(), { keyframeFacts: 48_000, blockLives: 500, ...options });
  history.begin({ bootId: 'boot', base: { epochNs: LIVES_EPOCH_NS }, bootNs: 0n, at: 0 as EventNs });
  const host = new LivesHost({
    facts: Infinity,
    batchFacts: 144,
    liveTasks: 400,
    birthsPerSecond: 12,
    maxProcesses: 1000,
  });
  const samples: Sample[] = [];
  let nextFlush = 0;
  let nextSample = WARM_UP;
  for (const { bytes, at } of host.run()) {
    history.append(bytes, at);
    if (at < nextFlush) continue;
    nextFlush = at + 10 * SECOND;
    history.flush();
    history.warm(1);
    if (at < nextSample) continue;
    nextSample = at + 2 * MINUTE;
    history.asOf(LIVES_EPOCH_NS + BigInt(Math.floor(at - 5 * MINUTE)));
    history.search({ text: 'config' });
    collectGarbage();
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
    samples.push({
      tasks: host.host.tree.taskCount,
      disk: history.state.fileBytes,
      heap: heapUsed + arrayBuffers,
      resident: rss,
    });
    if (at > HOURS) break;
  }
  return { samples, history };
}

/** How much greater something is in the last third of the time than in the first. */
function growth(samples: readonly Sample[], of: keyof Sample): number {
  const third = Math.floor(samples.length / 3);
  const greatest = (some: readonly Sample[]) => Math.max(...some.map((sample) => sample[of]));
  return greatest(samples.slice(-third)) / greatest(samples.slice(0, third));
}

test.each<[string, SqliteHistoryOptions]>([
  ['by age', { maxAgeNs: BigInt(15 * MINUTE) }],
  ['by size', { maxBytes: MAX_BYTES }],
])('two hours with retention %s: disk and memory stay flat', { timeout: 600_000 }, (_, options) => {
  const { samples, history } = record(options);
  expect(samples.length).toBeGreaterThan(30);
  expect(growth(samples, 'disk')).toBeLessThan(1.2);
  expect(growth(samples, 'tasks')).toBeLessThan(1.2);
  expect(growth(samples, 'heap')).toBeLessThan(1.2);
  expect(growth(samples, 'resident')).toBeLessThan(1.25);
  const { oldestEpochNs = 0n, newestEpochNs = 0n, facts, droppedBatches, damagedParts } = history.state;
  expect({ droppedBatches, damagedParts }).toEqual({ droppedBatches: 0, damagedParts: 0 });
  // It has thrown away most of what came, and kept what it is to keep.
  expect(facts).toBeGreaterThan(360_000);
  const keptMinutes = Number(newestEpochNs - oldestEpochNs) / MINUTE;
  expect(keptMinutes).toBeGreaterThan(10);
  expect(keptMinutes).toBeLessThan(60);
  history.close();
});
