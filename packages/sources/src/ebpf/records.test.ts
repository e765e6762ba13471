// Records, byte for byte, and the events that they are. ebpf-source.test.ts and
// the testkit have those that the kernel writes.

import type { TaskEvent } from '@dendro/protocol';
import { describe, expect, test } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { type Heir, RecordDecoder, type RecordProblem } from './records.ts';
import { birth, cgroupMove, credentials, exec, exit, rename } from './test-records.ts';

/** Event time is boot time. */
const CLOCK = new HostClock(0n, 0n, {
  monotonicNs: () => 0n,
  wallMs: () => 0,
  uptimeTicks: () => undefined,
  namespaceBootNs: () => 0n,
});
const GROUP_DEAD = 1;
const GROUP_EXIT = 2;
const EXECUTABLE_CUT = 1;
const CWD_CUT = 4;
const ARGV_FAULT = 16;

interface Decoded {
  readonly events: TaskEvent[];
  readonly problem: RecordProblem | undefined;
  readonly heir: Heir | undefined;
}

/** As it is read: in the midst of other bytes, none of which may matter. */
function decode(record: Buffer): Decoded {
  const events: TaskEvent[] = [];
  const decoder = new RecordDecoder(CLOCK, (event) => events.push(event));
  const bytes = Buffer.concat([Buffer.alloc(40, 0xee), record, Buffer.alloc(64, 0xee)]);
  decoder.decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), bytes, 40, 40 + record.length);
  const { problem, heir } = decoder;
  return { events, problem, heir };
}

const one = (record: Buffer) => {
  const { events, problem } = decode(record);
  expect({ count: events.length, problem }).toEqual({ count: 1, problem: undefined });
  return events[0]!;
};
const fileOf = (record: Buffer) => (one(record) as { executable?: { device?: number; path?: string } }).executable;

describe('a birth', () => {
  test('of a process', () => {
    expect(one(birth({ tid: 100, pid: 100, ppid: 50, cloneFlags: 0x1_0000_4111n }))).toEqual({
      type: 'fork',
      at: 5e9,
      tid: 100,
      pid: 100,
      start: 4e9,
      creatorTid: 51,
      creatorPid: 50,
      creatorStart: 2e9,
      parentPid: 50,
      parentStart: 1e9,
      leaderStart: undefined,
      cloneFlags: 0x4111,
      comm: 'name',
      nsTid: 7,
      nsPid: 6,
      pidNs: 4_026_531_836,
    });
  });

  test('of a thread: its process is told by its leader, not by a parent', () => {
    expect(one(birth({ tid: 101, pid: 100, cloneFlags: 0x10000n }))).toMatchObject({
      tid: 101,
      pid: 100,
      parentPid: undefined,
      parentStart: undefined,
      leaderStart: 3e9,
      cloneFlags: 0x10000,
    });
  });

  test('times are exact beyond 53 bits', () => {
    const late = new HostClock(0n, 2n ** 60n);
    const events: TaskEvent[] = [];
    const record = birth({ at: 2n ** 60n + 3n });
    new RecordDecoder(late, (event) => events.push(event)).decode(
      new DataView(record.buffer, record.byteOffset),
      record,
      0,
      record.length,
    );
    expect(events[0]).toMatchObject({ at: 3 });
  });
});

