// A stretch of the history, told to a tree that begins empty, says of every instant of it what the history says.

import { ProcessTree } from '@dendro/engine';
import {
  AUTHORITY,
  BatchWriter,
  type EntityId,
  type EventNs,
  NO_TASK_ID,
  type TaskId,
  type Tid,
} from '@dendro/protocol';
import { Random } from '@dendro/testkit';
import { expect, test } from 'vitest';
import { HistoryClient } from '../client.ts';
import { exec, exit, fork, seen } from '../contract.ts';
import type { RecordedPart } from '../history.ts';
import { chunksOf } from '../questions.ts';
import { answersAt } from '../test-answers.ts';
import { EPOCH_NS, STEP_NS, stepEvents } from '../test-crash-story.ts';
import { testFolders } from '../test-folders.ts';
import { SqliteHistory } from './store.ts';

const folder = testFolders();
const SEED = Number(process.env['DENDRO_SEED'] ?? 1 + (Date.now() % 1_000_000));
console.log(`DENDRO_SEED=${SEED}`);
const OPTIONS = { graceNs: 50 * STEP_NS, blockLives: 64, keyframeFacts: 500 };
const START = { bootId: 'boot', base: { epochNs: EPOCH_NS }, bootNs: 0n, at: 0 as EventNs };
const MANY = { entriesPerField: 1000, maxProcesses: 10_000 };
const epoch = (step: number) => EPOCH_NS + BigInt(Math.round(step * STEP_NS));

class Recorder {
  readonly history: SqliteHistory;
  readonly tree = new ProcessTree(MANY);
  step = 0;

  constructor(place: string) {
    this.history = new SqliteHistory(place, OPTIONS);
    this.history.begin(START);
    this.tree.apply({ type: 'clock', epochNs: EPOCH_NS });
  }

  /** Some events come after the next batch. */
  record(steps: number, random: Random, isLost = false): void {
    let late: ReturnType<typeof stepEvents> = [];
    for (const end = this.step + steps; this.step < end; this.step++) {
      const events = [...late, ...stepEvents(this.step)];
      late = [];
      for (const event of events) {
        if (event.type === 'exit' && random.below(4) === 0) late.push(event);
        else this.tree.apply(event);
      }
      const batch = this.tree.commit();
      if (batch === undefined || isLost) continue;
      this.history.append(batch.bytes, Math.max(this.tree.newest, this.step * STEP_NS) as EventNs);
      this.history.flush();
    }
  }
}

class Replayed {
  readonly tree = new ProcessTree(MANY);

  constructor(baseEpochNs: bigint) {
    this.tree.apply({ type: 'clock', epochNs: baseEpochNs });
  }

  tell(part: RecordedPart): void {
    if (part.kind === 'rest') return;
    this.tree.apply({ type: 'facts', at: part.at, batch: part.bytes, isSnapshot: part.kind === 'snapshot' });
    this.tree.commit();
  }
}

function expectSame(replayed: Replayed, history: SqliteHistory, epochNs: bigint): void {
  const { tree, at } = history.asOf(epochNs);
  expect(answersAt(replayed.tree.tree, at)).toEqual(answersAt(tree, at));
}

test('is what the history knows, while more is recorded and rows of the log are put together', () => {
  const random = new Random(SEED);
  const recorder = new Recorder(folder());
  const { history } = recorder;
  recorder.record(400, random);
  // From here on nothing comes through, until all that there is comes at once.
  history.noteLost((recorder.step * STEP_NS) as EventNs);
  recorder.record(60, random, true);
  const living = chunksOf(recorder.tree.tree);
  history.appendSnapshot(living, (recorder.step * STEP_NS) as EventNs);
  recorder.record(400, random);
  for (let times = 0; times < 4; times++) {
    const [a, b] = [random.below(recorder.step), random.below(recorder.step)];
    const [from, to] = [Math.min(a, b) + 0.5, Math.max(a, b) + 1.5];
    const stretch = history.recording(epoch(from), epoch(to));
    expect([stretch.fromEpochNs, stretch.toEpochNs]).toEqual([epoch(from), epoch(to)]);
    const replayed = new Replayed(stretch.baseEpochNs);
    const rows = history.logRows;
    let snapshots = 0;
    let last = stretch.from;
    const { parts } = stretch;
    for (let part = parts.next(); part.done !== true; part = parts.next()) {
      const { value } = part;
      replayed.tell(value);
      if (value.kind === 'rest') continue;
      if (value.kind === 'snapshot') snapshots++;
      expect(value.at).toBeGreaterThanOrEqual(last);
      last = value.at;
      if (random.below(10) === 0) recorder.record(3, random);
    }
    expect(snapshots).toBe(1);
    expect(last).toBeLessThanOrEqual(stretch.to);
    if (to - from > 300) expect(history.logRows).toBeLessThan(rows + 3 * (to - from));
    for (let i = 0; i < 8; i++) expectSame(replayed, history, epoch(from + (random.below(1000) / 1000) * (to - from)));
    expectSame(replayed, history, epoch(from));
    expectSame(replayed, history, epoch(to));
    const gaps = history.gaps(epoch(from), epoch(to));
    expect(replayed.tree.tree.gaps()).toHaveLength(gaps.length);
  }
  history.close();
});

