import { CLONE, type EventNs, type TaskEvent } from '@dendro/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { EventSink } from '../source.ts';
import { Changes } from './changes.ts';
import type { KernelRecord } from './kernel-record.ts';
import { RecordJoin } from './record-join.ts';

const at = (ns: number) => ns as EventNs;

let events: TaskEvent[] = [];
let join: RecordJoin;

beforeEach(() => {
  events = [];
  join = new RecordJoin((event) => events.push(event));
});

function take(...records: readonly KernelRecord[]): void {
  for (const record of records) join.take(record);
}

function prepareExec(tid: number, interp: string): KernelRecord {
  return { type: 'prepare-exec', at: at(1), tid, interp };
}

function exec(pid: number, oldTid = pid): TaskEvent {
  return { type: 'exec', at: at(2), pid, oldTid, filename: './tool' };
}

const sighting: TaskEvent = { type: 'observe', at: at(1), tid: 50, pid: 50, ppid: 1, start: at(0), startIsTick: true };

function interps(): (string | undefined)[] {
  return events.flatMap((event) => (event.type === 'exec' ? [event.interp] : []));
}

test('an exec is told once, with what interprets its program', () => {
  take(prepareExec(50, '/bin/sh'), exec(50));
  expect(events).toEqual([{ ...exec(50), interp: '/bin/sh' }]);
});

test('a thread that calls exec is known by the tid that it had', () => {
  take(prepareExec(51, '/bin/sh'), exec(50, 51), exec(51));
  expect(interps()).toEqual(['/bin/sh', undefined]);
});

test('an exec of which nothing was said before is passed on as it is', () => {
  take(exec(50));
  expect(events).toEqual([exec(50)]);
});

test.each<[string, KernelRecord]>([
  ['ran another program since', exec(50)],
  ['died on the way', { type: 'exit', at: at(2), tid: 50 }],
  ['may have gone on unseen', { type: 'gap', from: at(1), to: at(2), lost: 1 }],
])('what was said of a task that %s is not said of its next exec', (_why, record) => {
  take(prepareExec(50, '/bin/sh'), record, exec(50));
  expect(interps().at(-1)).toBeUndefined();
});

test('of execs without number that never come, only the newest are remembered', () => {
  for (let tid = 1; tid <= 100_000; tid++) take(prepareExec(tid, `/bin/${tid}`));
  take(exec(1), exec(100_000));
  expect(interps()).toEqual([undefined, '/bin/100000']);
});

describe('a change of user or group', () => {
  let noted: number[] = [];
  beforeEach(() => {
    noted = [];
    const reader = { noteChanged: (tid: number) => noted.push(tid), lastReadingOf: () => undefined };
    const sink: EventSink = (event) => events.push(event);
    join = new RecordJoin(sink, { changes: new Changes({ sink, reader, lost: () => 0 }) });
  });
  const change = (tid: number, id: 'uid' | 'gid' = 'uid'): KernelRecord => ({ type: 'id-change', at: at(1), tid, id });

  test('is looked at', () => {
    take(change(50), change(51, 'gid'));
    expect(new Set(noted)).toEqual(new Set([50, 51]));
  });

  test('by a thread is not one of its process, until it goes on as the leader', () => {
    take({ type: 'fork', at: at(1), tid: 51, creatorTid: 50, cloneFlags: CLONE.thread }, change(51));
    take({ ...sighting, tid: 52 }, change(52));
    expect(noted).toEqual([]);
    take(exec(50, 51), change(51), { type: 'exit', at: at(1), tid: 52 }, change(52));
    expect(new Set(noted)).toEqual(new Set([51, 52]));
  });
});

const ID = 'c0ffee'.repeat(10).padEnd(64, '0');

function move(tid: number, hierarchy: number, path: string | undefined): KernelRecord {
  return { type: 'move', at: at(3), tid, hierarchy, path };
}

describe('a move into another control group', () => {
  let noted: number[] = [];
  const startWith = (hierarchies: readonly number[] | undefined) => {
    noted = [];
    const reader = { noteChanged: (tid: number) => noted.push(tid), lastReadingOf: () => undefined };
    const sink: EventSink = (event) => events.push(event);
    join = new RecordJoin(sink, { changes: new Changes({ sink, reader, lost: () => 0 }), hierarchies });
  };

  test('says the container where the host has one hierarchy', () => {
    startWith([0]);
    take(move(50, 0, `/system.slice/docker-${ID}.scope`), move(50, 0, '/user.slice'));
    expect(events).toEqual([
      { type: 'container', at: 3, tid: 50, container: ID },
      { type: 'container', at: 3, tid: 50, container: undefined },
    ]);
    expect(noted).toEqual([]);
  });

  test.each<[string, readonly number[] | undefined, KernelRecord]>([
    ['has several hierarchies', [4, 0], move(50, 0, `/docker/${ID}`)],
    ['has got another hierarchy since', [0], move(50, 7, `/docker/${ID}`)],
    ['has a path that does not fit', [0], move(50, 0, undefined)],
    ['does not say', undefined, move(50, 0, `/docker/${ID}`)],
  ])('has to be read where the host %s', (_what, hierarchies, record) => {
    startWith(hierarchies);
    take(record);
    expect(events).toEqual([]);
    expect(noted).toEqual([50]);
  });

  test('can be at birth', () => {
    startWith([0]);
    const fork = (tid: number, cloneFlags: number): TaskEvent => ({
      type: 'fork',
      at: at(1),
      tid,
      creatorTid: 1,
      cloneFlags,
    });
    take(fork(50, 0x1200000), fork(51, 0x2_0000_0000), fork(52, 0x2_0100_0000), fork(53, 0x1_8000_0000));
    expect(events).toHaveLength(4);
    expect(noted).toEqual([51, 52]);
  });

  test('is left out of a recording, whose /proc is not here', () => {
    take(move(50, 0, `/docker/${ID}`));
    expect(events).toEqual([]);
  });
});
