// What Tracee's lines mean, field by field, in both dialects.

import { AUTHORITY, type TaskEvent } from '@dendro/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TraceeDecoder } from './tracee-decoder.ts';

const S = 1_700_000_000_000_000_000n;
/** Written bare, as Tracee does in its legacy dialect. */
const BARE = /"#(\d+)"/g;

interface Arg {
  readonly name: string;
  /** The type in v1beta1. */
  readonly type: string;
  readonly value: unknown;
}

const int32 = (name: string, value: unknown): Arg => ({ name, type: 'int32', value });
const time = (name: string, value: unknown): Arg => ({ name, type: 'u_int64', value });
const str = (name: string, value: unknown): Arg => ({ name, type: 'str', value });

function legacy(eventName: string, args: readonly Arg[], more: object = {}): string {
  return JSON.stringify({
    timestamp: `#${S + 5_000_000_000n}`,
    threadStartTime: `#${S}`,
    processId: 10,
    threadId: 10,
    parentProcessId: 1,
    hostProcessId: 100,
    hostThreadId: 100,
    hostParentProcessId: 1,
    userId: 1000,
    pidNamespace: 4026531836,
    processName: 'bash',
    container: {},
    eventName,
    syscall: 'clone',
    args: args.map(({ name, type, value }) => ({ name, type, value })),
    ...more,
  }).replace(BARE, '$1');
}

function v1beta1(name: string, args: readonly Arg[], process: object = {}, thread: object = {}): string {
  return JSON.stringify({
    timestamp: '2023-11-14T22:13:25Z',
    id: 1014,
    name,
    workload: {
      process: {
        executable: { path: '/usr/bin/bash' },
        host_pid: 100,
        pid: 10,
        real_user: { id: 1000 },
        thread: {
          start_time: '2023-11-14T22:13:20Z',
          name: 'bash',
          host_tid: 100,
          tid: 10,
          syscall: 'clone',
          ...thread,
        },
        ancestors: [{ host_pid: 1, pid: 1 }],
        ...process,
      },
    },
    data: args.map(({ name: arg, type, value }) => ({ name: arg, [type]: value })),
  });
}

function decode(...lines: string[]): { events: TaskEvent[]; rejected: Readonly<Record<string, number>> } {
  const events: TaskEvent[] = [];
  const decoder = new TraceeDecoder((event) => events.push(event));
  decoder.push(Buffer.from(`${lines.join('\n')}\n`));
  decoder.end();
  return { events, rejected: decoder.rejected };
}

function only<T extends TaskEvent['type']>(line: string, type: T): Extract<TaskEvent, { type: T }> {
  const { events, rejected } = decode(line);
  expect(rejected).toEqual({});
  const found = events.filter((event): event is Extract<TaskEvent, { type: T }> => event.type === type);
  expect(found).toHaveLength(1);
  return found[0]!;
}

const FORK = [
  int32('parent_tid', 101),
  int32('parent_ns_tid', 11),
  int32('parent_pid', 100),
  int32('parent_ns_pid', 10),
  time('parent_start_time', String(S + 1n)),
  int32('child_tid', 200),
  int32('child_ns_tid', 20),
  int32('child_pid', 200),
  int32('child_ns_pid', 20),
  time('start_time', String(S + 4_999_999_999n)),
];
const FORK_OF_TREE = [
  ...FORK,
  int32('parent_process_pid', 50),
  time('parent_process_start_time', String(S - 7n)),
  int32('leader_pid', 200),
  time('leader_start_time', String(S + 4_999_999_999n)),
];

