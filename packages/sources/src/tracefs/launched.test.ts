import { CLONE, type EventNs, type ForkEvent } from '@dendro/protocol';
import { expect, test } from 'vitest';
import type { ForkRecord } from '../cn-proc/messages.ts';
import { Launched } from './launched.ts';

const at = 1 as EventNs;
const fork = (creatorTid: number, tid: number, cloneFlags = 0): ForkEvent => {
  return { type: 'fork', at, creatorTid, tid, cloneFlags };
};
const birth = (parentTid: number, tid: number, parentPid = parentTid, pid = tid): ForkRecord => {
  return { what: 'fork', at, cpu: 0, seq: 0, tid, pid, parentTid, parentPid };
};

test('what the launcher does is left out, but for starting the command', () => {
  const launched = new Launched(100);
  expect(launched.hasEvent(fork(100, 101, CLONE.thread))).toBe(false);
  expect(launched.hasEvent({ type: 'exit', at, tid: 101 })).toBe(false);
  expect(launched.hasEvent({ type: 'rename', at, tid: 100, comm: 'x' })).toBe(false);
  expect(launched.hasEvent(fork(100, 102))).toBe(true);
  expect(launched.hasEvent(fork(102, 103, CLONE.thread))).toBe(true);
  expect(launched.hasEvent({ type: 'exit', at, tid: 103 })).toBe(true);
});

test('a thread of ours has ended when the command gets its tid', () => {
  const launched = new Launched(100);
  launched.hasEvent(fork(100, 101, CLONE.thread));
  launched.hasEvent(fork(100, 102));
  expect(launched.hasEvent(fork(102, 101, CLONE.thread))).toBe(true);
  expect(launched.hasEvent({ type: 'exit', at, tid: 101 })).toBe(true);
});

test('a move is of the tree when it moves a process of the tree, whoever that moves', () => {
  const launched = new Launched(100);
  launched.hasEvent(fork(100, 102));
  const move = { type: 'container', at, container: undefined } as const;
  expect(launched.hasEvent({ ...move, tid: 102 })).toBe(true);
  expect(launched.hasEvent({ ...move, tid: 50 })).toBe(false);
});

test('records of the host are of the tree when they descend from the command', () => {
  const launched = new Launched(100);
  expect(launched.hasRecord(birth(1, 50))).toBe(false);
  expect(launched.hasRecord(birth(105, 106, 100))).toBe(false); // of another thread of ours
  expect(launched.hasRecord(birth(100, 102))).toBe(true);
  expect(launched.hasRecord(birth(103, 104, 102))).toBe(true);
  expect(launched.hasRecord(birth(1, 103, 1, 102))).toBe(true); // a thread of the command
  expect(launched.hasRecord({ what: 'exec', at, cpu: 0, seq: 0, tid: 104, pid: 104 })).toBe(true);
  expect(launched.hasRecord(birth(1, 104))).toBe(false); // the pid is given to somebody else
  expect(launched.hasRecord({ what: 'exec', at, cpu: 0, seq: 0, tid: 104, pid: 104 })).toBe(false);
});
