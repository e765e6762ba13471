// What births, execs, names, parents and sightings mean, one rule at a time.

import { AUTHORITY, CLONE, type TaskEvent } from '@dendro/protocol';
import { describe, expect, test } from 'vitest';
import { NO_TASK } from './ids.ts';
import {
  allOf,
  credentials,
  everythingOf,
  exec,
  exit,
  fork,
  hostOf,
  INIT,
  infoAt,
  livesOf,
  observe,
  permutations,
  rename,
  reparent,
  seconds,
  thread,
} from './test-events.ts';

const MICROSECOND = 1e-6;
const MILLISECOND = 1e-3;

describe('[ID8] births of one tid', () => {
  const births = (apart: number) => [fork(5, 20, 1), fork(5 + apart, 20, 1)];

  test.each([1, 10, 999])('%i µs apart are one life, which has the earlier start', (apart) => {
    for (const order of permutations(births(apart * MICROSECOND))) {
      const host = hostOf([INIT, ...order]);
      const lives = livesOf(host, 20);
      expect(lives.map((life) => host.tree.startOf(life))).toEqual([seconds(5)]);
      expect(host.tree.exitOf(lives[0]!)).toBe(Number.POSITIVE_INFINITY);
      expect(host.counts.processes).toBe(2);
    }
  });

  test('1 ms apart and more are two, the first of which ended when the second began', () => {
    for (const order of permutations(births(MILLISECOND))) {
      const host = hostOf([INIT, ...order]);
      const starts = livesOf(host, 20).map((life) => [host.tree.startOf(life), host.tree.exitOf(life)]);
      expect(starts).toEqual([
        [seconds(5), seconds(5.001)],
        [seconds(5.001), Number.POSITIVE_INFINITY],
      ]);
    }
  });

  test('are one for events that name either start, and for threads', () => {
    const late = seconds(5 + 10 * MICROSECOND);
    const host = hostOf([
      INIT,
      ...births(10 * MICROSECOND),
      thread(6, 21, 20),
      thread(6 + 10 * MICROSECOND, 21, 20),
      { ...rename(7, 20, 'first'), start: seconds(5) },
      { ...rename(8, 20, 'second'), start: late },
      exit(9, 20, { start: late, code: 3 }),
    ]);
    expect([livesOf(host, 20).length, livesOf(host, 21).length]).toEqual([1, 1]);
    expect([infoAt(host, 20, 7).comm, infoAt(host, 20, 8).comm]).toEqual(['first', 'second']);
    expect(infoAt(host, 20, 9)).toMatchObject({ startTime: seconds(5), exitTime: seconds(9), exitCode: 3 });
  });
});

describe('[FO4] what a source names outright holds from the start of the child on', () => {
  test('the parent, whoever called fork', () => {
    const host = hostOf([INIT, fork(1, 20, 1), fork(2, 30, 1), fork(3, 40, 20, { parentPid: 30 })]);
    expect([3, 4].map((at) => infoAt(host, 40, at).ppid)).toEqual([30, 30]);
    expect(infoAt(host, 40, 3)).toMatchObject({ parentSince: seconds(3), parentSource: 'event' });
    expect(infoAt(host, 20, 4).childProcessIds).toEqual([]);
  });

  test('that it has no parent', () => {
    const host = hostOf([INIT, fork(3, 40, 1, { creatorPid: 1, parentPid: 0 })]);
    expect(infoAt(host, 40, 4)).toMatchObject({ ppid: 0, parentSince: seconds(3), parentSource: 'event' });
  });

  // The pid 30 has been given out again, and nobody has told of that yet.
  const reused = { parentPid: 30, parentStart: seconds(5) };

  test('the start of the parent: it says which life of the pid is meant', () => {
    const host = hostOf([INIT, fork(1, 30, 1), fork(2, 20, 1), fork(8, 40, 20, reused)]);
    const [first, second] = livesOf(host, 30);
    expect([host.tree.startOf(second!), host.tree.exitOf(first!)]).toEqual([seconds(5), seconds(5)]);
    expect(infoAt(host, 40, 8).parentTaskId).toBe(host.tree.taskIdOf(second!));
  });

  test('the start of the leader: it says which life of the pid is meant', () => {
    const birth = thread(8, 31, 30, { pid: 30, leaderStart: seconds(5) });
    const host = hostOf([INIT, fork(1, 30, 1), birth]);
    const [first, second] = livesOf(host, 30);
    expect([host.tree.startOf(second!), host.tree.exitOf(first!)]).toEqual([seconds(5), seconds(5)]);
    expect(host.tree.leaderOf(livesOf(host, 31)[0]!)).toBe(second);
  });

  test('the starts of a leader and of a creator that nobody has announced', () => {
    const host = hostOf([
      fork(8, 40, 35, { creatorPid: 35, creatorStart: seconds(3), parentPid: 30, parentStart: seconds(2) }),
      thread(9, 51, 50, { pid: 50, leaderStart: seconds(4) }),
    ]);
    const starts = [30, 35, 50].map((pid) => livesOf(host, pid).map((life) => host.tree.startOf(life)));
    expect(starts).toEqual([[seconds(2)], [seconds(3)], [seconds(4)]]);
  });
});

