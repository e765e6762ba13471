// What happens to lives that are not like most: busy ones, chains of daemons, those that the recorder has
// let go of, those that are told of when they are in a block already.

import { ProcessTree, type TaskIndex, TemporalTree } from '@dendro/engine';
import { type EventNs, epochOf, type TaskEvent, type TaskId } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { exec, exit, fork, RecordedHost, seen } from '../contract.ts';
import { SqliteHistory, type SqliteHistoryOptions } from '../sqlite/store.ts';
import { answersAt } from '../test-answers.ts';
import { testFolders } from '../test-folders.ts';

const folder = testFolders();
const BASE = { epochNs: 1_795_459_682_000_000_000n };
const START = { bootId: 'boot', base: BASE, bootNs: 0n, at: 0 as EventNs };
const MS = 1_000_000;

function open(options: SqliteHistoryOptions = {}): [SqliteHistory, RecordedHost] {
  const history = new SqliteHistory(folder(), { graceNs: 0, blockLives: 1, ...options });
  history.begin(START);
  return [history, new RecordedHost(history, BASE)];
}

const epoch = (ms: number) => epochOf(BASE, (ms * MS) as EventNs);

function commOf(history: SqliteHistory, pid: number, ms: number): string | undefined {
  const { tree, at, taskId } = history.taskAsOf({ pid }, epoch(ms));
  return taskId === undefined ? undefined : tree.textAt(tree.indexOf(taskId), 'comm', at);
}

test('a process that renames itself ten thousand times has had every one of its names', () => {
  const [history, host] = open();
  host.tell(seen(1, 0, 0, ['/sbin/init']), fork(1, 300, 1));
  for (let i = 2; i < 10_000; i++) {
    host.tree.apply({ type: 'rename', at: (i * MS) as EventNs, tid: 300, comm: `name-${i}` });
    if (i % 700 !== 0) continue;
    const batch = host.tree.commit();
    if (batch !== undefined) history.append(batch.bytes, host.tree.newest);
  }
  host.tell(exit(10_001, 300, 0));
  for (const i of [2, 3, 447, 448, 449, 700, 701, 5000, 9998]) {
    expect(commOf(history, 300, i + 0.5)).toBe(`name-${i}`);
    const { tree, at } = history.asOf(epoch(i + 0.5));
    const task = tree.indexOf(2 as TaskId);
    expect(tree.textAt(task, 'comm', at)).toBe(`name-${i}`);
  }
  // The live tree keeps the last 64.
  expect(host.tree.tree.textAt(host.tree.tree.indexOf(2 as TaskId), 'comm', (5000 * MS) as EventNs)).toBeUndefined();
  history.close();
});

test('a chain of daemons of any length costs no more than so many, and what they inherit stays', () => {
  const [history, host] = open({ maxPinned: 20 });
  host.tell(seen(1, 0, 0, ['/sbin/init']), fork(1, 1000, 1), exec(2, 1000, ['/sbin/first', 'of all'], { cwd: '/srv' }));
  for (let i = 1; i < 300; i++) host.tell(fork(i * 10, 1000 + i, 999 + i), exit(i * 10 + 5, 999 + i, 0));
  host.tell(fork(4000, 5000, 1));
  expect(history.counts.pinned).toBeLessThanOrEqual(21);
  expect(history.counts.open).toBeLessThanOrEqual(40);
  const { tree, at } = history.asOf(epoch(3500));
  const last = tree.indexOf(history.taskAsOf({ pid: 1299 }, epoch(3500)).taskId as TaskId);
  expect(tree.executablePathAt(last, at)).toBe('/sbin/first');
  expect(tree.textAt(last, 'cwd', at)).toBe('/srv');
  // As of a time when they were the last ones themselves nothing is cut.
  for (const i of [5, 100, 290]) {
    const then = ((i * 10 + 2) * MS) as EventNs;
    const asOf = history.asOf(epoch(i * 10 + 2));
    const id = history.taskAsOf({ pid: 1000 + i }, epoch(i * 10 + 2)).taskId as TaskId;
    const task = history.asOf(epoch(i * 10 + 2)).tree.indexOf(id);
    expect(asOf.tree.executablePathAt(task, then)).toBe('/sbin/first');
  }
  history.close();
});

