import type { TaskEvent } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { StraceDecoder } from './strace-decoder.ts';

const CLONE_FLAGS = 'flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD';
const THREAD_FLAGS = 'flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM';

/** Lines with a time that counts up by a microsecond: `TID REST`, or `REST` alone where nobody is named. */
function decode(lines: readonly string[]) {
  const events: TaskEvent[] = [];
  const decoder = new StraceDecoder((event) => events.push(event));
  decoder.push(
    Buffer.from(lines.map((line, i) => line.replace('@', `1700000000.${String(i).padStart(6, '0')}`)).join('\n')),
  );
  decoder.end();
  const told = events.filter(({ type }) => type !== 'clock').map((event) => withoutNothing(event));
  return { events: told, decoder, rejected: decoder.rejected };
}

function withoutNothing(event: TaskEvent): Record<string, unknown> {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined));
}

test('each form of naming a task is read', () => {
  for (const who of ['7 ', '7    ', '[pid     7] ', '7<bash> ', '[pid 7<a b>c>] ']) {
    const { events, rejected } = decode([`${who}@ +++ exited with 3 +++`]);
    expect({ who, rejected, events }).toEqual({
      who,
      rejected: {},
      events: [{ type: 'exit', at: 0, tid: 7, code: 3 }],
    });
  }
});

test('times have as many digits as strace was asked for', () => {
  const events: TaskEvent[] = [];
  const decoder = new StraceDecoder((event) => events.push(event));
  decoder.push(
    Buffer.from(
      ['1700000000', '1700000000.5', '1700000000.123456789']
        .map((t, i) => `${i + 1} ${t} +++ exited with 0 +++\n`)
        .join(''),
    ),
  );
  expect(events).toMatchObject([
    { epochNs: 1_700_000_000_000_000_000n },
    { at: 0 },
    { at: 500_000_000 },
    { at: 123_456_789 },
  ]);
});

test('a program has path, name, arguments and folder; an exec that fails changes nothing', () => {
  const { events } = decode([
    '7 @ chdir("/srv") = 0',
    '7 @ chdir("a b") = 0',
    '7 @ execve("/bin/no", ["no"], 0x0) = -1 ENOENT (No such file or directory)',
    String.raw`7 @ execve("./my \"prog\"\n", ["x", "", "\303\244\377", "a]\", [\"b"], 0x7ffe /* 35 vars */) = 0`,
  ]);
  expect(events).toEqual([
    { type: 'chdir', at: 0, tid: 7, cwd: '/srv' },
    { type: 'chdir', at: 1000, tid: 7, cwd: '/srv/a b' },
    {
      type: 'exec',
      at: 3000,
      pid: 7,
      oldTid: 7,
      comm: 'my "prog"\n',
      filename: './my "prog"\n',
      argv: ['x', '', 'ä\\xff', 'a]", ["b'],
      cwd: '/srv/a b',
    },
  ]);
});

test('a change of folder takes effect at its time, for the whole process, and is not known where strace does not say it', () => {
  const { events, rejected } = decode([
    '7 @ chdir("/srv") = 0',
    `7 @ clone3({${THREAD_FLAGS}}, 88) = 8`,
    '8 @ chdir("log") = 0',
    '8 @ chdir("/nowhere") = -1 ENOENT (No such file or directory)',
    '8 @ fchdir(3</var/a b\\76>) = 0',
    '7 @ chdir("x") = 0',
    '7 @ fchdir(3) = 0',
    '7 @ chdir("log") = 0',
    '7 @ chdir("/a/..") = 0',
    '7 @ chdir("..") = 0',
    '7 @ chdir("/very"...) = 0',
  ]);
  expect(events.filter(({ type }) => type === 'chdir')).toEqual([
    { type: 'chdir', at: 0, tid: 7, cwd: '/srv' },
    { type: 'chdir', at: 2000, tid: 8, cwd: '/srv/log' },
    { type: 'chdir', at: 4000, tid: 8, cwd: '/var/a b>' },
    { type: 'chdir', at: 5000, tid: 7, cwd: '/var/a b>/x' },
    { type: 'chdir', at: 6000, tid: 7 },
    { type: 'chdir', at: 7000, tid: 7 },
    { type: 'chdir', at: 8000, tid: 7, cwd: '/a/..' },
    { type: 'chdir', at: 9000, tid: 7 },
    { type: 'chdir', at: 10_000, tid: 7 },
  ]);
  expect(rejected).toEqual({ 'unreadable-call': 1 });
});

