// kill -9, again and again: every start succeeds, everything before the last flush is there, and the hole shows.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskIndex, TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import { Random } from '@dendro/testkit';
import { expect, test } from 'vitest';
import { SqliteHistory } from './sqlite/store.ts';
import { EPOCH_NS, endOf, pidOf, STEP_NS, STEPS_PER_FLUSH } from './test-crash-story.ts';
import { testFolders } from './test-folders.ts';

const folder = testFolders();
const KILLS = Number(process.env['DENDRO_KILLS'] ?? 10);
const OPTIONS = { graceNs: 50 * STEP_NS, blockLives: 64, keyframeFacts: 3000 };
const RECORDER = new URL('./test-crash-recorder.ts', import.meta.url).pathname;

/** Records from a step on until it has told of so many flushes, and is killed a moment later. */
async function recordAndKill(place: string, firstStep: number, random: Random): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, [RECORDER, place, String(firstStep)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = firstStep;
  let flushes = 2 + random.below(40);
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      told = Number(line);
      // In the middle of whatever it does next.
      if (--flushes === 0) setTimeout(() => child.kill('SIGKILL'), random.below(12));
    }
  });
  const [, signal] = await once(child, 'close');
  expect(signal).toBe('SIGKILL');
  return told;
}

function livingPids(tree: TemporalTree, at: EventNs): number[] {
  const pids: number[] = [];
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (tree.isPresent(task) && tree.isAliveAt(task, at)) pids.push(tree.pidOf(task));
  }
  return pids.sort((a, b) => a - b);
}

/** Steps that were told of between a start and a flush. */
type Stretch = readonly [from: number, to: number];

function wasTold(step: number, stretches: readonly Stretch[]): boolean {
  return stretches.some(([from, to]) => step >= from && step < to);
}

/** Was it in what was written down last before a kill? If so, nobody was told any more. */
function mayBeOnDisk(step: number, stretches: readonly Stretch[]): boolean {
  return stretches.some(([, to]) => step >= to && step < to + STEPS_PER_FLUSH);
}

test(`survives ${KILLS} kills at random moments`, { timeout: 600_000 }, async () => {
  const random = new Random(20_261_127);
  const place = folder();
  const told: Stretch[] = [];
  let step = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const flushed = await recordAndKill(place, step, random);
    told.push([step, flushed]);
    const history = new SqliteHistory(place, OPTIONS);
    expect(history.state.damagedParts).toBe(0);
    // A moment that was recorded, of any of the runs.
    const [from, to] = told[random.below(told.length)] as Stretch;
    const instant = Math.max(from, to - 1 - random.below(to - from));
    const at = (instant * STEP_NS + 500_000) as EventNs;
    const asOf = history.asOf(EPOCH_NS + BigInt(at));
    const living = [1];
    const unsure = new Set<number>();
    for (let born = 1; born <= instant; born++) {
      const end = endOf(born);
      const hasEnded = end !== undefined && end <= instant;
      if (!wasTold(born, told) || (hasEnded && wasTold(end, told))) continue;
      if (hasEnded && mayBeOnDisk(end, told)) unsure.add(pidOf(born));
      else living.push(pidOf(born));
    }
    const got = livingPids(asOf.tree, asOf.at);
    // What was recorded after the last flush that was told may be there too: it is of later steps.
    expect(living.filter((pid) => !got.includes(pid))).toEqual([]);
    if (wasTold(instant, told.slice(0, -1)) || instant < flushed) {
      const unknown = got.filter((pid) => !living.includes(pid) && !unsure.has(pid));
      expect(unknown.filter((pid) => wasTold(pid - pidOf(0), told))).toEqual([]);
    }
    const some = from + random.below(Math.max(1, to - from));
    if (some > 0) {
      const { lives } = history.search({ commandLine: `--step=${some}`, pid: pidOf(some) });
      expect(lives).toMatchObject([{ pid: pidOf(some), comm: 'job' }]);
    }
    // Later than anything that the killed one can have recorded.
    const newest = Number((history.state.newestEpochNs as bigint) - EPOCH_NS);
    step = Math.ceil(newest / STEP_NS) + 5;
    history.close();
    if (kill === 0) continue;
    const gaps = new SqliteHistory(place, OPTIONS);
    expect(gaps.gaps(EPOCH_NS, EPOCH_NS + BigInt(step * STEP_NS)).map(({ why }) => why)).toEqual(
      Array(kill).fill('killed'),
    );
    gaps.close();
  }
});

test('a torn end of the journal costs what was written last, and nothing else', async () => {
  const place = folder();
  const flushed = await recordAndKill(place, 0, new Random(7));
  const journal = join(place, 'history.db-wal');
  const { size } = statSync(journal);
  expect(size).toBeGreaterThan(8192);
  truncateSync(journal, size - 3000);
  const history = new SqliteHistory(place, OPTIONS);
  const { damagedParts, newestEpochNs } = history.state;
  expect(damagedParts).toBe(0);
  const newest = Number((newestEpochNs as bigint) - EPOCH_NS) / STEP_NS;
  expect(newest).toBeGreaterThan(0);
  const instant = Math.min(flushed, Math.floor(newest)) - 21;
  if (instant > 1) {
    const { lives } = history.search({ pid: pidOf(instant) });
    expect(lives).toHaveLength(1);
  }
  history.close();
});

test('what is damaged in the file is counted, and the rest is there', async () => {
  const place = folder();
  await recordAndKill(place, 0, new Random(11));
  new SqliteHistory(place, OPTIONS).close();
  const file = join(place, 'history.db');
  const bytes = readFileSync(file);
  // The inside of a compressed block: SQLite does not look at it.
  const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
  const places: number[] = [];
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) places.push(at);
  const fd = openSync(file, 'r+');
  for (const at of places.filter((_, i) => i % 5 === 0)) writeSync(fd, Buffer.from([0xff, 0xff, 0xff]), 0, 3, at + 12);
  closeSync(fd);
  const history = new SqliteHistory(place, OPTIONS);
  const newest = history.state.newestEpochNs as bigint;
  history.asOf(newest - 10_000_000n);
  for (const _ of history.batches(EPOCH_NS, newest));
  const { total } = history.search({ comm: 'job' });
  expect(total).toBeGreaterThan(0);
  expect(history.state.damagedParts).toBeGreaterThan(0);
  history.close();
});

test('a file that is no history, or of another program, is refused', () => {
  const text = folder();
  writeFileSync(join(text, 'history.db'), 'this is no database, however long it is'.repeat(300));
  expect(() => new SqliteHistory(text)).toThrow(expect.objectContaining({ code: 'DENDRO_HISTORY_UNREADABLE' }));
});