test('who lived when the recorder let go of it has ended when its tid has another life', () => {
  const history = new SqliteHistory(folder(), { graceNs: 0, blockLives: 1 });
  history.begin(START);
  const host = new RecordedHost(history, BASE);
  const small = new ProcessTree({ maxProcesses: 2, maxThreads: 2 });
  small.apply({ type: 'clock', epochNs: BASE.epochNs });
  const events: TaskEvent[] = [
    seen(1, 0, 0, ['/sbin/init']),
    fork(10, 300, 1),
    exec(11, 300, ['/bin/old']),
    fork(20, 301, 1),
    fork(30, 302, 1),
  ];
  for (const event of [...events, fork(500, 300, 1), exec(501, 300, ['/bin/new'])]) {
    small.apply(event);
    const batch = small.commit();
    if (batch !== undefined) history.append(batch.bytes, small.newest);
  }
  expect(small.counts.evictedProcesses).toBeGreaterThan(0);
  expect(host.history.search({ path: '/bin/old' }).lives).toMatchObject([{ pid: 300, endEpochNs: epoch(500) }]);
  expect(commOf(history, 300, 400)).toBe('old');
  expect(commOf(history, 300, 600)).toBe('new');
  history.close();
});

test('who was let go of and is mentioned again in one batch lives once', () => {
  const history = new SqliteHistory(folder(), { graceNs: 0, blockLives: 1 });
  history.begin(START);
  const small = new ProcessTree({ maxProcesses: 3, maxThreads: 2 });
  small.apply({ type: 'clock', epochNs: BASE.epochNs });
  const send = (...events: TaskEvent[]) => {
    for (const event of events) small.apply(event);
    const batch = small.commit();
    if (batch !== undefined) history.append(batch.bytes, small.newest);
  };
  send(seen(1, 0, 0, ['/sbin/init']), fork(10, 300, 1), exec(11, 300, ['/bin/long']));
  send(fork(20, 301, 1), fork(30, 302, 1), fork(40, 303, 1), exec(500, 300, ['/bin/longer']));
  expect(small.counts.evictedProcesses).toBeGreaterThan(0);
  const { tree, at } = history.asOf(epoch(600));
  const living = Array.from({ length: tree.slotCount }, (_, slot) => slot as TaskIndex).filter(
    (task) => tree.isPresent(task) && tree.isAliveAt(task, at) && tree.tidOf(task) === 300,
  );
  expect(living).toHaveLength(1);
  expect(history.search({ path: '/bin/long' }).lives).toMatchObject([
    { pid: 300, path: '/bin/longer', endEpochNs: undefined },
    { pid: 300, path: '/bin/long', endEpochNs: epoch(500) },
  ]);
  history.close();
});

test('what is told of a life that is in a block already is part of it, before and after a start', () => {
  const place = folder();
  const options = { graceNs: 0, blockLives: 1 };
  let history = new SqliteHistory(place, options);
  history.begin(START);
  const tree = new ProcessTree();
  const reference = new TemporalTree();
  const send = (...events: TaskEvent[]) => {
    for (const event of events) tree.apply(event);
    const batch = tree.commit();
    if (batch === undefined) return;
    history.append(batch.bytes, tree.newest);
    reference.apply(batch.bytes);
  };
  tree.apply({ type: 'clock', epochNs: BASE.epochNs });
  send(seen(1, 0, 0, ['/sbin/init']), fork(10, 300, 1), exec(11, 300, ['/bin/job']));
  send(exit(20, 300, 0));
  for (let i = 0; i < 5; i++) send(fork(100 + i, 400 + i, 1));
  expect(history.counts.sealedBlocks).toBeGreaterThan(0);
  // Seen while it lived, told only now; and a child that nobody had heard of.
  send({ ...seen(300, 1, 10, ['/bin/job'], 33), at: (15 * MS) as EventNs, startIsTick: false } as TaskEvent);
  send(fork(16, 310, 300), exec(17, 310, ['/bin/child']));
  for (let i = 5; i < 9; i++) send(fork(200 + i, 400 + i, 1));
  const check = () => {
    for (const ms of [12, 15.5, 18, 19, 21, 150]) {
      const { tree: got, at } = history.asOf(epoch(ms));
      expect([...answersAt(got, at)].sort()).toEqual([...answersAt(reference, at)].sort());
    }
  };
  check();
  history.close();
  history = new SqliteHistory(place, options);
  check();
  history.close();
});

/** A history beside a tree that keeps everything, and what the two say of an instant. */
function beside(options: SqliteHistoryOptions) {
  const [history] = open(options);
  const tree = new ProcessTree({ entriesPerField: 4096 });
  const reference = new TemporalTree({ entriesPerField: 4096 });
  tree.apply({ type: 'clock', epochNs: BASE.epochNs });
  const send = (...events: TaskEvent[]) => {
    for (const event of events) {
      tree.apply(event);
      const batch = tree.commit();
      if (batch === undefined) continue;
      history.append(batch.bytes, tree.newest);
      reference.apply(batch.bytes);
    }
  };
  const check = (...times: number[]) => {
    for (const ms of times) {
      const { tree: got, at } = history.asOf(epoch(ms));
      expect([...answersAt(got, at)].sort()).toEqual([...answersAt(reference, at)].sort());
    }
  };
  return { history, send, check };
}