test('arguments that strace has cut end with its dots, and how many were is said', () => {
  const { events, decoder } = decode([
    '7 @ execve("/bin/echo", ["echo", "abc"..., ...], 0x0) = 0',
    '7 @ execve("/a", 0x7ff1, 0x0) = 0',
  ]);
  expect(events).toMatchObject([{ argv: ['echo', 'abc...', '...'] }, { filename: '/a' }]);
  expect(events[1]).not.toHaveProperty('argv');
  expect(decoder.notices.join(' ')).toMatch(/Arguments of 1 programs were cut .* -s 65535/);
});

test('a call that others came in between of is put together; a birth has the time at which it began', () => {
  const { events, rejected } = decode([
    '7 @ execve("/bin/sh", ["sh"], 0x0) = 0',
    '7 @ vfork( <unfinished ...>',
    '8 @ execve("/bin/true", ["true"], 0x0 <unfinished ...>',
    '7 @ <... vfork resumed>) = 8',
    '8 @ <... execve resumed>) = 0',
    '8 @ exit_group(0) = ?',
    '8 @ +++ exited with 0 +++',
  ]);
  expect(rejected).toEqual({});
  expect(events.map(({ type, at }) => [type, at])).toEqual([
    ['exec', 0],
    ['fork', 1000],
    ['exec', 4000],
    ['exit', 6000],
  ]);
  expect(events[1]).toMatchObject({ tid: 8, pid: 8, creatorTid: 7, creatorPid: 7, cloneFlags: 0x4100 });
});

test('threads are born by their flags, end by themselves, and one that calls exec becomes the leader', () => {
  const { events, rejected } = decode([
    '7 @ execve("/bin/a", ["a"], 0x0) = 0',
    `7 @ clone3({${THREAD_FLAGS}, exit_signal=0, stack=0x7f17} => {parent_tid=[8]}, 88) = 8`,
    `7 @ clone(child_stack=0x7f, ${THREAD_FLAGS}, parent_tid=[9], tls=0x7f) = 9`,
    '9 @ exit(0) = ?',
    '9 @ +++ exited with 0 +++',
    '8 @ execve("/bin/b", ["b"], 0x0 <unfinished ...>',
    '7 @ +++ superseded by execve in pid 8 +++',
    '7 @ <... execve resumed>) = 0',
    '7 @ +++ killed by SIGSEGV (core dumped) +++',
  ]);
  expect(rejected).toEqual({ 'not-a-lifecycle-call': 1 });
  expect(events.slice(1)).toMatchObject([
    { type: 'fork', tid: 8, pid: 7, creatorTid: 7 },
    { type: 'fork', tid: 9, pid: 7, creatorTid: 7 },
    { type: 'exit', tid: 9, pid: 7, isGroupDead: false, code: 0 },
    { type: 'exec', at: 7000, pid: 7, oldTid: 8, filename: '/bin/b' },
    { type: 'exit', tid: 7, isGroupDead: true, signal: 11 },
  ]);
});