test.each([
  ['CLONE_VFORK', CLONE.vfork],
  ['CLONE_VFORK and CLONE_VM', CLONE.vfork | CLONE.vm],
])('[FO5] %s changes nothing: until its exec the child reads as its creator did at the birth', (_, cloneFlags) => {
  const creator = exec(2, 20, {
    comm: 'sh',
    executable: { path: '/bin/sh' },
    argv: ['sh', '-c', 'ls'],
    cwd: '/',
    uid: 7,
  });
  const events = (flags: number): TaskEvent[] => [
    INIT,
    fork(1, 20, 1),
    creator,
    fork(5, 30, 20, { cloneFlags: flags }),
    rename(6, 20, 'renamed'),
    exec(8, 30, { comm: 'ls', executable: { path: '/bin/ls' }, argv: ['ls'] }),
    exit(9, 30, { code: 0 }),
  ];
  const host = hostOf(events(cloneFlags));
  expect(infoAt(host, 30, 7.9)).toMatchObject({
    comm: 'sh',
    executionBinary: { path: '/bin/sh' },
    cmd: ['sh', '-c', 'ls'],
    cwd: '/',
    uid: 7,
    ppid: 20,
    execTime: undefined,
  });
  expect(infoAt(host, 30, 8)).toMatchObject({
    comm: 'ls',
    executionBinary: { path: '/bin/ls' },
    cmd: ['ls'],
    cwd: '/',
  });
  const times = [5, 6, 7.9, 8, 9, 10];
  expect(everythingOf(host, times)).toEqual(everythingOf(hostOf(events(0)), times));
});

describe('[EX4] the path in an exec event of the kernel', () => {
  const host = hostOf([INIT, fork(1, 20, 1), exec(3, 20, { filename: './run.sh' })]);
  const process = livesOf(host, 20)[0]!;
  const known = (at: number) => [
    host.tree.executablePathAt(process, seconds(at)),
    host.tree.authorityAt(process, 'executable', seconds(at)),
  ];

  test('counts as inferred, until a sighting says which file it was', () => {
    expect(known(3)).toEqual(['./run.sh', AUTHORITY.inferred]);
    host.apply(observe(9, 20, 1, { executable: { path: '/bin/dash' } }));
    expect(known(3)).toEqual(['/bin/dash', AUTHORITY.sighting]);
    expect(known(2.9)).toEqual([undefined, undefined]);
  });

  test('goes behind the file that a tracer names, whichever comes first', () => {
    const traced = exec(3 + 10 * MICROSECOND, 20, { executable: { path: '/bin/dash' }, argv: ['dash'] });
    for (const execs of permutations([exec(3, 20, { filename: './run.sh' }), traced])) {
      expect(infoAt(hostOf([INIT, fork(1, 20, 1), ...execs]), 20, 4).executionBinary?.path).toBe('/bin/dash');
    }
  });

  test('is left out where the event names the file as well', () => {
    const both = exec(3, 20, { filename: './run.sh', executable: { path: '/home/u/run.sh' } });
    const { executionBinary } = infoAt(hostOf([INIT, fork(1, 20, 1), both]), 20, 4);
    expect(executionBinary?.path).toBe('/home/u/run.sh');
  });
});