test('what is seen of a busy life goes back into a time of which there is a part already', () => {
  const { history, send, check } = beside({ entriesPerPart: 4 });
  send(seen(1, 0, 0, ['/sbin/init']), fork(10, 300, 1));
  send({ type: 'exec', at: (11 * MS) as EventNs, pid: 300, filename: './job', argv: ['./job'], comm: 'job' });
  for (let i = 0; i < 6; i++) send({ type: 'rename', at: ((20 + i) * MS) as EventNs, tid: 300, comm: `name-${i}` });
  expect(history.counts.sealedBlocks).toBeGreaterThan(0);
  send({ ...seen(300, 1, 10, ['/srv/job'], 33), at: (50 * MS) as EventNs, startIsTick: false } as TaskEvent);
  check(15, 20, 30, 60);
  send(exit(70, 300, 0), fork(80, 301, 1), fork(90, 302, 1));
  check(10, 15, 20, 21.5, 30, 60, 75);
  history.close();
});

test('a busy life that turns out to have ended before its last part has ended then', () => {
  const { history, send, check } = beside({ entriesPerPart: 4 });
  send(seen(1, 0, 0, ['/sbin/init']));
  send({ ...seen(300, 1, 10, ['/srv/job'], 33), at: (100 * MS) as EventNs } as TaskEvent);
  expect(history.counts.sealedBlocks).toBeGreaterThan(0);
  send(exit(50, 300, 0));
  check(40, 60, 90, 110);
  for (let i = 0; i < 4; i++) send(fork(120 + i, 400 + i, 1));
  check(40, 60, 90, 110);
  history.close();
});

test('children of a busy process read what it was at their births, however many parts ago', () => {
  const { history, send, check } = beside({ entriesPerPart: 4 });
  send(seen(1, 0, 0, ['/sbin/init']), fork(10, 300, 1), exec(11, 300, ['/bin/busy']));
  for (let i = 0; i < 300; i++) {
    send({ type: 'rename', at: ((20 + i) * MS) as EventNs, tid: 300, comm: `name-${i}` });
    if (i % 50 === 5) send(fork(20 + i + 0.5, 1000 + i, 300));
  }
  check(15, 25, 80, 200, 310, 400);
  send(exit(500, 300, 0));
  for (let i = 0; i < 4; i++) send(fork(510 + i, 500 + i, 1));
  check(15, 25, 80, 200, 310, 400, 505, 600);
  send(exit(700, 1005, 0));
  for (let i = 0; i < 4; i++) send(fork(710 + i, 600 + i, 1));
  check(80, 200, 310, 400, 505, 600, 699, 720);
  history.close();
});

test('who was seen to be the parent matters before it was mentioned for the first time', () => {
  const { history, send, check } = beside({});
  send(seen(1, 0, 0, ['/sbin/init']));
  send({ ...seen(300, 77, 10, ['/bin/job']), at: (100 * MS) as EventNs } as TaskEvent);
  check(50);
  send(exit(110, 300, 0));
  for (let i = 0; i < 4; i++) send(fork(115 + i, 400 + i, 1));
  check(50, 105);
  send(exit(120, 77, 0));
  for (let i = 0; i < 4; i++) send(fork(130 + i, 500 + i, 1));
  check(50, 105, 119);
  expect(history.search({ pid: 77 }).total).toBe(1);
  history.close();
});

test('facts about tasks that nobody has announced are refused and counted, and take no room', () => {
  const [history] = open();
  const tree = new ProcessTree();
  tree.apply({ type: 'clock', epochNs: BASE.epochNs });
  tree.apply(seen(1, 0, 0, ['/sbin/init']));
  tree.commit();
  tree.apply({ type: 'rename', at: MS as EventNs, tid: 1, comm: 'other' });
  const batch = tree.commit();
  history.append(batch?.bytes as Uint8Array, tree.newest);
  expect(history.state).toMatchObject({ refusedFacts: 1, openLives: 0 });
  history.close();
});

test('a thread without an end of its own goes into a block with its process, or after the exec that ended it', () => {
  const [history, host] = open();
  host.tell(seen(1, 0, 0, ['/sbin/init']), fork(1, 300, 1));
  for (let i = 0; i < 50; i++) {
    host.tell(
      {
        type: 'fork',
        at: ((10 + i * 10) * MS) as EventNs,
        tid: 1000 + i,
        pid: 300,
        creatorTid: 300,
        cloneFlags: 0x10000,
      },
      exec(15 + i * 10, 300, [`/bin/image-${i}`]),
    );
  }
  host.tell(fork(2000, 301, 1));
  expect(history.counts.open).toBeLessThan(10);
  const { tree, at } = history.asOf(epoch(12 + 20 * 10));
  const living = tree.threadsOf(tree.indexOf(2 as TaskId)).filter((thread) => tree.isAliveAt(thread as TaskIndex, at));
  expect(living.map((thread) => tree.tidOf(thread))).toEqual([1020]);
  history.close();
});
