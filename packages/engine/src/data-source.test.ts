// Vectors V1 to V7: what a correct process tree must answer. P is pid 100
// started at S, C its child 200 started five seconds later. Then the vectors of
// Tracee's own store that are about questions, and what the answers promise.

import type { EntityId, EventNs, ExecEvent, ExitEvent, ForkEvent, TaskEvent } from '@dendro/protocol';
import { describe, expect, test } from 'vitest';
import { type LineageKey, type ProcessLineage, ProcessTreeDataSource, type TreeKey } from './data-source.ts';
import type { RelatedTask } from './process-info.ts';
import { ProcessTree, type ProcessTreeOptions } from './process-tree.ts';
import { AmbiguousTaskError, DataNotFoundError, KeyNotSupportedError, type TaskRef } from './task-ref.ts';
import {
  allOf,
  credentials,
  exec as execOf,
  exit as exitOf,
  fork as forkOf,
  hostOf,
  INIT,
  infoAt,
  observe,
  permutations,
  rename,
  reparent,
  seconds,
  thread as threadOf,
} from './test-events.ts';

const P = 1308413163 as EntityId;
const C = 3121682638 as EntityId;

const execP = exec(1, 100, 0, 'bash');
const forkC = fork(5, 200, 100, 0);
const execC = exec(6, 200, 5, 'ls');
const exitC = exit(9, 200, 200, 5, true);

function exec(at: number, pid: number, start: number, name: string): ExecEvent {
  const executable = { path: `/usr/bin/${name}` };
  return execOf(at, pid, { start: seconds(start), comm: name, executable, argv: [name] });
}

function fork(at: number, pid: number, creator: number, creatorStart: number): ForkEvent {
  return forkOf(at, pid, creator, {
    start: seconds(at),
    pid,
    creatorPid: creator,
    creatorStart: seconds(creatorStart),
  });
}

function exit(at: number, tid: number, pid: number, start: number, isGroupDead: boolean): ExitEvent {
  return exitOf(at, tid, { pid, start: seconds(start), isGroupDead, code: 0 });
}

function sourceOf(events: readonly TaskEvent[], options?: ProcessTreeOptions): ProcessTreeDataSource {
  return new ProcessTreeDataSource(hostOf(events, options));
}

function processAt(source: ProcessTreeDataSource, task: EntityId | TaskRef, time: EventNs) {
  const ref = typeof task === 'number' ? { entityId: task } : task;
  return source.get({ kind: 'ProcKey', task: ref, time }).process_info;
}

function lineageAt(source: ProcessTreeDataSource, task: TaskRef, at: number, maxDepth = 100): ProcessLineage {
  return source.get({ kind: 'LineageKey', task, time: seconds(at), maxDepth }).process_lineage.info;
}

function tids(tasks: readonly RelatedTask[]): number[] {
  return tasks.map((task) => task.tid);
}

function expectV1(source: ProcessTreeDataSource): void {
  const c = (at: number) => processAt(source, C, at as EventNs).info;
  expect(c(seconds(5))).toMatchObject({ comm: 'bash', executionBinary: { path: '/usr/bin/bash' }, isAlive: true });
  expect(c(seconds(6))).toMatchObject({ comm: 'ls', executionBinary: { path: '/usr/bin/ls' }, isAlive: true });
  expect(c(seconds(6) - 1)).toMatchObject({ comm: 'bash', executionBinary: { path: '/usr/bin/bash' } });
  expect([c(seconds(8)).isAlive, c(seconds(9)).isAlive, c(seconds(9) + 1).isAlive]).toEqual([true, true, false]);
  for (const before of [seconds(4.9), seconds(5) - 1]) expect(() => c(before)).toThrow(DataNotFoundError);
}