describe.each([
  ['legacy', legacy],
  ['v1beta1', v1beta1],
] as const)('%s', (dialect, write) => {
  test('a fork names the child, the thread that called, and starts exact to the nanosecond', () => {
    expect(only(write('sched_process_fork', FORK), 'fork')).toEqual({
      type: 'fork',
      at: 0,
      tid: 200,
      pid: 200,
      start: -1,
      creatorTid: 101,
      creatorPid: 100,
      creatorStart: -4_999_999_999,
      nsTid: 20,
      nsPid: 20,
    });
  });

  test('a fork of twenty arguments says the parent process and the leader beside the caller', () => {
    expect(only(write('sched_process_fork', FORK_OF_TREE), 'fork')).toMatchObject({
      creatorTid: 101,
      creatorPid: 100,
      parentPid: 50,
      parentStart: -5_000_000_007,
      leaderStart: -1,
    });
  });

  test('the birth of a thread keeps the pid of its process', () => {
    const args = FORK.map((arg) => (arg.name === 'child_tid' ? int32('child_tid', 201) : arg));
    expect(only(write('sched_process_fork', args), 'fork')).toMatchObject({ tid: 201, pid: 200, nsPid: 20 });
  });

  test('the context is a sighting of the task, with its exact start', () => {
    expect(only(write('sched_process_fork', FORK), 'observe')).toEqual({
      type: 'observe',
      at: 0,
      tid: 100,
      pid: 100,
      ppid: 1,
      start: -5e9,
      startIsTick: false,
      authority: AUTHORITY.event,
      comm: 'bash',
      uid: 1000,
      nsTid: 10,
      nsPid: 10,
      pidNs: dialect === 'legacy' ? 4026531836 : undefined,
    });
  });

  test('an exec says which file, loader and arguments; numbers of 64 bits are exact', () => {
    const line = write('sched_process_exec', [
      str('cmdpath', './ls'),
      str('pathname', '/usr/bin/ls'),
      { name: 'dev', type: 'u_int32', value: 271581185 },
      { name: 'inode', type: 'u_int64', value: '18446744073709551615' },
      { name: 'ctime', type: 'u_int64', value: '1708465191345601524' },
      { name: 'inode_mode', type: 'u_int32', value: 33261 },
      str('interpreter_pathname', '/usr/lib/ld-linux-x86-64.so.2'),
      { name: 'interpreter_inode', type: 'u_int64', value: '1315526' },
      { name: 'argv', type: 'str_array', value: dialect === 'legacy' ? ['ls', ''] : { value: ['ls', ''] } },
      str('interp', '/usr/bin/ls'),
      str('prev_comm', 'bash'),
      { name: 'env', type: 'str_array', value: dialect === 'legacy' ? ['SECRET=1'] : { value: ['SECRET=1'] } },
      str('pwd', '/home/u'),
      str('sha256', 'ab12'),
    ]);
    expect(only(line, 'exec')).toEqual({
      type: 'exec',
      at: 0,
      pid: 100,
      oldTid: 100,
      start: -5e9,
      comm: 'bash',
      filename: './ls',
      executable: {
        path: '/usr/bin/ls',
        device: 271581185,
        inode: '18446744073709551615',
        ctime: '1708465191345601524',
        mode: 33261,
        hash: 'ab12',
      },
      argv: ['ls', ''],
      cwd: '/home/u',
      interpreter: { path: '/usr/lib/ld-linux-x86-64.so.2', inode: '1315526' },
      interp: '/usr/bin/ls',
      uid: 1000,
    });
    expect(JSON.stringify(decode(line).events, (_key, value) => String(value))).not.toContain('SECRET');
  });

  test('an exec without arguments has none, one of a static program has no loader, a mode in words is left out', () => {
    const empty = { name: 'argv', type: 'str_array', value: dialect === 'legacy' ? [] : {} };
    const event = only(
      write('sched_process_exec', [
        str('pathname', '/bin/a'),
        str('interpreter_pathname', ''),
        str('inode_mode', '-rwxr-xr-x'),
        empty,
      ]),
      'exec',
    );
    expect(event).toMatchObject({ executable: { path: '/bin/a' }, argv: [] });
    expect(event.interpreter).toBeUndefined();
    expect(event.executable?.mode).toBeUndefined();
  });

  test.each([
    ['a code', 7, 0, { code: 7 }],
    ['no signal given', 0, undefined, { code: 0 }],
    ['a signal that is null', 3, null, { code: 3 }],
    ['a signal', 0, 15, { signal: 15 }],
    ['a signal and a core dump', 0, 139, { signal: 11 }],
    ['nothing known', null, null, {}],
  ])('an exit with %s', (_what, code, signal, expected) => {
    const args = [
      int32('exit_code', code),
      ...(signal === undefined ? [] : [int32('signal_code', signal)]),
      { name: 'process_group_exit', type: 'bool', value: true },
    ];
    expect(only(write('sched_process_exit', args), 'exit')).toEqual({
      type: 'exit',
      at: 0,
      tid: 100,
      pid: 100,
      start: -5e9,
      isGroupDead: true,
      comm: 'bash',
      ...expected,
    });
  });

  test('an argument that is null is one that is not there', () => {
    const args = FORK_OF_TREE.map((arg) => (/^(parent|leader)_/.test(arg.name) ? { ...arg, value: null } : arg));
    expect(only(write('sched_process_fork', args), 'fork')).toMatchObject({ creatorTid: 100, creatorPid: 100 });
  });

  test('a start of 0 is not known', () => {
    const args = FORK.map((arg) => (arg.name.endsWith('start_time') ? { ...arg, value: '0' } : arg));
    const fork = only(write('sched_process_fork', args), 'fork');
    expect(fork.start).toBeUndefined();
    expect(fork.creatorStart).toBeUndefined();
  });

  test('a start months before the first event is no wrong time', () => {
    const args = FORK.map((arg) =>
      arg.name === 'parent_start_time' ? time(arg.name, String(S - 86_400_000_000_000n * 400n)) : arg,
    );
    expect(only(write('sched_process_fork', args), 'fork').creatorStart).toBeLessThan(-3e16);
  });

  test('a rename counts when the task renames itself', () => {
    const args = [str('old_name', 'bash'), str('new_name', 'worker')];
    const self = dialect === 'legacy' ? [{ syscall: 'prctl' }] : [{}, { syscall: 'prctl' }];
    expect(only(write('task_rename', args, ...self), 'rename')).toEqual({
      type: 'rename',
      at: 0,
      tid: 100,
      pid: 100,
      start: -5e9,
      comm: 'worker',
    });
    const other = dialect === 'legacy' ? [{ syscall: 'write' }] : [{}, { syscall: 'write' }];
    expect(decode(write('task_rename', args, ...other)).rejected).toEqual({ 'not-a-lifecycle-event': 1 });
  });

  test.each<[string, Arg, string]>([
    ['a negative tid', int32('child_tid', -1), 'wrong-type'],
    ['tid 0', int32('child_tid', 0), 'wrong-type'],
    ['a tid beyond what Linux gives out', int32('child_tid', 4_194_305), 'wrong-type'],
    ['half a tid', int32('child_tid', 1.5), 'wrong-type'],
    ['a tid in quotes', int32('child_tid', '200'), 'wrong-type'],
    ['a tid of 20 digits', int32('child_tid', '#12345678901234567890'), 'wrong-type'],
    ['an object for a tid', int32('child_tid', {}), 'wrong-type'],
    ['no tid', int32('child_tid', null), 'missing-field'],
    ['a word for a time', time('start_time', 'yesterday'), 'bad-timestamp'],
    ['a negative time', time('start_time', -5), 'bad-timestamp'],
    ['a time in another century', time('start_time', '9223372036854775807'), 'bad-timestamp'],
  ])('%s is a reason to leave the line out', (_what, arg, reason) => {
    const args = FORK.map((given) => (given.name === arg.name ? arg : given));
    expect(decode(write('sched_process_fork', args).replace(BARE, '$1')).rejected).toEqual({ [reason]: 1 });
  });

  test('an inode beyond 64 bits and arguments that are no text are wrong', () => {
    const inode = { name: 'inode', type: 'u_int64', value: '18446744073709551616' };
    expect(decode(write('sched_process_exec', [str('pathname', '/a'), inode])).rejected).toEqual({ 'wrong-type': 1 });
    const argv = { name: 'argv', type: 'str_array', value: dialect === 'legacy' ? [1] : { value: [1] } };
    expect(decode(write('sched_process_exec', [argv])).rejected).toEqual({ 'wrong-type': 1 });
  });
});

