import { CLONE, type EventNs, type ExitEvent, type ForkEvent, type TaskEvent } from '@dendro/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { Completion } from './completion.ts';
import type { ExitRecord, ForkRecord } from './messages.ts';

const at = (ns: number) => ns as EventNs;
const SECOND = 1e9;
const stamp = { cpu: 0, seq: 0 };

const fork = (ns: number, tid: number, creatorTid: number, cloneFlags = 0): ForkEvent => ({
  type: 'fork',
  at: at(ns),
  tid,
  creatorTid,
  cloneFlags,
});
const exit = (ns: number, tid: number, isGroupDead?: boolean): ExitEvent => ({
  type: 'exit',
  at: at(ns),
  tid,
  isGroupDead,
});
const born = (ns: number, tid: number, parentPid: number, pid = tid): ForkRecord => ({
  what: 'fork',
  ...stamp,
  at: at(ns),
  tid,
  pid,
  parentTid: parentPid,
  parentPid,
});
const died = (ns: number, tid: number, status: number, pid = tid, parentPid = 1): ExitRecord => ({
  what: 'exit',
  ...stamp,
  at: at(ns),
  tid,
  pid,
  status,
  exitSignal: 17,
  parentTid: parentPid,
  parentPid,
});

let said: TaskEvent[] = [];
let completion: Completion;

beforeEach(() => {
  said = [];
  completion = new Completion({ sink: (event) => said.push(event), clock: { monotonicErrorNs: 0 } });
});

const exits = () => said.filter((event): event is ExitEvent => event.type === 'exit');