describe('vectors', () => {
  const inEveryOrder = (events: readonly TaskEvent[]) => permutations(events).map((order, i) => [i, order] as const);

  test('[EX1] [AS2] [AS3] V1: birth, program and end, each at its time', () => {
    expectV1(sourceOf([execP, forkC, execC, exitC]));
  });

  test.each(inEveryOrder([execP, forkC, execC, exitC]))('[FA1] V2: the same in permutation %i', (_, order) => {
    expectV1(sourceOf(order));
  });

  test.each(inEveryOrder([forkC, exitC]))(
    '[EN5] V3: an end is an end, whether it is told before the birth or after (%i)',
    (_, order) => {
      const { info } = processAt(sourceOf(order), C, seconds(10));
      expect(info).toMatchObject({ isAlive: false, exitTime: seconds(9), exitCode: 0 });
      expect(processAt(sourceOf(order), C, seconds(9)).info.isAlive).toBe(true);
    },
  );

  test.each(inEveryOrder([execP, forkC, execC, exec(7, 100, 0, 'zsh')]))(
    '[AS1] [LI1] V4: the parent in a lineage is the parent as it was when the child began, in permutation %i',
    (_, order) => {
      const { ancestors } = lineageAt(sourceOf(order), { entityId: C }, 6, 1);
      expect(ancestors.map(({ timestamp, info }) => [info.comm, timestamp])).toEqual([
        ['ls', seconds(6)],
        ['bash', seconds(5)],
      ]);
    },
  );

  const thread: ForkEvent = { ...fork(8, 201, 200, 5), pid: 200, leaderStart: seconds(5) };

  test.each(inEveryOrder([execP, forkC, execC, thread, exit(8.5, 201, 200, 8, false)]))(
    '[FO3] [EN1] V5: a thread belongs to its process, and its end ends nothing else, in permutation %i',
    (_, order) => {
      const source = sourceOf(order);
      expect(processAt(source, P, seconds(8)).info.childProcessIds).toMatchObject([{ tid: 200, entityId: C }]);
      expect(tids(processAt(source, C, seconds(8)).info.threadIds)).toEqual([200, 201]);
      expect(tids(processAt(source, C, seconds(8.6)).info.threadIds)).toEqual([200]);
      expect(processAt(source, C, seconds(8.6)).info.isAlive).toBe(true);
      expect(source.getThreads({ pid: 200 }, seconds(8)).map(({ info }) => info.tid)).toEqual([200, 201]);
      expect(source.getChildren({ pid: 100 }, seconds(8.6)).map(({ info }) => info.pid)).toEqual([200]);
      // No process has come of the thread: who asks for it gets its process.
      expect(processAt(source, { pid: 201 }, seconds(8)).info.pid).toBe(200);
    },
  );

  describe('[FA1] [EX5] [FA5] V6: what two sources tell, up to 10 µs apart,', () => {
    const told = [execP, forkC, execC, thread, exit(8.5, 201, 200, 8, false), exitC] as const;
    const later = (µs: number) => told.map((event) => ({ ...event, at: seconds((event.at + µs * 1000) / 1e9) }));
    const times = [1, 5, 6, 8, 8.5, 9].flatMap((at) => [-5e-6, 0, 5e-6, 2e-5].map((apart) => at + apart));
    const answersOf = (source: ProcessTreeDataSource) =>
      times.flatMap((at) =>
        [P, C].map((entityId) => {
          if (entityId === C && seconds(at) < seconds(5)) return undefined; // not born yet
          const { ancestors, end } = lineageAt(source, { entityId }, at);
          return [ancestors.map(({ timestamp, info }) => [timestamp, allOf(info)]), end];
        }),
      );

    test.each([
      ['at once', told.flatMap((event) => [event, event])],
      ['the later right after the earlier', told.flatMap((event, i) => [event, later(10)[i]!])],
      ['the earlier right after the later', told.flatMap((event, i) => [later(10)[i]!, event])],
      ['the one after all of the other', [...told, ...later(10)]],
      ['the other after all of the one', [...later(10), ...told]],
    ])('is told once, as the earlier stamp says: %s', (_, both) => {
      const [once, twice] = [sourceOf(told), sourceOf(both)];
      expect(answersOf(twice)).toEqual(answersOf(once));
    });

    test('is told once where the stamp of the second is the earlier one', () => {
      const earlier = later(-10);
      const [once, twice] = [sourceOf(earlier), sourceOf(told.flatMap((event, i) => [event, earlier[i]!]))];
      expect(answersOf(twice)).toEqual(answersOf(once));
    });
  });

  // The oldest process is taken out of memory, but not the way up: 200 is asked for its parent, and 100 is what it was,
  // marked as evicted [BO3]. What was above 100 has gone with it, if anybody knew [LI2].
  test('[BO3] V7: a lineage that reaches what was evicted marks it, and says that it ends there', () => {
    const source = sourceOf([fork(5, 200, 100, 0), fork(6, 300, 200, 5)], { maxProcesses: 2 });
    const { ancestors, end } = lineageAt(source, { pid: 300 }, 7);
    expect(ancestors.map(({ info }) => [info.pid, info.isEvicted])).toEqual([
      [300, false],
      [200, false],
      [100, true],
    ]);
    expect(end).toBe('evicted');
    expect(() => processAt(source, { pid: 100 }, seconds(7))).toThrow(DataNotFoundError);
  });
});