test('local times, as legacy writes them in arguments, are the same instants', () => {
  const args = FORK.map((arg) =>
    arg.name === 'start_time' ? { ...arg, value: '2023-11-15T00:13:24.999999999+02:00' } : arg,
  );
  expect(only(legacy('sched_process_fork', args), 'fork').start).toBe(-1);
});

test('the container comes from the object, or in older releases from beside it', () => {
  const id = 'ab'.repeat(32);
  expect(only(legacy('sched_process_exit', [], { container: { id } }), 'observe').container).toBe(id);
  expect(only(legacy('sched_process_exit', [], { container: undefined, containerId: id }), 'observe').container).toBe(
    id,
  );
  expect(only(legacy('sched_process_exit', [], { containerId: '' }), 'observe').container).toBeUndefined();
  const line = JSON.parse(v1beta1('sched_process_exit', [])) as { workload: object };
  line.workload = { ...line.workload, container: { id, name: 'web', started: true } };
  expect(only(JSON.stringify(line), 'observe').container).toBe(id);
});

test('where v1beta1 leaves out what is unknown, the rest is taken', () => {
  const process = { ancestors: undefined, real_user: undefined, pid: undefined };
  const { events, rejected } = decode(
    v1beta1('sched_process_exit', [], process, { start_time: 'null', name: undefined, tid: undefined }),
  );
  expect(rejected).toEqual({});
  expect(events).toEqual([
    { type: 'clock', epochNs: S + 5_000_000_000n },
    { type: 'exit', at: 0, tid: 100, pid: 100 },
  ]);
});