test.each([
  ['names', 'CLONE_VM|CLONE_THREAD', '= 8', 'PR_SET_NAME', 'CLONE_NEWPID'],
  ['numbers (-X raw)', '0x10100', '= 8', '0xf', '0x20000000'],
  [
    'both (-X verbose)',
    '0x10100 /* CLONE_VM|CLONE_THREAD */|17 /* SIGCHLD */',
    '= 8',
    '0xf /* PR_SET_NAME */',
    '0x20000000 /* CLONE_NEWPID */',
  ],
  ['names of tasks (-Y)', 'CLONE_VM|CLONE_THREAD', '= 8<a b>', 'PR_SET_NAME', 'CLONE_NEWPID'],
  ['durations (-T)', 'CLONE_VM|CLONE_THREAD', '= 8 <0.000123>', 'PR_SET_NAME', 'CLONE_NEWPID'],
])('constants may be written as %s', (_what, flags, result, operation, namespace) => {
  const { events, rejected } = decode([
    `7 @ clone(child_stack=NULL, flags=${flags}, child_tidptr=0x7f) ${result}`,
    `7 @ prctl(${operation}, "name") = 0`,
    `7 @ unshare(${namespace}) = 0`,
    '7 @ fork() = 9',
    "9 @ vfork() = 2<x> /* 10 in strace's PID NS */",
    '9 @ vfork() = 3',
  ]);
  expect(rejected).toEqual({});
  expect(events).toMatchObject([
    { type: 'fork', tid: 8, cloneFlags: 0x10100 },
    { type: 'rename', tid: 7, comm: 'name' },
    { type: 'fork', tid: 9 },
    { type: 'fork', tid: 10, creatorTid: 9 },
  ]);
});

test('names and users; what setuid does depends on privileges, and is concluded', () => {
  const { events } = decode([
    String.raw`7 @ prctl(PR_SET_NAME, "a name that is too long\t"...) = 0`,
    '7 @ setresuid(1000, 1001, -1) = 0',
    '7 @ setregid32(100, -1) = 0',
    '7 @ setresuid(-1, 5, 5) = 0',
    '7 @ setuid(65534) = 0',
    '7 @ setuid(1) = -1 EPERM (Operation not permitted)',
  ]);
  expect(events).toEqual([
    { type: 'rename', at: 0, tid: 7, comm: 'a name that is ' },
    { type: 'credentials', at: 1000, pid: 7, authority: 2, uid: 1000 },
    { type: 'credentials', at: 2000, pid: 7, authority: 2, gid: 100 },
    { type: 'credentials', at: 4000, pid: 7, authority: 0, uid: 65534 },
  ]);
});

test('a number of another pid namespace is nobody outside: the child is who was first heard of', () => {
  const { events, rejected } = decode([
    '7 @ execve("/usr/bin/unshare", ["unshare"], 0x0) = 0',
    '7 @ unshare(CLONE_NEWNS|CLONE_NEWPID) = 0',
    `7 @ clone(child_stack=NULL, ${CLONE_FLAGS}) = 20`, // its number is of the namespace of 7
    '20 @ vfork( <unfinished ...>',
    '21 @ execve("/bin/a", ["a"], 0x0) = 0',
    '20 @ <... vfork resumed>) = 2',
    `20 @ clone(child_stack=NULL, ${CLONE_FLAGS}) = 3`,
    '22 @ execve("/bin/b", ["b"], 0x0) = 0',
    `20 @ fork() = 4 /* 23 in strace's PID NS */`,
  ]);
  expect(rejected).toEqual({});
  expect(events.filter(({ type }) => type === 'fork')).toMatchObject([
    { tid: 20, creatorTid: 7 },
    { tid: 21, creatorTid: 20, nsTid: 2 },
    { tid: 22, creatorTid: 20, nsTid: 3 },
    { tid: 23, creatorTid: 20 },
  ]);
});