describe("vectors of Tracee's store", () => {
  // Its ids 100, 200 and 300 are pids here. It keeps the name of now, so all are asked about one time.
  const seen = (pid: number, ppid: number, nsPid: number, comm: string) =>
    observe(1, pid, 0, { ppid, nsPid, comm, startIsTick: false });
  const source = sourceOf([seen(1, 0, 1, 'init'), seen(1000, 1, 1, 'bash'), seen(2000, 1000, 100, 'python')]);
  const time = seconds(2);
  const ancestry = (pid: number, maxDepth: number) =>
    source.getAncestry({ pid }, time, maxDepth).map(({ info }) => [info.comm, info.nsPid, info.ppid]);

  test('the ancestry of a process begins with itself and ends with init', () => {
    expect(ancestry(2000, 5)).toEqual([
      ['python', 100, 1000],
      ['bash', 1, 1],
      ['init', 1, 0],
    ]);
  });

  test('the depth of an ancestry counts the process itself, that of a lineage key does not', () => {
    expect([5, 3, 2, 1, 0, -1].map((depth) => ancestry(2000, depth).length)).toEqual([3, 3, 2, 1, 0, 0]);
    expect(ancestry(2000, 1)).toEqual([['python', 100, 1000]]);
    const depths = [2, 1, 0].map((depth) => lineageAt(source, { pid: 2000 }, 2, depth));
    expect(depths.map(({ ancestors, end }) => [ancestors.length, end])).toEqual([
      [3, 'root'],
      [2, 'depth'],
      [1, 'depth'],
    ]);
  });

  test('what is not known has no ancestry, no children and no threads, and is not found', () => {
    const unknown: TaskRef[] = [{ pid: 999 }, { entityId: 999_999 as EntityId }];
    for (const ref of unknown) {
      expect(source.getAncestry(ref, time, 5)).toEqual([]);
      expect(source.getChildren(ref, time)).toEqual([]);
      expect(source.getThreads(ref, time)).toEqual([]);
      expect(() => processAt(source, ref, time)).toThrow(DataNotFoundError);
      expect(() => source.get({ kind: 'ThreadKey', task: ref, time })).toThrow(DataNotFoundError);
      expect(() => lineageAt(source, ref, 2)).toThrow(DataNotFoundError);
    }
  });

  test('a process that is known, but was not there yet, is not known at that time', () => {
    const later = sourceOf([INIT, forkOf(5, 20, 1)]);
    expect(later.getAncestry({ pid: 20 }, seconds(4), 5)).toEqual([]);
    expect(later.getChildren({ pid: 20 }, seconds(4))).toEqual([]);
  });

  test('the time of an exit is known from then on, and of a living process there is none', () => {
    const ended = sourceOf([INIT, forkOf(1, 20, 1), exitOf(5, 20)]);
    const exitTimes = [4, 5, 9].map((at) => processAt(ended, { pid: 20 }, seconds(at)).info.exitTime);
    expect(exitTimes).toEqual([undefined, seconds(5), seconds(5)]);
  });

  // Its changelogs hold three values and move the begin of one that repeats. Here each is a rename at that second.
  test.each([
    ['shift', ['initial@0', 'updated@1', 'final@2'], ['initial', 'updated', 'final', 'final']],
    ['same value', ['initial@0', 'initial@1', 'second@2'], ['initial', 'initial', 'second', 'second']],
    ['older insert', ['first@0', 'second@2', 'third@3', 'older@1'], ['first', 'older', 'second', 'third']],
    ['dedupe', ['same@0', 'same@1', 'new@2', 'other@3'], ['same', 'same', 'new', 'other']],
    ['oldest last', ['second@1', 'third@2', 'first@0'], ['first', 'second', 'third', 'third']],
  ])('[AS1] [FA3] changelog "%s": each value holds from its time on', (_, names, expected) => {
    const renames = names.map((name) => rename(10 + Number(name.slice(-1)), 20, name.slice(0, -2)));
    const host = hostOf([INIT, forkOf(1, 20, 1), ...renames]);
    expect([0, 1, 2, 3].map((at) => infoAt(host, 20, 10 + at).comm)).toEqual(expected);
  });
});

