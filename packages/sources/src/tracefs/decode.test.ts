import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventNs } from '@dendro/protocol';
import { describe, expect, test } from 'vitest';
import { RecordDecoder } from './decode.ts';
import { type EventFormat, parseEventFormat } from './format.ts';

const FORMATS = join(import.meta.dirname, '../../../testkit/recordings/core-strace/formats');
const AT = 7 as EventNs;

function recordedFormats(): EventFormat[] {
  return [
    'task:task_newtask',
    'task:task_rename',
    'sched:sched_process_exec',
    'sched:sched_process_exit',
    'sched:sched_process_fork',
    'sched:sched_prepare_exec',
  ].map((name) => parseEventFormat(readFileSync(join(FORMATS, `${name}.format`), 'utf8')));
}

/** Fields as a kernel of ours would lay them out: name, C declaration, offset, size. */
function format(name: string, id: number, fields: readonly (readonly [string, number, number, 0 | 1])[]): EventFormat {
  const lines = [
    ['unsigned short common_type', 0, 2, 0],
    ['unsigned char common_flags', 2, 1, 0],
    ['unsigned char common_preempt_count', 3, 1, 0],
    ['int common_pid', 4, 4, 1],
    ...fields,
  ].map(
    ([declaration, offset, size, signed]) =>
      `\tfield:${declaration};\toffset:${offset};\tsize:${size};\tsigned:${signed};`,
  );
  return parseEventFormat(`name: ${name}\nID: ${id}\nformat:\n${lines.join('\n')}\n`);
}

/** An older kernel, of 32 bits: names in place of `__data_loc` and the reverse, other ids and sizes, no group_dead. */
const OTHER_KERNEL = [
  format('task_newtask', 301, [
    ['pid_t pid', 8, 4, 1],
    ['__data_loc char[] comm', 12, 4, 0],
    ['unsigned long clone_flags', 16, 4, 0],
  ]),
  format('task_rename', 302, [
    ['char oldcomm[16]', 8, 16, 0],
    ['__rel_loc char[] newcomm', 24, 4, 0],
  ]),
  format('sched_process_exec', 303, [
    ['char filename[12]', 8, 12, 0],
    ['pid_t pid', 20, 4, 1],
  ]),
  format('sched_process_exit', 304, [['pid_t pid', 8, 4, 1]]),
];

function record(sizeBytes: number, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  write(bytes);
  return bytes;
}

function decode(formats: readonly EventFormat[], bytes: Buffer, end = bytes.length) {
  const decoder = new RecordDecoder(formats);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const event = decoder.decode(view, bytes, 0, end, AT);
  return { event, problem: decoder.problem };
}

test('a thread is born with its creator and without a pid, which only the tree can know', () => {
  const bytes = record(44, (out) => {
    out.writeUInt16LE(205, 0);
    out.writeInt32LE(100, 4);
    out.writeInt32LE(101, 8);
    out.write('python3', 12);
    out.writeBigUInt64LE(0x3d0f00n, 32);
  });

  expect(decode(recordedFormats(), bytes).event).toEqual({
    type: 'fork',
    at: 7,
    tid: 101,
    pid: undefined,
    creatorTid: 100,
    cloneFlags: 0x3d0f00,
    comm: 'python3',
  });
});

test('a process is born with its own tid as pid, and clone flags beyond 32 bits are kept', () => {
  const bytes = record(44, (out) => {
    out.writeUInt16LE(205, 0);
    out.writeInt32LE(100, 4);
    out.writeInt32LE(101, 8);
    out.writeBigUInt64LE(0x2_0100_0000n, 32);
  });

  expect(decode(recordedFormats(), bytes).event).toMatchObject({ tid: 101, pid: 101, cloneFlags: 0x2_0100_0000 });
});

