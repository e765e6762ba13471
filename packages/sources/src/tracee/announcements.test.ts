// What Tracee says of containers, control groups and itself, in both dialects.

import type { TaskEvent } from '@dendro/protocol';
import { describe, expect, test } from 'vitest';
import { TraceeDecoder } from './tracee-decoder.ts';

const S = 1_700_000_000_000_000_000n;
const ID = 'c0ffee'.repeat(10).padEnd(64, '0');
const CGROUP = `/system.slice/docker-${ID}.scope`;

interface Arg {
  readonly name: string;
  readonly type: string;
  readonly value: unknown;
}
const str = (name: string, value: unknown): Arg => ({ name, type: 'str', value });
const int32 = (name: string, value: unknown): Arg => ({ name, type: 'int32', value });
const time = (name: string, value: bigint): Arg => ({ name, type: 'u_int64', value: String(value) });

/** @param tid of the task that it happens in; 0: it is of none */
function legacy(eventName: string, tid: number, args: readonly Arg[], atNs = S + 1_000_000_000n): string {
  const task = {
    threadStartTime: String(tid === 0 ? 0n : atNs - 500_000_000n),
    hostProcessId: tid,
    hostThreadId: tid,
    hostParentProcessId: tid === 0 ? 0 : 1,
    processName: tid === 0 ? '' : 'runc',
  };
  return JSON.stringify({ timestamp: String(atNs), ...task, container: {}, eventName, args });
}

function v1beta1(name: string, tid: number, args: readonly Arg[], atNs = S + 1_000_000_000n): string {
  const process = {
    host_pid: tid,
    thread: { start_time: String(atNs - 500_000_000n), name: 'runc', host_tid: tid },
    ancestors: [{ host_pid: 1 }],
  };
  const workload = tid === 0 ? {} : { workload: { process } };
  const data = args.map(({ name: arg, type, value }) => ({ name: arg, [type]: value }));
  return JSON.stringify({ timestamp: String(atNs), name, ...workload, data });
}

function decode(...lines: string[]) {
  const events: TaskEvent[] = [];
  const decoder = new TraceeDecoder((event) => events.push(event));
  decoder.push(Buffer.from(`${lines.join('\n')}\n`));
  decoder.end();
  return { events, decoder };
}

describe.each([
  ['legacy', legacy],
  ['v1beta1', v1beta1],
] as const)('%s', (_dialect, write) => {
  test('who is moved into the control group of a container is in the container from then on', () => {
    const move = [str('cgroup_path', CGROUP), str('comm', 'init'), int32('pid', 300)];
    const { events, decoder } = decode(write('cgroup_attach_task', 200, move));
    expect(decoder).toMatchObject({ decoded: 1, rejected: {} });
    expect(events).toEqual([
      { type: 'clock', epochNs: S + 1_000_000_000n },
      expect.objectContaining({ type: 'observe', tid: 200 }),
      { type: 'container', at: 0, tid: 300, container: ID },
    ]);
  });

  test('who moves itself is known by its start too', () => {
    const move = [str('cgroup_path', CGROUP), str('comm', 'runc'), int32('pid', 200)];
    const { events } = decode(write('cgroup_attach_task', 200, move));
    expect(events.at(-1)).toEqual({ type: 'container', at: 0, tid: 200, pid: 200, start: -500_000_000, container: ID });
  });

  test('another control group is none of a container, and says who moved whom all the same', () => {
    const move = [str('cgroup_path', '/user.slice'), str('comm', 'sh'), int32('pid', 300)];
    const { events, decoder } = decode(write('cgroup_attach_task', 200, move));
    expect(decoder).toMatchObject({ decoded: 1, rejected: {} });
    expect(events.map(({ type }) => type)).toEqual(['clock', 'observe']);
  });

  test.each(['cgroup_mkdir', 'cgroup_rmdir'])('%s is a sighting of who did it', (name) => {
    const { events, decoder } = decode(write(name, 200, [str('cgroup_path', CGROUP)]));
    expect(decoder).toMatchObject({ decoded: 1, rejected: {} });
    expect(events.map(({ type }) => type)).toEqual(['clock', 'observe']);
  });

  test('containers are counted with their names and images, for a notice', () => {
    const named = [str('runtime', 'docker'), str('container_id', ID), str('container_image', 'example/web:1')];
    const { events, decoder } = decode(
      write('existing_container', 0, [...named, str('container_name', 'web')]),
      write('container_create', 200, [str('container_id', 'd'.repeat(64))]),
      write('container_create', 200, [str('container_id', 'e'.repeat(64)), str('container_name', 'a\u001b[31mb')]),
      write('container_remove', 200, [str('runtime', 'docker'), str('container_id', ID)]),
    );
    expect(decoder).toMatchObject({ decoded: 4, rejected: {} });
    expect(events).toEqual([]);
    expect(decoder.notices).toEqual([
      '3 containers are named in it: web (example/web:1), dddddddddddd, a?[31mb; 1 removed. The tree shows their ids only.',
    ]);
  });

  test('a container without an id is rejected', () => {
    expect(decode(write('existing_container', 0, [])).decoder.rejected).toEqual({ 'missing-field': 1 });
  });

  test('times since boot become dates when Tracee says when the host was started', () => {
    const exit = write('sched_process_exit', 200, [], 5_000_000_000n);
    const info = write('tracee_info', 0, [time('boot_time', S), time('start_time', S + 1n), str('version', 'v0')], 1n);
    const { events, decoder } = decode(info, exit);
    expect(events[0]).toEqual({ type: 'clock', epochNs: S + 5_000_000_000n });
    expect(events.at(-1)).toMatchObject({ type: 'exit', at: 0, start: -500_000_000 });
    expect(decoder.notices).toEqual([]);
    expect(decode(exit).decoder.notices.join()).toMatch(/dates shown are wrong/);
  });

  test('times that are dates already are left as they are', () => {
    const info = write('tracee_info', 0, [time('boot_time', S - 1_000_000_000n)]);
    expect(decode(info, write('sched_process_exit', 200, [])).events[0]).toEqual({
      type: 'clock',
      epochNs: S + 1_000_000_000n,
    });
  });
});

test('ever new containers take bounded memory, and the notice says that there were more', () => {
  const lines = Array.from({ length: 5000 }, (_, i) => legacy('container_create', 0, [str('container_id', `id${i}`)]));
  const { decoder } = decode(...lines);
  expect(decoder.decoded).toBe(5000);
  expect(decoder.notices[0]).toMatch(/^More than 4096 containers are named in it: id0, id1, id2, id3, id4 and more\. /);
});