describe('[EX5] the exec time', () => {
  const execTimes = (execs: readonly TaskEvent[], ats: readonly number[]) => {
    const host = hostOf([INIT, fork(1, 20, 1), ...execs]);
    return ats.map((at) => infoAt(host, 20, at).execTime);
  };

  test('is that of the last exec by then', () => {
    const execs = [exec(3, 20, { argv: ['a'] }), exec(5, 20, { argv: ['b'] })];
    for (const order of permutations(execs)) {
      expect(execTimes(order, [2.9, 3, 4.9, 5, 9])).toEqual([undefined, ...[3, 3, 5, 5].map(seconds)]);
    }
  });

  test('is the earlier one of two tellings of one exec', () => {
    const told = (argv: string[], apart: number) => [exec(3, 20, { argv }), exec(3 + apart, 20, { argv })];
    for (const order of permutations(told(['a', 'b'], 90 * MICROSECOND))) {
      expect(execTimes(order, [3, 4])).toEqual([seconds(3), seconds(3)]);
    }
    expect(execTimes(told(['a', 'b'], 200 * MICROSECOND), [4])).toEqual([seconds(3.0002)]);
  });

  test('of two execs right after each other is that of the second', () => {
    const wrapped = [exec(3, 20, { argv: ['env', 'a'] }), exec(3 + 500 * MICROSECOND, 20, { argv: ['a'] })];
    expect(execTimes(wrapped, [4])).toEqual([seconds(3.0005)]);
  });

  test('is known of an exec whose arguments nobody tells', () => {
    expect(execTimes([exec(3, 20, { filename: 'a' })], [2, 3, 4])).toEqual([undefined, seconds(3), seconds(3)]);
  });

  test('is known of an exec that is the first mention of the process', () => {
    for (const event of [exec(3, 70, { argv: ['a'] }), exec(3, 70, { filename: 'a' })]) {
      const host = hostOf([INIT, event]);
      expect(infoAt(host, 70, 3)).toMatchObject({ execTime: seconds(3), startTime: seconds(3), isPlaceholder: true });
      host.apply(fork(1, 70, 1));
      expect(infoAt(host, 70, 4)).toMatchObject({ execTime: seconds(3), startTime: seconds(1), isPlaceholder: false });
      expect(infoAt(host, 70, 2).execTime).toBeUndefined();
    }
  });

  test('is not that of a sighting: who looks has seen no exec', () => {
    const seen = [observe(5, 20, 1, { argv: ['a'] }), observe(7, 20, 1, { argv: ['a: idle'] })];
    expect(execTimes(seen, [5, 7, 9])).toEqual([undefined, undefined, undefined]);
    expect(execTimes([exec(3, 20, { argv: ['a'] }), ...seen], [5, 7, 9])).toEqual([3, 3, 3].map(seconds));
  });
});

describe('[EX2] an exec ends what the image before it had', () => {
  const image = {
    executable: { path: '/bin/sh' },
    argv: ['sh', 'x'],
    interpreter: { path: '/lib/ld.so' },
    interp: '/bin/sh',
  };
  const known = { executionBinary: { path: '/bin/sh' }, cmd: ['sh', 'x'], interpreter: { path: '/lib/ld.so' } };
  const gone = { executionBinary: undefined, cmd: undefined, interpreter: undefined, interp: undefined };

  test('of its own', () => {
    const host = hostOf([INIT, fork(1, 20, 1), exec(3, 20, image), exec(5, 20)]);
    expect(infoAt(host, 20, 4.9)).toMatchObject({ ...known, interp: '/bin/sh' });
    expect(infoAt(host, 20, 5)).toMatchObject(gone);
  });

  test('and what it had from its creator', () => {
    const host = hostOf([INIT, fork(1, 20, 1), exec(2, 20, image), fork(3, 30, 20), exec(5, 30)]);
    expect(infoAt(host, 30, 4.9)).toMatchObject({ ...known, interp: '/bin/sh' });
    expect(infoAt(host, 30, 5)).toMatchObject(gone);
  });

  test('but not its directory, user, group and container', () => {
    const host = hostOf([
      INIT,
      fork(1, 20, 1),
      exec(3, 20, { ...image, cwd: '/srv', uid: 7, container: 'c1' }),
      credentials(4, 20, { gid: 8 }),
      exec(5, 20),
    ]);
    expect(infoAt(host, 20, 5)).toMatchObject({ cwd: '/srv', uid: 7, gid: 8, containerId: 'c1' });
  });
});