test('records are read by the format of the kernel that wrote them', () => {
  const fork = record(24, (out) => {
    out.writeUInt16LE(301, 0);
    out.writeInt32LE(5, 4);
    out.writeInt32LE(6, 8);
    out.writeUInt32LE((4 << 16) | 20, 12);
    out.writeUInt32LE(0x1200000, 16);
    out.write('kid\0', 20);
  });
  const rename = record(36, (out) => {
    out.writeUInt16LE(302, 0);
    out.writeInt32LE(6, 4);
    out.write('kid', 8);
    out.writeUInt32LE((5 << 16) | 2, 24);
    out.write('..new\0', 28);
  });
  const exec = record(24, (out) => {
    out.writeUInt16LE(303, 0);
    out.write('/bin/a/b/c/d', 8);
    out.writeInt32LE(6, 20);
  });
  const exit = record(12, (out) => {
    out.writeUInt16LE(304, 0);
    out.writeInt32LE(6, 8);
  });

  expect(decode(OTHER_KERNEL, fork).event).toMatchObject({ tid: 6, creatorTid: 5, cloneFlags: 0x1200000, comm: 'kid' });
  expect(decode(OTHER_KERNEL, rename).event).toEqual({ type: 'rename', at: 7, tid: 6, comm: 'new' });
  expect(decode(OTHER_KERNEL, exec).event).toEqual({
    type: 'exec',
    at: 7,
    pid: 6,
    oldTid: undefined,
    filename: '/bin/a/b/c/d',
  });
  expect(decode(OTHER_KERNEL, exit).event).toEqual({
    type: 'exit',
    at: 7,
    tid: 6,
    isGroupDead: undefined,
    comm: undefined,
  });
});

test('sched_process_fork is a known event that repeats what task_newtask says', () => {
  const bytes = record(24, (out) => out.writeUInt16LE(366, 0));

  expect(decode(recordedFormats(), bytes)).toEqual({ event: undefined, problem: undefined });
});

describe('what will interpret a program', () => {
  const prepareExec = (pid: number, interp: string, filename: string) =>
    record(96, (out) => {
      out.writeUInt16LE(364, 0);
      out.writeUInt32LE(((interp.length + 1) << 16) | 24, 8);
      out.writeUInt32LE(((filename.length + 1) << 16) | 60, 12);
      out.writeInt32LE(pid, 16);
      out.write(interp, 24);
      out.write(filename, 60);
    });

  test('is said for a script, by the thread that calls exec', () => {
    const { event } = decode(recordedFormats(), prepareExec(50, '/usr/bin/python3', './tool'));
    expect(event).toEqual({ type: 'prepare-exec', at: 7, tid: 50, interp: '/usr/bin/python3' });
  });

  test('is nobody where the kernel names the program itself', () => {
    expect(decode(recordedFormats(), prepareExec(50, '/usr/bin/ls', '/usr/bin/ls'))).toEqual({
      event: undefined,
      problem: undefined,
    });
  });

  test('is not read out of a record that is too short, or points out of itself', () => {
    const good = prepareExec(50, '/bin/sh', './tool');
    const bad = Buffer.from(good);
    bad.writeUInt32LE((90 << 16) | 24, 8);
    for (const { event, problem } of [
      decode(recordedFormats(), good, 19),
      decode(recordedFormats(), bad),
      decode(recordedFormats(), prepareExec(-1, '/bin/sh', './tool')),
    ]) {
      expect(event).toBeUndefined();
      expect(problem).toBe('malformed-record');
    }
  });

  test('is passed over where the event has another form than the one that is known', () => {
    const strange = format('sched_prepare_exec', 305, [['int interp', 8, 4, 1]]);
    const bytes = record(24, (out) => out.writeUInt16LE(305, 0));
    expect(decode([...OTHER_KERNEL, strange], bytes)).toEqual({ event: undefined, problem: undefined });
  });
});

