// What leaves memory, and what stays of it.

import { TASK_FLAG, type TaskEvent } from '@dendro/protocol';
import { describe, expect, test } from 'vitest';
import { ProcessTreeDataSource } from './data-source.ts';
import type { TaskIndex } from './ids.ts';
import type { ProcessTree } from './process-tree.ts';
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
  rename,
  seconds,
  thread,
} from './test-events.ts';

const MAX_STUBS = 4096;

function lineageOf(host: ProcessTree, pid: number, at: number) {
  const key = { kind: 'LineageKey', task: { pid }, time: seconds(at), maxDepth: 100_000 } as const;
  const { ancestors, end } = new ProcessTreeDataSource(host).get(key).process_lineage.info;
  return { pids: ancestors.map(({ info }) => info.pid), infos: ancestors.map(({ info }) => info), end };
}

describe('[BO1] asking', () => {
  // Living ones of processes and of threads have to go, and ended ones of both.
  const events: TaskEvent[] = [INIT];
  for (let pid = 100; pid < 140; pid++) {
    events.push(fork(pid, pid, pid % 3 === 0 || pid === 100 ? 1 : pid - 1));
    events.push(thread(pid + 0.1, 1000 + pid, pid), thread(pid + 0.2, 2000 + pid, pid));
    if (pid % 4 === 0) events.push(exit(pid + 0.3, 1000 + pid, { pid, isGroupDead: false }));
    if (pid % 5 === 0) events.push(exit(pid + 0.4, pid - 3));
  }
  const options = { maxProcesses: 12, maxThreads: 9 };

  function askEverything(host: ProcessTree): void {
    const source = new ProcessTreeDataSource(host);
    const time = host.newest;
    for (let slot = 0; slot < host.tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!host.tree.isPresent(task)) continue;
      const taskId = host.tree.taskIdOf(task);
      // Old ones are asked for more often than new ones, in every way there is.
      for (let times = slot < 20 ? 3 : 1; times > 0; times--) {
        allOf(source.get({ kind: 'ProcKey', task: { taskId }, time }).process_info.info);
        source.get({ kind: 'ThreadKey', task: { taskId }, time });
        source.get({ kind: 'LineageKey', task: { taskId }, time, maxDepth: 9 });
        source.getAncestry({ pid: host.tree.pidOf(task) }, time, 9);
        source.getChildren({ taskId }, time);
        source.getThreads({ taskId }, time);
      }
    }
  }

  test('changes nothing about what stays in memory', () => {
    const [asked, left] = [hostOf([], options), hostOf([], options)];
    for (const event of events) {
      asked.apply(event);
      left.apply(event);
      askEverything(asked);
      expect(asked.counts).toEqual(left.counts);
    }
    expect(left.counts.evictedProcesses).toBeGreaterThan(20);
    expect(left.counts.evictedThreads).toBeGreaterThan(20);
    const times = [100, 120, 139, 141];
    expect(everythingOf(asked, times)).toEqual(everythingOf(left, times));
    expect(asked.commit()).toEqual(left.commit());
  });
});

describe('[BO3] an evicted process', () => {
  // 20 has everything, 30 nothing of its own: what 40 reads through it is that of 20.
  const grandparent = [
    fork(1, 20, 1),
    exec(2, 20, {
      comm: 'gp',
      executable: { path: '/bin/gp' },
      argv: ['gp', '1'],
      cwd: '/srv',
      interpreter: { path: '/lib/ld.so' },
      interp: '/bin/gp',
      uid: 7,
      container: 'c1',
    }),
    credentials(2.5, 20, { gid: 8 }),
  ];
  const chain = [INIT, ...grandparent, fork(3, 30, 20), fork(4, 40, 30)];
  const inherited = {
    comm: 'gp',
    executionBinary: { path: '/bin/gp' },
    cmd: ['gp', '1'],
    cwd: '/srv',
    interpreter: { path: '/lib/ld.so' },
    interp: '/bin/gp',
    uid: 7,
    gid: 8,
    containerId: 'c1',
  };

  test('of which another descends leaves what that one reads through it, though it had nothing of its own', () => {
    const host = hostOf([...chain, exit(5, 30), fork(6, 50, 1)], { maxProcesses: 4 });
    expect(livesOf(host, 30)).toEqual([]);
    expect(infoAt(host, 40, 6)).toMatchObject(inherited);
    // Its creator may go as well: what was read through both stays.
    for (const event of [exit(7, 20), fork(8, 51, 1)]) host.apply(event);
    expect([livesOf(host, 20), livesOf(host, 30)]).toEqual([[], []]);
    expect(infoAt(host, 40, 8)).toMatchObject(inherited);
  });

  test('reads as before, is marked, is not present, and takes in nothing', () => {
    const host = hostOf([...chain, exit(5, 30)], { maxProcesses: 4 });
    const before = lineageOf(host, 40, 9).infos[1]!;
    host.apply(fork(6, 50, 1));
    const { pids, infos, end } = lineageOf(host, 40, 9);
    expect([pids, end]).toEqual([[40, 30, 20, 1], 'root']);
    expect(infos.map((info) => info.isEvicted)).toEqual([false, true, false, false]);
    expect({ ...infos[1] }).toEqual({ ...before, isEvicted: true });
    const stub = host.tree.indexOf(before.taskId);
    expect([host.tree.isPresent(stub), host.tree.isStub(stub)]).toEqual([false, true]);
    host.apply({ ...rename(3.5, 30, 'late'), start: seconds(3) });
    expect(lineageOf(host, 40, 9).infos[1]?.comm).toBe('gp');
  });

  test('that nobody descends from leaves nothing', () => {
    const host = hostOf([...chain, exit(5, 40), fork(6, 50, 1)], { maxProcesses: 4 });
    expect([livesOf(host, 40), host.tree.stubCount]).toEqual([[], 0]);
  });
});