test('on standard error nobody is named while only one is traced, and strace speaks in between', () => {
  const { events, rejected } = decode([
    '@ execve("/bin/bash", ["bash", "s.sh"], 0x7ff /* 35 vars */) = 0',
    '@ chdir("/tmp")         = 0',
    `@ clone(child_stack=NULL, ${CLONE_FLAGS}, child_tidptr=0x7f) = 71`,
    `@ clone(child_stack=NULL, ${CLONE_FLAGS}strace: Process 72 attached`,
    ', child_tidptr=0x7f) = 72',
    '[pid    72] @ execve("/bin/true", ["true"], 0x0) = 0',
    'strace: Process 71 attached',
    `[pid    72] @ clone(child_stack=NULL, ${CLONE_FLAGS}strace: Process 73 attached`,
    ' <unfinished ...>',
    '[pid    73] @ wait4(-1, strace: Process 74 attached',
    ' <unfinished ...>',
    '[pid    72] @ <... clone resumed>, child_tidptr=0x7f) = 73',
    '[pid    71] @ +++ exited with 3 +++',
    '[pid    70] @ wait4(-1,  <unfinished ...>',
    '[pid    73] @ +++ exited with 0 +++',
    '[pid    72] @ +++ exited with 0 +++',
    '@ kill(70, SIGKILL)   = ?',
    '@ +++ killed by SIGKILL +++',
  ]);
  expect(rejected).toEqual({ 'not-a-lifecycle-call': 3 });
  expect(events.map(({ type, tid, pid, creatorTid }) => [type, tid ?? pid, creatorTid])).toEqual([
    ['exec', 70, undefined],
    ['chdir', 70, undefined],
    ['fork', 71, 70],
    ['fork', 72, 70],
    ['exec', 72, undefined],
    ['fork', 73, 72],
    ['exit', 71, undefined],
    ['exit', 73, undefined],
    ['exit', 72, undefined],
    ['exit', 70, undefined],
  ]);
});

test('one task that strace was attached to is named once, at the beginning', () => {
  const { events } = decode([
    'strace: Process 42 attached',
    '@ execve("/bin/a", ["a"], 0x0) = 0',
    '@ +++ exited with 1 +++',
  ]);
  expect(events).toMatchObject([
    { type: 'exec', pid: 42 },
    { type: 'exit', tid: 42, code: 1 },
  ]);
});

test('lines whose task nobody names are counted', () => {
  const { events, rejected } = decode(['@ execve("/bin/a", ["a"], 0x0) = 0', '@ +++ exited with 1 +++']);
  expect(events).toEqual([]);
  expect(rejected).toEqual({ 'unknown-pid': 2 });
});

test('where strace is silent about ends, exit_group tells them', () => {
  const { events } = decode(['7 @ execve("/bin/a", ["a"], 0x0) = 0', '7 @ exit_group(-1) = ?']);
  expect(events.at(-1)).toEqual({ type: 'exit', at: 1000, tid: 7, pid: 7, isGroupDead: true, code: 255 });
});

test.each([
  ['12:34:56.123456 execve("/bin/a", ["a"], 0x0) = 0', /say the time of day but not the day/],
  ['7  12:34:56 execve("/bin/a", ["a"], 0x0) = 0', /say the time of day but not the day/],
  ['execve("/bin/a", ["a"], 0x0) = 0', /have no time of day/],
  ['     0.000123 execve("/bin/a", ["a"], 0x0) = 0', /have no time of day/],
])('lines without a date are refused: %s', (line, why) => {
  const { decoder, events } = decode([line]);
  expect(events).toEqual([]);
  expect(decoder.refusal).toMatch(why);
  expect(decoder.refusal).toMatch(/record with strace -f -ttt -o FILE$/);
});

test('what is no line of strace is counted by reason', () => {
  const { rejected } = decode([
    'hello',
    '7 @ read(3, "abc", 3) = 3',
    '7 @ --- SIGCHLD {si_signo=SIGCHLD} ---',
    '7 @ execve("/bin/a", ["a"',
    '7 @ <... execve resumed>) = 0',
    '0 @ +++ exited with 0 +++',
    '9999999 @ +++ exited with 0 +++',
    '7 @ clone(child_stack=NULL) = 8',
    '7 @ +++ exited with 0 +++',
    '7 9000000000.5 +++ exited with 0 +++',
  ]);
  expect(rejected).toEqual({
    'not-strace': 1,
    'not-a-lifecycle-call': 2,
    'unreadable-call': 2,
    'resumed-without-beginning': 1,
    'bad-pid': 2,
    'time-out-of-range': 1,
  });
});