describe('an exec', () => {
  test('has all that the kernel knows of it', () => {
    const record = exec({
      argv: 'a name\0\0two\nlines\0',
      filename: './script\0',
      interp: '/bin/sh\0',
      executable: 'dash\0bin\0usr\0',
      cwd: 'a folder\0tmp\0',
      oldTid: 103,
    });
    expect(one(record)).toEqual({
      type: 'exec',
      at: 5e9,
      pid: 100,
      oldTid: 103,
      start: 4e9,
      comm: 'name',
      filename: './script',
      executable: {
        path: '/usr/bin/dash',
        device: 0x801,
        inode: '12',
        ctime: '1700000000000000005',
        mode: 0o100755,
        links: 1,
      },
      argv: ['a name', '', 'two\nlines'],
      cwd: '/tmp/a folder',
      interp: '/bin/sh',
      uid: 1000,
      gid: 1001,
      euid: 2000,
      egid: 2001,
      container: undefined,
    });
  });

  test.each([
    { kernel: (8 << 20) | 1, stat: 0x801, what: 'disk 8, part 1' },
    { kernel: (259 << 20) | 3, stat: 0x1_0303, what: 'a major number beyond 8 bits' },
    { kernel: 45, stat: 45, what: 'no disk' },
    { kernel: (8 << 20) | 0x1_2345, stat: 0x1230_0845, what: 'a minor number beyond 8 bits' },
    { kernel: 0xffff_ffff, stat: 0xfff_fff_ff, what: 'the largest of both' },
  ])('a device is told as stat(2) does: $what', ({ kernel, stat }) => {
    expect(fileOf(exec({ device: kernel }))?.device).toBe(stat);
  });

  test('bit 31 of the nanoseconds of ctime is a mark of the kernel', () => {
    expect(fileOf(exec({ ctimeSeconds: 7n, ctimeNs: 0x8000_0000 + 123 }))).toMatchObject({ ctime: '7000000123' });
  });

  test('a file of the same path that has changed in anything is told anew, and the same one is the same object', () => {
    const events: TaskEvent[] = [];
    const decoder = new RecordDecoder(CLOCK, (event) => events.push(event));
    const decodeNext = (record: Buffer) => {
      decoder.decode(new DataView(record.buffer, record.byteOffset, record.length), record, 0, record.length);
      return (events.at(-1) as { executable?: unknown }).executable;
    };
    const before = decodeNext(exec());
    expect(decodeNext(exec())).toBe(before);
    for (const changed of [
      { inode: 13n },
      { inode: 12n + (1n << 32n) },
      { ctimeSeconds: 1_700_000_001n },
      { ctimeSeconds: 1_700_000_000n + (1n << 32n) },
      { ctimeNs: 6 },
      { device: 5 },
      { mode: 0o104755 },
      { links: 0 },
    ]) {
      expect(decodeNext(exec(changed)), JSON.stringify(Object.keys(changed))).toEqual(fileOf(exec(changed)));
      expect(decodeNext(exec())).toEqual(before);
    }
  });

  test('a path that was too long shows that its beginning is missing', () => {
    expect(fileOf(exec({ executable: 'name\0down\0', flags: EXECUTABLE_CUT }))?.path).toBe('…/down/name');
    expect(one(exec({ cwd: 'name\0', flags: CWD_CUT }))).toMatchObject({ cwd: '…/name' });
  });

  test('a path of which there is nothing is not known; the root is one', () => {
    expect(one(exec({ executable: '', flags: EXECUTABLE_CUT }))).toMatchObject({ executable: undefined });
    expect(one(exec({ cwd: '', flags: CWD_CUT }))).toMatchObject({ cwd: undefined });
    expect(one(exec({ cwd: '' }))).toMatchObject({ cwd: '/' });
  });

  test('a file in memory has its name and no folder', () => {
    expect(fileOf(exec({ executable: 'memfd:evil\0', flags: 2 }))?.path).toBe('/memfd:evil');
  });

  test('arguments that are longer than a record are marked as cut, those that could not be read are not known', () => {
    expect(one(exec({ argv: 'name\0begin', argvTotal: 5000 }))).toMatchObject({
      argv: ['name', 'begin', '… (cut: the command line has 5000 bytes)'],
    });
    expect(one(exec({ argv: '', argvTotal: 40, flags: ARGV_FAULT }))).toMatchObject({ argv: undefined });
    expect(one(exec({ argv: '\0' }))).toMatchObject({ argv: [''] });
  });

  test('what is no UTF-8 is written out', () => {
    const argv = Buffer.from([0x61, 0xff, 0, 0xc3, 0xa9, 0]);
    expect(one(exec({ argv }))).toMatchObject({ argv: ['a\\xff', 'é'] });
  });

  test('the interpreter is told where it is another file than was named', () => {
    expect(one(exec({ filename: '/bin/a\0', interp: '/bin/a\0' }))).toMatchObject({ interp: undefined });
    expect(one(exec({ filename: '/bin/a\0', interp: '' }))).toMatchObject({ interp: undefined });
  });

  test('a control group of a container is told as the container', () => {
    const id = '0123456789abcdef'.repeat(4);
    expect(one(exec({ cgroup: `docker-${id}.scope\0system.slice\0` }))).toMatchObject({ container: id });
  });
});