describe('completion', () => {
  test('a birth is said once, at the time of tracefs, with pid and parent of the connector', () => {
    completion.takeRecord(born(95, 20, 7));
    completion.takeEvent(fork(100, 20, 8));
    completion.settle(at(10 * SECOND));

    expect(said).toEqual([{ ...fork(100, 20, 8), pid: 20, creatorPid: 7, parentPid: 7 }]);
    expect(completion.leftOut).toBe(0);
  });

  test('with CLONE_PARENT the parent is not taken for the process of the creator', () => {
    completion.takeRecord(born(95, 20, 7));
    completion.takeEvent(fork(100, 20, 8, CLONE.parent));

    expect(said).toEqual([{ ...fork(100, 20, 8, CLONE.parent), pid: 20, parentPid: 7 }]);
  });

  test('a thread gets its pid and no parent', () => {
    completion.takeRecord(born(95, 21, 1, 20));
    completion.takeEvent(fork(100, 21, 20, CLONE.thread));

    expect(said).toEqual([{ ...fork(100, 21, 20, CLONE.thread), pid: 20 }]);
  });

  test('an exit whose message has been read leaves with its status, at the time of tracefs', () => {
    completion.takeRecord(died(105, 20, 3 << 8));
    completion.takeEvent(exit(100, 20, true));

    expect(said).toEqual([{ ...exit(100, 20, true), pid: 20, code: 3, signal: undefined }]);
  });

  test('an exit whose message comes seconds later is said again with its status', () => {
    completion.takeEvent(exit(100, 20, true));
    completion.takeRecord(died(5 * SECOND, 20, 0x80 | 11));
    expect(said).toEqual([exit(100, 20, true)]);
    completion.settle(at(6 * SECOND));

    expect(said[1]).toEqual({ ...exit(100, 20, true), pid: 20, code: undefined, signal: 11 });
    expect(said).toHaveLength(2);
    expect(completion.leftOut).toBe(0);
  });

  test('a status never goes to an earlier life of the tid, whose own message was lost', () => {
    completion.takeEvent(exit(100, 20, true));
    completion.takeRecord(born(3 * SECOND, 20, 1));
    completion.takeRecord(died(3 * SECOND + 50, 20, 9));
    completion.settle(at(2 * SECOND));
    completion.takeEvent(fork(3 * SECOND + 10, 20, 1));
    completion.takeEvent(exit(3 * SECOND + 40, 20, true));
    completion.settle(at(10 * SECOND));

    expect(exits()).toEqual([
      exit(100, 20, true),
      { ...exit(3 * SECOND + 40, 20, true), pid: 20, code: undefined, signal: 9 },
    ]);
  });

  test('the status of a process is that of its last thread, not of a leader that left before', () => {
    completion.takeEvent(exit(100, 20, false));
    completion.takeRecord(died(101, 20, 0));
    completion.takeRecord(died(201, 21, 7 << 8, 20));
    completion.takeEvent(exit(200, 21, true));
    completion.settle(at(10 * SECOND));

    expect(exits()).toEqual([
      exit(100, 20, false),
      { ...exit(200, 21, true), pid: 20, code: 7, signal: undefined },
      { ...exit(200, 20, true), pid: 20, code: 7, signal: undefined, comm: undefined },
    ]);
    expect(completion.leftOut).toBe(0);
  });

  test('a leader that left before another thread called exec leaves its status to the end of the process', () => {
    // The leader's message bears the tid of the caller, with which it has changed places.
    completion.takeRecord(died(101, 21, 0, 21));
    completion.takeRecord(died(301, 20, 5 << 8));
    completion.takeEvent(exit(100, 20, false));
    completion.takeEvent({ type: 'exec', at: at(150), pid: 20, oldTid: 21 });
    completion.takeEvent(exit(300, 20, true));

    expect(exits().map(({ code }) => code)).toEqual([undefined, 5]);
  });

  test('where the kernel does not say who is last, the status of each thread is said of the process', () => {
    completion.takeRecord(died(101, 20, 0));
    completion.takeEvent(exit(100, 20));
    completion.takeRecord(died(201, 21, 7 << 8, 20));
    completion.takeEvent(exit(200, 21));

    expect(exits().map(({ tid, code }) => [tid, code])).toEqual([
      [20, 0],
      [20, 7],
      [21, 7],
    ]);
  });

  test('users and groups take their place among the events by their time', () => {
    completion.takeRecord(born(95, 20, 7));
    const ids = { ...stamp, at: at(150), tid: 20, pid: 20, real: 1000, effective: 0 };
    completion.takeRecord({ what: 'uid', ...ids });
    completion.takeRecord({ what: 'gid', ...ids, at: at(151), real: 5 });
    completion.takeRecord({ what: 'uid', ...ids, tid: 21 });
    completion.takeEvent(fork(100, 20, 7));
    completion.takeEvent(exit(200, 20, true));

    expect(said.slice(1, 3)).toEqual([
      { type: 'credentials', at: 150, pid: 20, uid: 1000, euid: 0 },
      { type: 'credentials', at: 151, pid: 20, gid: 5, egid: 0 },
    ]);
    expect(said).toHaveLength(4);
    expect([...completion.notices()]).toEqual([
      'Heard of and not kept: 1 changes of user or group by a single thread.',
    ]);
  });

  test('where the clocks are not quite one, no change of user falls out of its life', () => {
    completion = new Completion({ sink: (event) => said.push(event), clock: { monotonicErrorNs: 50 } });
    completion.takeRecord(born(70, 20, 7));
    completion.takeRecord({ what: 'uid', ...stamp, at: at(80), tid: 20, pid: 20, real: 1, effective: 1 });
    completion.takeEvent(fork(100, 20, 7));
    completion.takeEvent(exit(200, 20, true));

    expect(said[1]).toMatchObject({ type: 'credentials', at: 100, uid: 1 });
  });

  test('a parent at the end that is not the first one is said when the first one has ended before', () => {
    completion.takeRecord(born(10, 20, 1));
    completion.takeEvent(fork(10, 20, 1));
    completion.takeRecord(born(20, 21, 20));
    completion.takeEvent(fork(20, 21, 20));
    completion.takeRecord(died(100, 20, 0));
    completion.takeEvent(exit(100, 20, true));
    completion.takeRecord(died(200, 21, 0, 21, 5));
    completion.takeEvent(exit(200, 21, true));

    expect(said.at(-2)).toMatchObject({ type: 'reparent', at: 200, pid: 21, parentPid: 5 });
  });

  test('a parent that ended while the child was ending is none', () => {
    completion.takeRecord(born(20, 21, 20));
    completion.takeEvent(fork(20, 21, 20));
    completion.takeRecord(died(210, 21, 0, 21, 5));
    completion.takeEvent(exit(200, 21, true));

    expect(said.some(({ type }) => type === 'reparent')).toBe(false);
  });

  test('what tracefs has lost is said by the connector alone, once the gap is known', () => {
    completion.takeRecord(born(100, 20, 7));
    completion.takeRecord(born(110, 21, 1, 20));
    completion.takeRecord({ what: 'exec', ...stamp, at: at(120), tid: 20, pid: 20 });
    completion.takeRecord(died(130, 20, 3 << 8));
    completion.settle(at(SECOND));
    expect(said).toEqual([]);
    completion.takeEvent({ type: 'gap', from: at(50), to: at(SECOND), lost: 4 });
    completion.settle(at(3 * SECOND));

    expect(said.slice(1)).toEqual([
      { type: 'fork', at: 100, tid: 20, pid: 20, creatorTid: 7, creatorPid: 7, parentPid: 7 },
      { type: 'observe', at: 110, tid: 21, pid: 20, ppid: 0, start: 110, startIsTick: false, authority: 2 },
      { type: 'exec', at: 120, pid: 20 },
      { type: 'exit', at: 130, tid: 20, pid: 20, code: 3, signal: undefined },
    ]);
    expect(completion.leftOut).toBe(0);
  });

  test('a birth that was lost is said before the first deed of the new task, and the end of the life before it', () => {
    completion.takeEvent({ type: 'gap', from: at(50), to: at(200), lost: 2 });
    completion.takeRecord(died(100, 20, 1 << 8));
    completion.takeRecord(born(150, 20, 7));
    completion.takeRecord(died(305, 20, 2 << 8));
    completion.takeEvent(exit(300, 20, true));

    expect(said.slice(1)).toEqual([
      { type: 'exit', at: 100, tid: 20, pid: 20, code: 1, signal: undefined },
      { type: 'fork', at: 150, tid: 20, pid: 20, creatorTid: 7, creatorPid: 7, parentPid: 7 },
      { ...exit(300, 20, true), pid: 20, code: 2, signal: undefined },
    ]);
  });

  test('a record without event and without gap is left out and counted', () => {
    completion.takeRecord(born(100, 20, 7));
    completion.takeRecord(died(130, 20, 3 << 8));
    completion.settle(at(3 * SECOND));

    expect(said).toEqual([]);
    expect(completion.leftOut).toBe(2);
    expect([...completion.notices()]).toEqual([
      '2 messages of the process connector were of no event that was traced.',
    ]);
  });

  test('records from before tracing began are not missed', () => {
    completion.takeRecord(born(100, 20, 7));
    completion.begin(at(200));
    completion.settle(at(3 * SECOND));

    expect(completion.leftOut).toBe(0);
  });

  test('memory is bounded when tracefs goes silent', () => {
    for (let tid = 1; tid <= 200_000; tid++) completion.takeRecord(born(tid, tid, 1));
    expect(completion.leftOut).toBe(200_000 - 65_536);
  });
});