describe('[NA1] a rename', () => {
  test('holds for the process from its time on, and for children born after it', () => {
    const host = hostOf([INIT, fork(1, 20, 1), fork(2, 30, 20), rename(3, 20, 'new'), fork(4, 31, 20)]);
    expect([2.9, 3, 9].map((at) => infoAt(host, 20, at).comm)).toEqual(['init', 'new', 'new']);
    expect([30, 31].map((pid) => infoAt(host, pid, 9).comm)).toEqual(['init', 'new']);
  });

  test('of a thread is that of no other thread, but of what the thread creates', () => {
    const host = hostOf([
      INIT,
      fork(1, 20, 1),
      rename(1.5, 20, 'main'),
      thread(2, 21, 20),
      thread(2, 22, 20),
      rename(3, 21, 'worker'),
      fork(4, 30, 21),
      thread(4, 23, 21),
    ]);
    const comm = (tid: number, at: number) => host.tree.textAt(livesOf(host, tid)[0]!, 'comm', seconds(at));
    expect([comm(21, 2.9), comm(21, 3)]).toEqual(['main', 'worker']);
    expect([20, 22, 23, 30].map((tid) => comm(tid, 9))).toEqual(['main', 'main', 'worker', 'worker']);
  });
});

describe('[CO1] the container', () => {
  test('is told by an exec, and inherited by children as of their start', () => {
    const host = hostOf([
      INIT,
      fork(1, 20, 1),
      fork(2, 30, 20),
      exec(3, 20, { container: 'c1', argv: ['runc'] }),
      fork(4, 31, 20),
    ]);
    expect([2.9, 3].map((at) => infoAt(host, 20, at).containerId)).toEqual([undefined, 'c1']);
    expect([30, 31].map((pid) => infoAt(host, pid, 9).containerId)).toEqual([undefined, 'c1']);
  });

  test('is seen: a sighting says in which one it is', () => {
    const host = hostOf([INIT, fork(1, 20, 1), fork(2, 30, 20), observe(5, 20, 1, { container: 'c1' })]);
    expect([1, 5].map((at) => infoAt(host, 20, at).containerId)).toEqual(['c1', 'c1']);
    expect(infoAt(host, 30, 9).containerId).toBe('c1');
  });

  test('stays the same over an exec that does not tell it', () => {
    const host = hostOf([
      INIT,
      fork(1, 20, 1),
      exec(3, 20, { container: 'c1', argv: ['runc'] }),
      exec(5, 20, { argv: ['nginx'] }),
      fork(6, 30, 20),
      exec(7, 30, { filename: 'sh' }),
    ]);
    expect([infoAt(host, 20, 9).containerId, infoAt(host, 30, 9).containerId]).toEqual(['c1', 'c1']);
  });

  test('into which a process moves is not that of children born before', () => {
    const host = hostOf([
      INIT,
      observe(1, 20, 0, { container: 'c1', ppid: 1 }),
      fork(2, 30, 20),
      observe(5, 20, 0, { container: 'c2', ppid: 1 }),
      fork(6, 31, 20),
    ]);
    expect([4.9, 5].map((at) => infoAt(host, 20, at).containerId)).toEqual(['c1', 'c2']);
    expect([30, 31].map((pid) => infoAt(host, pid, 9).containerId)).toEqual(['c1', 'c2']);
  });
});

describe('[CO1] a move into the control group of a container', () => {
  const move = (at: number, tid: number, more: object = {}): TaskEvent => ({
    type: 'container',
    at: seconds(at),
    tid,
    container: 'c1',
    ...more,
  });

  test('holds for the process from then on, and for children born after it', () => {
    const host = hostOf([INIT, fork(1, 20, 1), fork(2, 30, 20), move(3, 20), fork(4, 31, 20)]);
    expect([2.9, 3].map((at) => infoAt(host, 20, at).containerId)).toEqual([undefined, 'c1']);
    expect([30, 31].map((pid) => infoAt(host, pid, 9).containerId)).toEqual([undefined, 'c1']);
  });

  test('of no container ends the one before, whatever is seen or was seen', () => {
    const host = hostOf([
      INIT,
      fork(1, 20, 1),
      move(3, 20),
      fork(4, 30, 20),
      move(5, 20, { container: undefined }),
      observe(6, 20, 0, { ppid: 1 }),
      fork(7, 31, 20),
    ]);
    expect([3, 4.9, 5, 9].map((at) => infoAt(host, 20, at).containerId)).toEqual(['c1', 'c1', undefined, undefined]);
    expect([30, 31].map((pid) => infoAt(host, pid, 9).containerId)).toEqual(['c1', undefined]);
  });

  test('of a thread is one of its process', () => {
    const host = hostOf([INIT, fork(1, 20, 1), thread(2, 21, 20), move(3, 21)]);
    expect(infoAt(host, 20, 9).containerId).toBe('c1');
  });

  test('of a task that nobody has mentioned makes it a placeholder, and one told before the birth finds its task', () => {
    const host = hostOf([INIT, move(3, 20)]);
    expect(infoAt(host, 20, 9)).toMatchObject({ isPlaceholder: true, containerId: 'c1' });
    for (const event of [fork(1, 20, 1)]) host.apply(event);
    expect(livesOf(host, 20)).toHaveLength(1);
    expect(infoAt(host, 20, 9)).toMatchObject({ isPlaceholder: false, containerId: 'c1' });
  });
});