describe('a process is answered', () => {
  test('with everything that is known of it, and nothing else', () => {
    const executable = { path: '/bin/a', device: 1, inode: '2', ctime: '3', mode: 0o100755, hash: 'sha256' };
    const interpreter = { path: '/lib/ld.so', device: 1, inode: '4', ctime: '5', mode: undefined, hash: undefined };
    const host = hostOf([
      observe(0, 1, -100, { comm: 'init', nsTid: 1, nsPid: 1 }),
      forkOf(1, 20, 1, { nsTid: 7, nsPid: 7 }),
      threadOf(2, 21, 20),
      execOf(3, 20, {
        comm: 'a',
        executable,
        argv: ['a', '1'],
        cwd: '/srv',
        interpreter,
        interp: '/bin/sh',
        uid: 1000,
        container: 'c1',
      }),
      credentials(3.5, 20, { gid: 100 }),
      observe(4, 20, 1, { pidNs: 42 }),
      threadOf(5, 22, 20),
      forkOf(6, 30, 22),
      exitOf(9, 20, { code: 3 }),
    ]);
    const { entityId, parentEntityId } = infoAt(host, 20, 7);
    expect(allOf(infoAt(host, 20, 7))).toEqual({
      taskId: 2,
      entityId,
      pid: 20,
      nsTid: 7,
      nsPid: 7,
      pidNs: 42,
      ppid: 1,
      nsPpid: 1,
      parentTaskId: 1,
      parentEntityId,
      parentSince: seconds(1),
      parentSource: 'event',
      comm: 'a',
      cmd: ['a', '1'],
      executionBinary: executable,
      interpreter,
      interp: '/bin/sh',
      cwd: '/srv',
      containerId: 'c1',
      uid: 1000,
      gid: 100,
      startTime: seconds(1),
      execTime: seconds(3),
      exitTime: undefined,
      exitCode: undefined,
      signal: undefined,
      isAlive: true,
      isPlaceholder: false,
      isEvicted: false,
      trimmed: [],
      source: 'event',
      threadIds: [
        { tid: 20, taskId: 2, entityId },
        { tid: 22, taskId: 4, entityId: expect.any(Number) },
      ],
      childProcessIds: [{ tid: 30, taskId: 5, entityId: expect.any(Number) }],
    });
    expect(infoAt(host, 20, 9)).toMatchObject({ exitTime: seconds(9), exitCode: 3, isAlive: true });
    const [, thread] = new ProcessTreeDataSource(host).getThreads({ pid: 20 }, seconds(7));
    expect(thread).toEqual({
      timestamp: seconds(7),
      info: {
        taskId: 4,
        entityId: expect.any(Number),
        tid: 22,
        nsTid: undefined,
        nsPid: undefined,
        pidNs: undefined,
        pid: 20,
        processTaskId: 2,
        processEntityId: entityId,
        name: 'a',
        uid: 1000,
        gid: 100,
        startTime: seconds(5),
        exitTime: undefined,
        exitCode: undefined,
        signal: undefined,
        isAlive: true,
        isPlaceholder: false,
        trimmed: [],
      },
    });
  });

  test('[PA1] [PA2] with who its parent is, since when, and how that is known', () => {
    const host = hostOf([INIT, forkOf(1, 15, 1), forkOf(2, 20, 15), forkOf(3, 30, 20), exitOf(5, 20)]);
    const parentAt = (at: number) => {
      const { ppid, parentSince, parentSource } = infoAt(host, 30, at);
      return [ppid, parentSince, parentSource];
    };
    expect([3, 4.9].map(parentAt)).toEqual([
      [20, seconds(3), 'event'],
      [20, seconds(3), 'event'],
    ]);
    expect([5, 8].map(parentAt)).toEqual([
      [1, seconds(5), 'inferred'],
      [1, seconds(5), 'inferred'],
    ]);
    host.apply(observe(8, 30, 3, { ppid: 15 })); // a subreaper
    expect([4.9, 5, 9].map(parentAt)).toEqual([
      [20, seconds(3), 'event'],
      [15, seconds(5), 'sighting'],
      [15, seconds(5), 'sighting'],
    ]);
    host.apply(reparent(11, 30, 1));
    expect(parentAt(12)).toEqual([1, seconds(11), 'event']);
    // Of one whose birth nobody told, the parent that was seen is so from its start on.
    host.apply(observe(12, 40, 2, { ppid: 15 }));
    const { ppid, parentSince, parentSource } = infoAt(host, 40, 13);
    expect([ppid, parentSince, parentSource]).toEqual([15, seconds(2), 'sighting']);
  });

  test('as it was, even when the answer is read after the tree has taken in more', () => {
    const events: TaskEvent[] = [INIT, forkOf(1, 15, 1), forkOf(1, 20, 15), execOf(2, 20, { comm: 'a', argv: ['a'] })];
    const host = hostOf([...events, forkOf(3, 30, 20)], { maxProcesses: 6 });
    const source = new ProcessTreeDataSource(host);
    const answers = [
      processAt(source, { pid: 30 }, seconds(9)),
      ...lineageAt(source, { pid: 30 }, 9).ancestors,
      ...source.getThreads({ pid: 30 }, seconds(9)),
    ];
    const before = structuredClone(answers);
    const more: TaskEvent[] = [
      observe(4, 20, 1, { cwd: '/srv', nsTid: 7, nsPid: 7, uid: 5 }),
      rename(5, 30, 'renamed'),
      execOf(6, 30, { comm: 'b', argv: ['b'], executable: { path: '/b' } }),
      reparent(7, 30, 15),
      exitOf(8, 30, { code: 1 }),
      exitOf(8, 20),
    ];
    for (const event of more) host.apply(event);
    expect(answers).toEqual(before);
    for (let pid = 100; pid < 120; pid++) host.apply(forkOf(pid, pid, 1));
    host.commit();
    expect(answers).toEqual(before);
    expect(() => processAt(source, { pid: 30 }, seconds(9))).toThrow(DataNotFoundError);
  });
});

