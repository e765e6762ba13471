import {
  AUTHORITY,
  BatchWriter,
  type EntityId,
  type EventNs,
  encodeFrame,
  type Frame,
  type HostInfo,
  NO_TASK_ID,
  type TaskId,
  type Tid,
  type Version,
} from '@dendro/protocol';
import { beforeEach, expect, test } from 'vitest';
import { Replica } from './replica.ts';

const HOST: HostInfo = { id: 'local', name: 'here', baseEpochNs: '1700000000000000000', isLive: true, users: {} };
let clock = 0;
let replica: Replica;

beforeEach(() => {
  clock = 0;
  replica = new Replica(() => clock);
  replica.greet(HOST);
});

function frame(kind: Frame['kind'], from: number, to: number, pids: number[], more: Partial<Frame> = {}): Uint8Array {
  const writer = new BatchWriter();
  for (const pid of pids) {
    const task = pid as TaskId;
    writer.task(task, pid as Tid, pid as Tid, task, NO_TASK_ID, 0 as EventNs, 0 as EntityId, 0, AUTHORITY.event);
  }
  const header = { kind, isLast: true, from: from as Version, to: to as Version, now: 0 as EventNs };
  return encodeFrame({ ...header, ...more, batch: writer.finish() });
}

test('a first snapshot is shown chunk by chunk and counts as a version once it is whole', () => {
  replica.resync();
  replica.takeFrame(frame('snapshot', 0, 7, [1], { isLast: false }));
  expect([replica.tree.taskCount, replica.version]).toEqual([1, undefined]);
  replica.takeFrame(frame('snapshot', 0, 7, [2]));
  expect([replica.tree.taskCount, replica.version]).toEqual([2, 7]);
});

test('[FA9] batches follow on each other: an early one waits, one that comes again is passed over', () => {
  replica.resync();
  replica.takeFrame(frame('snapshot', 0, 7, [1]));
  expect(replica.takeFrame(frame('batch', 7, 8, [2]))).toBe(true);
  expect(replica.takeFrame(frame('batch', 9, 10, [4], { now: 5e9 as EventNs }))).toBe(true);
  expect(replica.takeFrame(frame('batch', 7, 8, [2]))).toBe(true);
  expect([replica.tree.taskCount, replica.version, replica.now()]).toEqual([2, 8, 0]);
  expect(replica.takeFrame(frame('batch', 8, 9, [3]))).toBe(true);
  expect([replica.tree.taskCount, replica.version, replica.now()]).toEqual([4, 10, 5e9]);
});

test('[FA9] when too many wait, or one does not fit, a snapshot is needed; none is taken that nobody asked for', () => {
  replica.resync();
  replica.takeFrame(frame('snapshot', 0, 7, [1]));
  const early = [9, 10, 11, 12, 13, 14, 15, 16, 17].map((from) => frame('batch', from, from + 1, [from]));
  expect(early.map((one) => replica.takeFrame(one)).indexOf(false)).toBe(8);
  expect(replica.takeFrame(frame('snapshot', 0, 20, [3]))).toBe(false);
  expect([replica.tree.taskCount, replica.version]).toEqual([1, 7]);
  replica.resync();
  expect(replica.takeFrame(frame('batch', 18, 19, [18]))).toBe(true);
  expect(replica.takeFrame(frame('snapshot', 0, 17, [1]))).toBe(true);
  expect([replica.tree.taskCount, replica.version]).toEqual([3, 19]);
  expect(replica.takeFrame(frame('batch', 18, 20, []))).toBe(false);
});

test('while a later snapshot comes in, what is known stays in view; then what is gone is gone', () => {
  replica.resync();
  replica.takeFrame(frame('snapshot', 0, 7, [1, 2]));
  replica.resync();
  replica.takeFrame(frame('snapshot', 0, 20, [2], { isLast: false }));
  expect(replica.tree.taskCount).toBe(2);
  replica.takeFrame(frame('snapshot', 0, 20, []));
  expect([replica.tree.taskCount, replica.version]).toEqual([1, 20]);
});

test('the same server again keeps the tree, another run of it starts afresh', () => {
  replica.resync();
  replica.takeFrame(frame('snapshot', 0, 7, [1]));
  replica.greet(HOST);
  expect([replica.tree.taskCount, replica.version]).toEqual([1, 7]);
  replica.greet({ ...HOST, baseEpochNs: '1700000000000000001' });
  expect([replica.tree.taskCount, replica.version]).toEqual([0, undefined]);
});

test('event time of a live host runs on between messages and never back; that of a recording stands', () => {
  replica.resync();
  replica.takeFrame(frame('snapshot', 0, 7, [], { now: 5e9 as EventNs }));
  clock = 2000;
  expect(replica.now()).toBe(7e9);
  replica.takeFrame(frame('batch', 7, 8, [], { now: 6.9e9 as EventNs }));
  expect(replica.now()).toBe(7e9);

  const recorded = new Replica(() => clock);
  recorded.greet({ ...HOST, isLive: false });
  recorded.resync();
  recorded.takeFrame(frame('snapshot', 0, 7, [], { now: 5e9 as EventNs }));
  clock = 9000;
  expect(recorded.now()).toBe(5e9);
});

test('listeners hear of every change and can stop listening', () => {
  let heard = 0;
  const stop = replica.subscribe(() => heard++);
  replica.resync();
  replica.takeFrame(frame('snapshot', 0, 7, []));
  expect(heard).toBe(2);
  stop();
  replica.resync();
  expect(heard).toBe(2);
});

test('event time does not run on for long without a word from the host', () => {
  replica.resync();
  replica.takeFrame(frame('snapshot', 0, 7, [], { now: 5e9 as EventNs }));
  clock = 60_000;
  expect(replica.now()).toBe(8e9);
});

test('a page whose clock is ahead waits for the host, and then goes on with it', () => {
  replica.resync();
  replica.takeFrame(frame('snapshot', 0, 7, [], { now: 5e9 as EventNs }));
  clock = 1500;
  expect(replica.now()).toBe(6.5e9);
  replica.takeFrame(frame('batch', 7, 8, [], { now: 6e9 as EventNs }));
  clock = 1800;
  expect(replica.now()).toBe(6.5e9);
  clock = 2500;
  expect(replica.now()).toBe(7e9);
});

test('facts tells of every change of the tree and of nothing else', () => {
  const before = replica.facts;
  replica.takeStats({ now: 0 as EventNs } as Parameters<Replica['takeStats']>[0]);
  expect(replica.facts).toBe(before);
  replica.resync();
  replica.takeFrame(frame('snapshot', 0, 7, [1]));
  const whole = replica.facts;
  expect(whole).toBeGreaterThan(before);
  replica.takeFrame(frame('batch', 8, 9, [1]));
  expect(replica.facts).toBe(whole);
  replica.takeFrame(frame('batch', 7, 8, [2]));
  expect(replica.facts).toBeGreaterThan(whole);
});