test.each([
  ['[]', 'not-an-object'],
  ['7', 'not-an-object'],
  ['null', 'not-an-object'],
  ['"sched_process_fork"', 'not-an-object'],
  ['{}', 'not-a-tracee-event'],
  ['{"name":["sched_process_fork"]}', 'not-a-tracee-event'],
  ['{"__proto__":{"eventName":"sched_process_fork"}}', 'not-a-tracee-event'],
  ['{"eventName":"security_file_open","timestamp":1}', 'not-a-lifecycle-event'],
  ['{"eventName":"__proto__"}', 'not-a-lifecycle-event'],
  ['{"eventName":"sched_process_exit"}', 'missing-field'],
  ['{"name":"sched_process_exit","timestamp":"null"}', 'bad-timestamp'],
  ['{"name":"sched_process_exit","timestamp":"2023-11-14T22:13:25Z"}', 'missing-field'],
  ['{"name":"sched_process_exit","timestamp":"2023-11-14T22:13:25Z","workload":{"process":[]}}', 'wrong-type'],
  ['{"eventName":"sched_process_exit","timestamp":1,"args":{}}', 'missing-field'],
  ['{', 'not-json'],
])('%s is rejected as %s', (line, reason) => {
  const { rejected, events } = decode(line);
  expect(rejected).toEqual({ [reason]: 1 });
  expect(events.filter(({ type }) => type !== 'clock')).toEqual([]);
});

test('a first event of a wild time does not make all others unreadable', () => {
  const good = [1, 2, 3].map((i) => legacy('sched_process_exit', [], { timestamp: `#${S + BigInt(i)}` }));
  for (const wild of ['#1', '#9000000000000000000']) {
    const { events, rejected } = decode(legacy('sched_process_exit', [], { timestamp: wild }), ...good);
    expect(rejected).toEqual({ 'bad-timestamp': 1 });
    expect(events[0]).toEqual({ type: 'clock', epochNs: S + 1n });
    expect(events.filter(({ type }) => type === 'exit')).toHaveLength(3);
  }
});

test('times since boot, as old releases can write them, are taken and said to be no dates', () => {
  const decoder = new TraceeDecoder(() => {});
  decoder.push(Buffer.from(`${legacy('sched_process_exit', [], { timestamp: 5e12, threadStartTime: 4e12 })}\n`));
  expect(decoder).toMatchObject({ decoded: 1, rejected: {} });
  expect(decoder.notices.join()).toMatch(/dates shown are wrong/);
});

test('a notice says where a reason was met first, by the number of the line in the file, and nothing of the line', () => {
  const decoder = new TraceeDecoder(() => {});
  decoder.push(Buffer.from('\n\n{"secret":"hunter2"}\n{"secret":"hunter2"}\nrubbish\n'));
  expect(decoder.notices).toEqual([
    'The first line rejected as not-a-tracee-event is line 3.',
    'The first line rejected as not-json is line 5.',
  ]);
});

test('events of an existing tree are put on its time base', () => {
  const events: TaskEvent[] = [];
  const decoder = new TraceeDecoder((event) => events.push(event), { base: { epochNs: S } });
  decoder.pushAll(Buffer.from(JSON.stringify(JSON.parse(v1beta1('sched_process_exit', [])), undefined, 2)));
  expect(decoder).toMatchObject({ lines: 1, decoded: 1, rejected: {} });
  expect(events.map(({ type }) => type)).toEqual(['observe', 'exit']);
  expect(events[1]).toMatchObject({ at: 5e9, start: 0 });
});

test('whatever stands in the place of a field, the line is decoded or counted', () => {
  const lines = [legacy('sched_process_fork', FORK_OF_TREE), v1beta1('sched_process_fork', FORK_OF_TREE)];
  const hostile = fc.oneof(
    fc.constantFrom(-1, 1.5, 1e300, 2 ** 53, null, true, '', 'null', '0', '99999999999999999999', [], {}, [[]]),
    fc.jsonValue({ maxDepth: 2 }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...lines), fc.nat(), hostile, fc.boolean(), (line, where, value, isRemoved) => {
      const event: unknown = JSON.parse(line.replace(/\d{16,}/g, '"$&"').replace(/""/g, '"'));
      const places: [Record<string, unknown>, string][] = [];
      const collect = (node: unknown): void => {
        if (typeof node !== 'object' || node === null) return;
        for (const [key, child] of Object.entries(node)) {
          places.push([node as Record<string, unknown>, key]);
          collect(child);
        }
      };
      collect(event);
      const [node, key] = places[where % places.length]!;
      if (isRemoved) delete node[key];
      else node[key] = value;
      const { events, rejected } = decode(JSON.stringify(event));
      const decoded = events.some(({ type }) => type === 'fork');
      const counted = Object.values(rejected).reduce((sum, times) => sum + times, 0);
      expect(Number(decoded) + counted).toBe(1);
    }),
    { numRuns: 3000 },
  );
});