test('[FA6] what is no longer kept reads as not known, and the answer says so', () => {
  const execs = [1, 2, 3].map((at) => exec(at, 100, 0, `run-${at}`));
  const events = [fork(0, 100, 1, 0), ...execs, fork(4, 200, 100, 0), forkOf(1.4, 101, 100, { pid: 100 })];
  const source = sourceOf(events, { entriesPerField: 2 });
  const infoAt = (pid: number, at: number) => processAt(source, { pid }, seconds(at)).info;
  expect(infoAt(100, 2.5)).toMatchObject({ comm: 'run-2', trimmed: [] });
  expect(infoAt(100, 1.5)).toMatchObject({ comm: undefined, trimmed: expect.arrayContaining(['comm', 'argv']) });
  expect(infoAt(200, 4)).toMatchObject({ comm: 'run-3', trimmed: [] });
  const [, thread] = source.getThreads({ pid: 100 }, seconds(1.5));
  expect(thread?.info).toMatchObject({ tid: 101, name: undefined, trimmed: expect.arrayContaining(['comm', 'argv']) });
});

describe('a lineage', () => {
  test('[LI1] takes each parent at the start of its child, with that as its timestamp', () => {
    const host = hostOf([
      INIT,
      forkOf(1, 10, 1),
      forkOf(2, 20, 10),
      forkOf(3, 30, 20),
      rename(4, 20, 'later'),
      reparent(5, 30, 10),
      reparent(6, 20, 1),
    ]);
    const source = new ProcessTreeDataSource(host);
    const lineage = (at: number) =>
      lineageAt(source, { pid: 30 }, at).ancestors.map(({ timestamp, info }) => [info.pid, timestamp, info.ppid]);
    expect(lineage(9)).toEqual([
      [30, seconds(9), 10], // its parent at the time of the key
      [20, seconds(3), 10], // its parent at its start
      [10, seconds(2), 1],
      [1, seconds(1), 0],
    ]);
    expect(lineage(3)).toEqual([
      [30, seconds(3), 20],
      [20, seconds(3), 10],
      [10, seconds(2), 1],
      [1, seconds(1), 0],
    ]);
    expect(lineageAt(source, { pid: 30 }, 9).ancestors[1]?.info.comm).toBe('init');
  });

  test('[LI1] is one of answers that each can be asked for by itself', () => {
    const events: TaskEvent[] = [INIT, exec(1, 100, 0, 'bash'), fork(5, 200, 100, 0), exec(6, 200, 5, 'ls')];
    const host = hostOf([...events, forkOf(7, 300, 200, { nsTid: 3, nsPid: 3 }), forkOf(8, 301, 200), exitOf(9, 200)]);
    const source = new ProcessTreeDataSource(host);
    for (const at of [7, 8, 9, 12]) {
      const { ancestors } = lineageAt(source, { pid: 300 }, at);
      expect(ancestors.map(({ info }) => info.pid)).toEqual([300, 200, 100]);
      for (const { timestamp, info } of ancestors) {
        const again = processAt(source, { taskId: info.taskId }, timestamp);
        expect(again.timestamp).toBe(timestamp);
        expect(allOf(again.info)).toEqual(allOf(info));
        expect(tids(info.threadIds)).toContain(info.pid);
      }
    }
  });

  describe('[LI2] says why it ends:', () => {
    const endOf = (events: readonly TaskEvent[], at = 9, options?: ProcessTreeOptions) =>
      lineageAt(sourceOf(events, options), { pid: 30 }, at).end;

    test('root, where it reaches init or the parent of the kernel threads', () => {
      expect(endOf([INIT, forkOf(3, 30, 1)])).toBe('root');
      const kthreadd = observe(0, 2, -100, { comm: 'kthreadd', isKernelThread: true });
      expect(endOf([INIT, kthreadd, observe(1, 30, -99, { ppid: 2, isKernelThread: true })])).toBe('root');
      expect(endOf([forkOf(3, 30, 1)])).toBe('root'); // whoever init was, it had no parent
    });

    test('root, where somebody said that it has no parent', () => {
      expect(endOf([forkOf(3, 30, 20), reparent(2, 20, 0)])).toBe('root');
      expect(endOf([forkOf(3, 30, 20), reparent(5, 20, 0)])).toBe('unknown'); // that was later
    });

    test('unknown, where nobody said who the parent is', () => {
      expect(endOf([forkOf(3, 30, 20)])).toBe('unknown');
      expect(endOf([rename(3, 30, 'x')])).toBe('unknown');
      expect(endOf([rename(3, 20, 'x'), forkOf(4, 30, 20), forkOf(5, 40, 20)])).toBe('unknown');
    });

    test('depth, where there are more', () => {
      const source = sourceOf([INIT, forkOf(2, 20, 1), forkOf(3, 30, 20)]);
      const ends = [0, 1, 2, 3].map((depth) => lineageAt(source, { pid: 30 }, 9, depth).end);
      expect(ends).toEqual(['depth', 'depth', 'root', 'root']);
    });

    test('trimmed, where it is no longer kept who the parent was then', () => {
      const moves = [4, 5, 6].map((at) => reparent(at, 30, at));
      const options = { entriesPerField: 2 };
      expect(endOf([INIT, forkOf(3, 30, 20), ...moves], 9, options)).toBe('trimmed');
      const source = sourceOf([INIT, forkOf(3, 30, 20), ...moves], options);
      const parentAt = (at: number) => processAt(source, { pid: 30 }, seconds(at)).info;
      expect(parentAt(6)).toMatchObject({ ppid: 6, trimmed: [] });
      expect(parentAt(3)).toMatchObject({ ppid: 0, trimmed: ['parent'] });
    });

    test('evicted, where what is above has left memory (as bounds.test.ts shows of a chain of daemons)', () => {
      expect(endOf([fork(5, 20, 10, 0), fork(6, 30, 20, 5)], 9, { maxProcesses: 2 })).toBe('evicted');
    });
  });
});