describe('[BO4] stubs', () => {
  /** A daemon that forks the next one and ends, and so on: each needs the one before it for what it has inherited. */
  function chainOf(daemons: number): ProcessTree {
    const host = hostOf([INIT, fork(1, 2, 1), rename(1.5, 2, 'ancestor'), credentials(1.6, 2, { uid: 7 })], {
      maxProcesses: 4,
    });
    for (let n = 1; n < daemons; n++) {
      host.apply(fork(1 + n, 2 + n, 1 + n));
      host.apply(exit(1.5 + n, 1 + n));
    }
    return host;
  }
  const inherited = (host: ProcessTree, daemons: number) => {
    const { comm, uid } = infoAt(host, 1 + daemons, daemons + 2);
    return [comm, uid];
  };

  test('keep the way up while there are no more than 4,096', () => {
    const host = chainOf(4000);
    expect(host.tree.stubCount).toBeGreaterThan(3900);
    expect(lineageOf(host, 4001, 4002)).toMatchObject({ pids: { length: 4001 }, end: 'root' });
    expect(inherited(host, 4000)).toEqual(['ancestor', 7]);
  });

  test('are never more, and one that would be too many ends the lineage, which says so, but no inherited value', () => {
    let most = 0;
    for (const daemons of [4096, 4100, 4200, 9000]) {
      const host = chainOf(daemons);
      most = Math.max(most, host.tree.stubCount);
      expect(inherited(host, daemons)).toEqual(['ancestor', 7]);
      const { pids, infos, end } = lineageOf(host, 1 + daemons, daemons + 2);
      expect(end).toBe(daemons === 4096 ? 'root' : 'evicted');
      expect(infos.at(-1)?.isEvicted).toBe(end === 'evicted');
      expect(pids.length).toBeGreaterThanOrEqual(3);
    }
    expect(most).toBeLessThanOrEqual(MAX_STUBS);
  });

  test('hold no slots when nobody descends from them any more', () => {
    const host = chainOf(3000);
    for (let pid = 3001; pid > 2995; pid--) host.apply(exit(4000, pid));
    for (let pid = 5000; pid < 5010; pid++) host.apply(fork(pid, pid, 1));
    expect(host.tree.stubCount).toBe(0);
  });
});

describe('[BO5] what is evicted', () => {
  test('is counted, processes and threads', () => {
    const events = [INIT, fork(1, 20, 1), thread(1.1, 21, 20), thread(1.2, 22, 20), exit(2, 20), fork(3, 30, 1)];
    const host = hostOf(events, { maxProcesses: 2 });
    expect(host.counts).toMatchObject({ evictedProcesses: 1, evictedThreads: 2, tasks: 2 });
    for (const event of [thread(4, 31, 30), thread(5, 32, 30), thread(6, 33, 30)]) host.apply(event);
    expect(host.counts).toMatchObject({ evictedProcesses: 1, evictedThreads: 2, tasks: 5 });
    const few = hostOf([INIT, fork(1, 20, 1), ...[2, 3, 4].map((at) => thread(at, 20 + at, 20))], { maxThreads: 1 });
    expect(few.counts).toMatchObject({ evictedProcesses: 0, evictedThreads: 2, tasks: 3 });
  });

  test('while it lived is a new placeholder when it is mentioned again', () => {
    const host = hostOf([fork(1, 20, 10), fork(2, 30, 10), fork(3, 40, 10)], { maxProcesses: 3 });
    expect(livesOf(host, 20)).toEqual([]);
    host.apply(rename(5, 20, 'again'));
    const again = livesOf(host, 20);
    expect(again).toHaveLength(1);
    expect(host.tree.flagsOf(again[0]!)).toBe(TASK_FLAG.placeholder | TASK_FLAG.startIsUnknown);
    expect(host.tree.startOf(again[0]!)).toBe(seconds(5));
    expect(host.tree.taskIdOf(again[0]!)).toBeGreaterThan(4);
    // Whoever looks makes it known.
    host.apply(observe(6, 20, 1, { comm: 'seen' }));
    expect(infoAt(host, 20, 6)).toMatchObject({
      isPlaceholder: false,
      comm: 'seen',
      taskId: host.tree.taskIdOf(again[0]!),
    });
  });
});

// The stub of a thread left the list with the one that it had created, and whoever stood behind it stayed.
test('[BO2] a process takes all of its threads along, the evicted ones between them too', () => {
  const threads = [thread(2, 11, 10), thread(3, 12, 10), thread(4, 13, 12)];
  const ended = exit(5, 12, { pid: 10, isGroupDead: false });
  const others = [fork(6, 20, 1), thread(7, 21, 20)]; // one thread too many: 12 goes
  const host = hostOf([INIT, fork(1, 10, 1), ...threads, ended, ...others, exit(8, 10), fork(9, 30, 20)], {
    maxProcesses: 3,
    maxThreads: 3,
  });
  expect([10, 11, 12, 13].map((tid) => livesOf(host, tid))).toEqual([[], [], [], []]);
  expect(host.counts).toMatchObject({ evictedProcesses: 1, evictedThreads: 3, stubs: 0 });
});

test('[ID6] the lives of one tid, told of long after they began, do not cost ever more', () => {
  const host = hostOf([]);
  const lives = 100_000;
  for (let nth = 1; nth <= lives; nth++) {
    const start = seconds(nth);
    host.apply({ type: 'fork', at: seconds(lives + nth), tid: 100, pid: 100, creatorTid: 1, creatorPid: 1, start });
  }
  expect(host.counts.evictedProcesses).toBeGreaterThan(lives / 2);
});