describe('a move into another control group', () => {
  const formats = [
    ...recordedFormats(),
    format('cgroup_attach_task', 538, [
      ['int dst_root', 8, 4, 1],
      ['int dst_level', 12, 4, 1],
      ['u64 dst_id', 16, 8, 0],
      ['int pid', 24, 4, 1],
      ['__data_loc char[] dst_path', 28, 4, 0],
      ['__data_loc char[] comm', 32, 4, 0],
    ]),
  ];
  const move = (pid: number, path: string) =>
    record(40 + path.length, (out) => {
      out.writeUInt16LE(538, 0);
      out.writeInt32LE(4, 8);
      out.writeInt32LE(pid, 24);
      out.writeUInt32LE(((path.length + 1) << 16) | 36, 28);
      out.write(path, 36);
    });

  test('names the task that is moved, not who moves it', () => {
    const bytes = move(50, '/docker/c1');
    bytes.writeInt32LE(7, 4);
    expect(decode(formats, bytes).event).toEqual({
      type: 'move',
      at: 7,
      tid: 50,
      hierarchy: 4,
      path: '/docker/c1',
    });
  });

  test('has no path where that was too long for the kernel', () => {
    expect(decode(formats, move(50, '/'.padEnd(1022, 'x'))).event).toMatchObject({ path: '/'.padEnd(1022, 'x') });
    expect(decode(formats, move(50, '/'.padEnd(1023, 'x'))).event).toMatchObject({ tid: 50, path: undefined });
  });

  test('is malformed without a task or with a text outside', () => {
    const outside = move(50, '/docker/c1');
    outside.writeUInt32LE((60 << 16) | 36, 28);
    for (const bytes of [move(0x7fff_ffff, '/'), outside]) {
      expect(decode(formats, bytes)).toEqual({ event: undefined, problem: 'malformed-record' });
    }
  });
});

describe('a call that changes user or group', () => {
  const formats = [...recordedFormats(), format('sys_exit_setresgid', 501, [['long ret', 16, 8, 1]])];
  const back = (result: bigint, tid = 50) =>
    record(24, (out) => {
      out.writeUInt16LE(501, 0);
      out.writeInt32LE(tid, 4);
      out.writeBigInt64LE(result, 16);
    });

  test('has changed it when it has succeeded, and says nothing otherwise', () => {
    expect(decode(formats, back(0n)).event).toEqual({ type: 'id-change', at: 7, tid: 50, id: 'gid' });
    expect(decode(formats, back(-1n))).toEqual({ event: undefined, problem: undefined });
  });

  test('is malformed when it is cut off or made by nobody', () => {
    for (const bad of [decode(formats, back(0n), 23), decode(formats, back(0n, -1))]) {
      expect(bad).toEqual({ event: undefined, problem: 'malformed-record' });
    }
  });
});

test('an event of no format is called unknown', () => {
  const bytes = record(24, (out) => out.writeUInt16LE(999, 0));

  expect(decode(recordedFormats(), bytes)).toEqual({ event: undefined, problem: 'unknown-event' });
});

test('a record that is too short, has an impossible tid or points out of itself is malformed', () => {
  const exec = record(32, (out) => {
    out.writeUInt16LE(365, 0);
    out.writeUInt32LE((12 << 16) | 20, 8);
    out.writeInt32LE(50, 12);
    out.writeInt32LE(50, 16);
    out.write('/usr/bin/ls\0', 20);
  });
  const changed = (at: number, value: number) => {
    const bytes = Buffer.from(exec);
    bytes.writeInt32LE(value | 0, at);
    return bytes;
  };
  const withPid = (pid: number) => changed(12, pid);
  const withText = (place: number) => changed(8, place);

  expect(decode(recordedFormats(), exec).event).toMatchObject({ pid: 50, filename: '/usr/bin/ls' });
  for (const { event, problem } of [
    decode(recordedFormats(), exec, 1),
    decode(recordedFormats(), exec, 19),
    decode(recordedFormats(), exec, 31),
    decode(recordedFormats(), withPid(-1)),
    decode(recordedFormats(), withPid(5_000_000)),
    decode(recordedFormats(), withText((13 << 16) | 20)),
    decode(recordedFormats(), withText((1 << 16) | 0xffff)),
  ]) {
    expect(event).toBeUndefined();
    expect(problem).toBe('malformed-record');
  }
});