describe('the data source', () => {
  const source = sourceOf([execP, forkC, execC, exitC]);

  test('says what it is and what it answers', () => {
    expect([source.namespace, source.id, source.version()]).toEqual(['dendro', 'process_tree', 1]);
    expect(source.keys()).toEqual(['ProcKey', 'ThreadKey', 'LineageKey']);
    expect(Object.keys(JSON.parse(source.schema()))).toEqual(['process_info', 'thread_info', 'process_lineage']);
  });

  test('every answer carries the time that it was asked about', () => {
    const time = seconds(6.5);
    const task = { pid: 200 };
    expect(source.get({ kind: 'ProcKey', task, time }).process_info.timestamp).toBe(time);
    expect(source.get({ kind: 'ThreadKey', task, time }).thread_info.timestamp).toBe(time);
    const lineage: LineageKey = { kind: 'LineageKey', task, time, maxDepth: 3 };
    expect(source.get(lineage).process_lineage.timestamp).toBe(time);
    for (const { timestamp } of source.getChildren({ pid: 100 }, time)) expect(timestamp).toBe(time);
  });

  test('errors have types', () => {
    const time = seconds(6);
    expect(() => source.get({ kind: 'ProcKey', task: { pid: 4711 }, time })).toThrow(DataNotFoundError);
    expect(() => source.get({ kind: 'ThreadKey', task: { entityId: 1 as EntityId }, time })).toThrow(DataNotFoundError);
    expect(() => source.get({ kind: 'FileKey', task: { pid: 1 }, time } as unknown as TreeKey)).toThrow(
      KeyNotSupportedError,
    );
    const twins = sourceOf([fork(5, 200, 100, 0), exit(5.01, 200, 200, 5, true), fork(5.02, 200, 100, 0)]);
    const both = { entityId: C };
    expect(() => twins.get({ kind: 'ProcKey', task: both, time })).toThrow(AmbiguousTaskError);
    expect(() => twins.getChildren(both, time)).toThrow(AmbiguousTaskError);
    expect(() => twins.getThreads(both, time)).toThrow(AmbiguousTaskError);
    expect(() => twins.getAncestry(both, time, 5)).toThrow(AmbiguousTaskError);
  });

  test('a chain of 50,000 and 100,000 siblings are answered without recursion', () => {
    const host = new ProcessTree({ maxProcesses: 200_000 });
    for (let i = 1; i <= 50_000; i++) host.apply(fork(i, 1000 + i, 999 + i, i - 1));
    for (let i = 0; i < 100_000; i++) host.apply(fork(60_000 + i / 1000, 100_000 + i, 1000, 0));
    const wide = new ProcessTreeDataSource(host);
    expect(lineageAt(wide, { pid: 51_000 }, 60_000, 1e6).ancestors).toHaveLength(50_001);
    expect(wide.getChildren({ pid: 1000 }, seconds(61_000))).toHaveLength(100_001);
  });
});