describe('[NS1] ids in a pid namespace', () => {
  const namespaces = (host: ReturnType<typeof hostOf>, pid: number, at: number) => {
    const { nsTid, nsPid, pidNs, nsPpid } = infoAt(host, pid, at);
    return { nsTid, nsPid, pidNs, nsPpid };
  };
  const nothing = { nsTid: undefined, nsPid: undefined, pidNs: undefined, nsPpid: undefined };

  test('are never inherited, by children and threads neither', () => {
    const seen = observe(2, 20, 1, { nsTid: 7, nsPid: 7, pidNs: 42 });
    const host = hostOf([INIT, fork(1, 20, 1), seen, fork(3, 30, 20), thread(3, 21, 20)]);
    expect(namespaces(host, 30, 9)).toEqual({ ...nothing, nsPpid: 7 });
    const of = livesOf(host, 21)[0]!;
    const ids = (['nsTid', 'nsPid', 'pidNs'] as const).map((field) => host.tree.numberAt(of, field, seconds(9)));
    expect(ids).toEqual([undefined, undefined, undefined]);
  });

  test('that were seen once hold for the whole life, whatever it executes', () => {
    const seen = observe(5, 20, 1, { nsTid: 7, nsPid: 7, pidNs: 42 });
    const host = hostOf([INIT, fork(1, 20, 1), exec(3, 20, { argv: ['a'] }), seen, exec(7, 20, { argv: ['b'] })]);
    for (const at of [1, 3, 5, 7, 9]) {
      expect(namespaces(host, 20, at)).toEqual({ nsTid: 7, nsPid: 7, pidNs: 42, nsPpid: undefined });
    }
  });

  test('are told by a birth', () => {
    const host = hostOf([INIT, fork(1, 20, 1, { nsTid: 7, nsPid: 7 }), thread(2, 21, 20, { nsTid: 8, nsPid: 7 })]);
    expect(namespaces(host, 20, 1)).toMatchObject({ nsTid: 7, nsPid: 7 });
    const ids = (['nsTid', 'nsPid'] as const).map((field) =>
      host.tree.numberAt(livesOf(host, 21)[0]!, field, seconds(2)),
    );
    expect(ids).toEqual([8, 7]);
  });

  test("of a process' parent are those of whoever is its parent at the time", () => {
    const host = hostOf([
      observe(0, 1, -100, { comm: 'init', nsTid: 1, nsPid: 1 }),
      fork(1, 20, 1, { nsTid: 7, nsPid: 7 }),
      fork(2, 30, 20, { nsTid: 9, nsPid: 9 }),
      exit(5, 20),
    ]);
    expect([2, 4.9, 5, 9].map((at) => infoAt(host, 30, at).nsPpid)).toEqual([7, 7, 1, 1]);
    expect(infoAt(host, 1, 9).nsPpid).toBeUndefined();
  });
});