describe('an end', () => {
  test('of a thread is its own', () => {
    expect(decode(exit({ tid: 101, code: 3 << 8 }))).toEqual({
      events: [
        {
          type: 'exit',
          at: 5e9,
          tid: 101,
          pid: 100,
          start: 4e9,
          isGroupDead: false,
          comm: 'name',
          code: 3,
          signal: undefined,
        },
      ],
      problem: undefined,
      heir: undefined,
    });
  });

  test('of a process has the code that wait(2) finds, and its heir', () => {
    const { events, heir } = decode(
      exit({ code: 1 << 8, leaderCode: 2 << 8, groupCode: 4 << 8, flags: GROUP_DEAD, heir: 77 }),
    );
    expect(events).toMatchObject([{ tid: 100, isGroupDead: true, code: 2 }]);
    expect(heir).toEqual({ pid: 100, heirPid: 77, at: 5e9 });
    expect(
      decode(exit({ leaderCode: 2 << 8, groupCode: 4 << 8, flags: GROUP_DEAD | GROUP_EXIT })).events,
    ).toMatchObject([{ code: 4 }]);
    expect(decode(exit({ leaderCode: 11, flags: GROUP_DEAD })).events).toMatchObject([{ code: undefined, signal: 11 }]);
  });

  test('by another thread than the leader is that of both', () => {
    const { events } = decode(exit({ tid: 101, code: 9, groupCode: 9, flags: GROUP_DEAD | GROUP_EXIT }));
    expect(events).toMatchObject([
      { tid: 101, start: 4e9, signal: 9, isGroupDead: true },
      { tid: 100, start: 3e9, signal: 9, isGroupDead: true },
    ]);
  });
});

test('a new name', () => {
  expect(one(rename({ tid: 101, comm: 'other' }))).toEqual({
    type: 'rename',
    at: 5e9,
    tid: 101,
    pid: 100,
    start: 4e9,
    comm: 'other',
  });
});

test('another user, of the process; that of a thread has no place in the tree', () => {
  expect(one(credentials({ uid: 5, gid: 6 }))).toEqual({
    type: 'credentials',
    at: 5e9,
    pid: 100,
    start: 4e9,
    uid: 5,
    gid: 6,
    euid: 2000,
    egid: 2001,
  });
  expect(decode(credentials({ tid: 101 }))).toEqual({ events: [], problem: undefined, heir: undefined });
});

test('a move into the control group of a container, and out of all of them', () => {
  const id = 'fedcba9876543210'.repeat(4);
  const moved = { type: 'container', tid: 101, pid: 100, container: id };
  expect(one(cgroupMove(`${id}\0docker\0`, { tid: 101 }))).toMatchObject(moved);
  expect(one(cgroupMove('user.slice\0', { tid: 101 }))).toMatchObject({ ...moved, container: undefined });
  expect(one(cgroupMove('', { tid: 101 }))).toMatchObject({ ...moved, container: undefined });
});

describe('what cannot be is counted and tells nothing', () => {
  const whole = exec();
  const longer = (record: Buffer, at: number) => {
    const copy = Buffer.from(record);
    copy.writeUInt16LE(copy.readUInt16LE(at) + 1, at);
    return copy;
  };
  const ofType = (type: number) => {
    const copy = rename();
    copy.writeUInt16LE(type, 52);
    return copy;
  };
  test.each([
    ['nothing', Buffer.alloc(0), 'malformed-record'],
    ['half a head', rename().subarray(0, 71), 'malformed-record'],
    ['half a birth', birth().subarray(0, 119), 'malformed-record'],
    ['half an exec', whole.subarray(0, 159), 'malformed-record'],
    ['half an end', exit().subarray(0, 95), 'malformed-record'],
    ['half a move', cgroupMove('a\0').subarray(0, 87), 'malformed-record'],
    ...[148, 150, 152, 154, 156, 158].map((at) => [
      `lengths beyond the end (${at})`,
      longer(whole, at),
      'malformed-record',
    ]),
    ['a path beyond the end', longer(cgroupMove('a\0'), 80), 'malformed-record'],
    ['a tid that is none', rename({ tid: 2 ** 32 - 1 }), 'malformed-record'],
    ['a pid that is none', rename({ pid: 2 ** 31 }), 'malformed-record'],
    ['a creator that is none', birth({ creatorTid: 2 ** 30 }), 'malformed-record'],
    ['a parent that is none', birth({ ppid: 2 ** 30 }), 'malformed-record'],
    ['an heir that is none', exit({ heir: 2 ** 30, flags: GROUP_DEAD }), 'malformed-record'],
    ['type 0', ofType(0), 'unknown-record'],
    ['type 7', ofType(7), 'unknown-record'],
  ] as [string, Buffer, RecordProblem][])('%s', (_, record, problem) => {
    expect(decode(record)).toEqual({ events: [], problem, heir: undefined });
  });
});