test('begins with its boot, and knows ends that were found out long after it', () => {
  const place = folder();
  const first = new Recorder(place);
  first.history.append(told(first.tree, seen(1, 0, 0, ['/sbin/init']), fork(10, 500, 1)), 10e6 as EventNs);
  first.history.append(told(first.tree, exec(20, 500, ['/bin/job', 'x'])), 20e6 as EventNs);
  // That 500 ended at 30 is told a minute later, that there was a 501 too.
  first.history.append(told(first.tree, exit(30, 500, 3), fork(25, 501, 1)), 60_000e6 as EventNs);
  const { history } = first;
  const replayed = new Replayed(EPOCH_NS);
  const { parts } = history.recording(epoch(15), epoch(40));
  for (let part = parts.next(); part.done !== true; part = parts.next()) replayed.tell(part.value);
  for (const ms of [15, 21, 26, 29, 31, 40]) expectSame(replayed, history, epoch(ms));
  history.close();

  const again = new SqliteHistory(place, OPTIONS);
  again.begin({ ...START, bootId: 'second boot', base: { epochNs: epoch(100_000) } });
  again.tick(5e6 as EventNs);
  expect(again.recording(epoch(15), epoch(100_001))).toMatchObject({ from: 0, fromEpochNs: epoch(100_000) });
  expect(() => again.recording(epoch(-2), epoch(-1))).toThrow(
    expect.objectContaining({ code: 'DENDRO_HISTORY_TOO_OLD' }),
  );
  again.close();
});

test('begins before anything was recorded: who is announced then is in it, in whatever order', () => {
  const { history, tree } = new Recorder(folder());
  // Events come before the scan, which tells of elders.
  history.append(told(tree, fork(600, 701, 700)), 720e6 as EventNs);
  history.append(told(tree, seen(1, 0, 0, ['/sbin/init']), seen(40, 1, 2, ['/bin/old'])), 730e6 as EventNs);
  const replayed = new Replayed(EPOCH_NS);
  const { parts } = history.recording(epoch(500), epoch(800));
  for (let part = parts.next(); part.done !== true; part = parts.next()) replayed.tell(part.value);
  for (const ms of [500, 650, 710, 725, 800]) expectSame(replayed, history, epoch(ms));
  expect(replayed.tree.tree.taskCount).toBe(4);
  history.close();
});

function told(tree: ProcessTree, ...events: Parameters<ProcessTree['apply']>[0][]): Uint8Array {
  for (const event of events) tree.apply(event);
  return tree.commit()?.bytes as Uint8Array;
}

test('out of a thread it comes in pieces, a few at a time, and can be left', { timeout: 60_000 }, async () => {
  const directory = folder();
  const recorder = new Recorder(directory);
  recorder.record(2000, new Random(SEED));
  recorder.history.close();
  const client = await HistoryClient.open({ directory });
  await client.begin(START);
  const read = () => client.recording(epoch(1), epoch(2000));
  const open = await Promise.all(Array.from({ length: 8 }, read));
  await expect(read()).rejects.toMatchObject({ code: 'DENDRO_BUSY' });
  const replayed = new Replayed(EPOCH_NS);
  let parts = 0;
  for await (const part of open[0]?.parts ?? []) {
    replayed.tell(part);
    parts++;
  }
  expect(parts).toBeGreaterThan(1000);
  expect(replayed.tree.tree.taskCount).toBeGreaterThan(1000);
  // One was read to its end; another is left in the middle.
  await open[1]?.parts.next();
  await open[1]?.parts.return(undefined);
  await Promise.all([read(), read()]);
  await client.close();
});

// As many ids as arguments once overran the stack.
test('a stretch begins with a batch of any size', () => {
  const history = new SqliteHistory(folder(), OPTIONS);
  history.begin(START);
  const writer = new BatchWriter();
  for (let id = 1; id <= 200_000; id++) {
    writer.task(
      id as TaskId,
      7 as Tid,
      7 as Tid,
      id as TaskId,
      NO_TASK_ID,
      0 as EventNs,
      0 as EntityId,
      0,
      AUTHORITY.event,
    );
  }
  history.append(writer.finish(), 0 as EventNs);
  history.flush();
  const { parts } = history.recording(epoch(0), epoch(1));
  const first = parts.next();
  expect(first.value).toMatchObject({ kind: 'snapshot' });
});