describe('[PA3] a parent that is seen', () => {
  const begun = [INIT, fork(1, 15, 1), fork(1, 16, 1), fork(1, 20, 1), fork(2, 30, 20)];
  const parents = (host: ReturnType<typeof hostOf>, ats: readonly number[]) =>
    ats.map((at) => [infoAt(host, 30, at).ppid, infoAt(host, 30, at).parentSource]);

  test('and differs from one that was said holds since the sighting', () => {
    const host = hostOf([...begun, observe(7, 30, 2, { ppid: 15 })]);
    expect(parents(host, [2, 6.9, 7])).toEqual([
      [20, 'event'],
      [20, 'event'],
      [15, 'sighting'],
    ]);
    expect([6, 8].map((at) => infoAt(host, 30, at).parentSince)).toEqual([seconds(2), seconds(7)]);
  });

  test('and differs from one that was seen holds since the later sighting', () => {
    const host = hostOf([...begun, observe(5, 30, 2, { ppid: 15 }), observe(7, 30, 2, { ppid: 16 })]);
    expect(parents(host, [4.9, 5, 6.9, 7]).map(([ppid]) => ppid)).toEqual([20, 15, 15, 16]);
  });

  test('and is the one that was said changes nothing', () => {
    const host = hostOf(begun);
    const before = allOf(infoAt(host, 30, 9));
    host.apply(observe(7, 30, 2, { ppid: 20 }));
    expect(allOf(infoAt(host, 30, 9))).toEqual(before);
  });
});

test('[PA4] the creator never changes, nor what a child has from it', () => {
  const host = hostOf([
    INIT,
    fork(1, 15, 1),
    fork(1, 20, 1),
    rename(2, 20, 'creator'),
    fork(3, 30, 20),
    reparent(4, 30, 15),
    observe(5, 30, 3, { ppid: 1 }),
    exit(6, 20),
    exit(7, 15),
  ]);
  const child = livesOf(host, 30)[0]!;
  expect([3, 4, 5, 9].map((at) => infoAt(host, 30, at).ppid)).toEqual([20, 15, 1, 1]);
  expect(host.tree.tidOf(host.tree.creatorOf(child))).toBe(20);
  expect([3, 4, 5, 9].map((at) => infoAt(host, 30, at).comm)).toEqual(Array(4).fill('creator'));
});

describe('[OB1] a sighting of a task that is known', () => {
  const told = { comm: 'a', executable: { path: '/bin/a' }, argv: ['a', '1'], uid: 7, container: 'c1' };
  const begun = [INIT, fork(1.0005, 20, 1), exec(3, 20, told)];
  const times = [1.0005, 2, 3, 6, 7, 9];

  test('that says the same changes nothing', () => {
    const host = hostOf(begun);
    const before = everythingOf(host, times);
    host.apply(observe(7, 20, 1, { ...told, ppid: 1 }));
    expect(everythingOf(host, times)).toEqual(before);
  });

  test('adds what is not known and changes nothing else', () => {
    const [plain, seen] = [
      hostOf(begun),
      hostOf([...begun, observe(7, 20, 1, { ...told, cwd: '/srv', gid: 8, ppid: 1 })]),
    ];
    for (const at of [3, 6, 7, 9]) {
      expect(allOf(infoAt(seen, 20, at))).toEqual({ ...allOf(infoAt(plain, 20, at)), cwd: '/srv', gid: 8 });
    }
    expect(infoAt(seen, 20, 2)).toMatchObject({ startTime: seconds(1.0005), source: 'event', uid: undefined });
  });
});

describe('[OB2] what was seen', () => {
  const values = (events: readonly TaskEvent[], read: keyof ReturnType<typeof infoAt>, ats: readonly number[]) => {
    const host = hostOf([INIT, ...events]);
    return ats.map((at) => infoAt(host, 20, at)[read]);
  };

  test('holds from its time on, until something else is said or seen', () => {
    const seen = [
      observe(3, 20, 1, { cwd: '/a', ppid: 1 }),
      observe(5, 20, 1, { cwd: '/b' }),
      exec(7, 20, { cwd: '/c' }),
    ];
    expect(values(seen, 'cwd', [3, 4.9, 5, 6.9, 7, 9])).toEqual(['/a', '/a', '/b', '/b', '/c', '/c']);
  });

  test('holds back to the start of a task that never called exec, where nothing is inherited', () => {
    expect(values([fork(1, 20, 1), observe(5, 20, 1, { uid: 7 })], 'uid', [1, 4.9, 5])).toEqual([7, 7, 7]);
    expect(values([fork(1, 20, 1), observe(5, 20, 1, { comm: 'x' })], 'comm', [1, 4.9, 5])).toEqual([
      'init',
      'init',
      'x',
    ]);
  });

  test('holds back to the exec, over what was inherited or a name of the image before, not over what was said or seen', () => {
    const creator = { ...INIT, cwd: '/' } as TaskEvent;
    const seen = [creator, fork(1, 20, 1), exec(3, 20), observe(9, 20, 1, { cwd: '/srv' })];
    expect(values(seen, 'cwd', [2.9, 3, 9])).toEqual(['/', '/srv', '/srv']);
    const said = [fork(1, 20, 1), exec(3, 20, { uid: 7 }), exec(5, 20), observe(9, 20, 1, { uid: 8 })];
    expect(values(said, 'uid', [3, 4.9, 5, 9])).toEqual([7, 7, 7, 8]);
    const twice = [fork(1, 20, 1), observe(3, 20, 1, { uid: 7 }), exec(5, 20), observe(9, 20, 1, { uid: 8 })];
    expect(values(twice, 'uid', [3, 4.9, 5, 9])).toEqual([7, 7, 7, 8]);
    const named = [fork(1, 20, 1), observe(3, 20, 1, { comm: 'a' }), exec(5, 20), observe(9, 20, 1, { comm: 'b' })];
    expect(values(named, 'comm', [3, 4.9, 5, 9])).toEqual(['a', 'a', 'b', 'b']);
  });

  test('does not go before what was said or seen in the same image', () => {
    const renamed = [fork(1, 20, 1), exec(3, 20, { comm: 'a' }), rename(5, 20, 'b'), observe(9, 20, 1, { comm: 'c' })];
    expect(values(renamed, 'comm', [3, 5, 8.9, 9])).toEqual(['a', 'b', 'b', 'c']);
    const seen = [fork(1, 20, 1), exec(3, 20), observe(5, 20, 1, { cwd: '/a' }), observe(9, 20, 1, { cwd: '/b' })];
    expect(values(seen, 'cwd', [3, 5, 8.9, 9])).toEqual(['/a', '/a', '/a', '/b']);
  });

  test('says nothing about the image before an exec', () => {
    const later = [fork(1, 20, 1), exec(3, 20), observe(5, 20, 1, { argv: ['new'] })];
    expect(values(later, 'cmd', [1, 2.9, 3, 5])).toEqual([undefined, undefined, ['new'], ['new']]);
  });

  test('goes before what was concluded', () => {
    const concluded = [
      fork(1, 20, 1),
      exec(3, 20, { filename: 'x' }),
      observe(9, 20, 1, { executable: { path: '/x' } }),
    ];
    const paths = values(concluded, 'executionBinary', [3, 9]) as ({ path: string } | undefined)[];
    expect(paths.map((file) => file?.path)).toEqual(['/x', '/x']);
  });
});

describe('[OB3] what is seen of a task after its end', () => {
  const begun = [INIT, fork(1, 15, 1), fork(1, 20, 1), exec(3, 20, { comm: 'a', argv: ['a'], uid: 7 }), exit(5, 20)];
  const times = [1, 3, 5, 8, 9, 12];
  // A zombie: /proc still shows it, without its arguments and its program.
  const zombie = {
    comm: 'hollow',
    argv: [],
    executable: { path: '/none' },
    cwd: '/none',
    uid: 0,
    gid: 0,
    container: 'x',
  };

  test('says nothing', () => {
    const host = hostOf(begun);
    const before = everythingOf(host, times);
    host.apply(observe(8, 20, 1, { ...zombie, ppid: 15 }));
    expect(everythingOf(host, times)).toEqual(before);
    expect(livesOf(host, 20)).toHaveLength(1);
  });

  test('says nothing either when its end is told later', () => {
    const [end, ...before] = begun.toReversed();
    const host = hostOf([...before.toReversed(), observe(8, 20, 1, { ...zombie, ppid: 15 }), end!]);
    expect(everythingOf(host, times)).toEqual(everythingOf(hostOf(begun), times));
  });
});

test('[EX5] [ID3] a process whose birth nobody told is as old as its first mention, and its exec is not its start', () => {
  const host = hostOf([exec(3, 70, { argv: ['a'] }), rename(2, 70, 'early')]);
  expect(infoAt(host, 70, 2)).toMatchObject({ startTime: seconds(2), execTime: undefined, comm: 'early' });
  expect(infoAt(host, 70, 3)).toMatchObject({ execTime: seconds(3) });
  expect(host.tree.creatorOf(livesOf(host, 70)[0]!)).toBe(NO_TASK);
});
