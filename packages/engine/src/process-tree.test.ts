import { AUTHORITY, CLONE, type EventNs, type ObserveEvent, TASK_FLAG, type TaskEvent } from '@dendro/protocol';
import { describe, expect, test } from 'vitest';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { ProcessTree, type ProcessTreeOptions } from './process-tree.ts';

const at = (ns: number) => ns as EventNs;
const MS = 1_000_000;
const TICK = 10 * MS;

function treeOf(events: readonly TaskEvent[], options?: ProcessTreeOptions): ProcessTree {
  const host = new ProcessTree(options);
  host.apply({ type: 'clock', epochNs: 1_700_000_000_000_000_000n });
  for (const event of events) host.apply(event);
  return host;
}

const fork = (time: number, tid: number, creatorTid: number, cloneFlags = 0): TaskEvent => ({
  type: 'fork',
  at: at(time),
  tid,
  creatorTid,
  cloneFlags,
});
const thread = (time: number, tid: number, creatorTid: number): TaskEvent => fork(time, tid, creatorTid, CLONE.thread);
const exit = (time: number, tid: number, isGroupDead?: boolean, code?: number): TaskEvent => ({
  type: 'exit',
  at: at(time),
  tid,
  isGroupDead,
  code,
});
const rename = (time: number, tid: number, comm: string): TaskEvent => ({ type: 'rename', at: at(time), tid, comm });
const exec = (time: number, pid: number, filename: string, oldTid = pid): TaskEvent => ({
  type: 'exec',
  at: at(time),
  pid,
  oldTid,
  filename,
});
const observe = (time: number, pid: number, ppid: number, start: number, more: object = {}): ObserveEvent => ({
  type: 'observe',
  at: at(time),
  tid: pid,
  pid,
  ppid,
  start: at(start),
  startIsTick: true,
  ...more,
});

/** The lives that a tid has had, oldest first. */
function livesOf({ tree }: ProcessTree, tid: number): TaskIndex[] {
  const lives: TaskIndex[] = [];
  for (let slot = 0; slot < tree.slotCount; slot++) {
    if (tree.isPresent(slot as TaskIndex) && tree.tidOf(slot as TaskIndex) === tid) lives.push(slot as TaskIndex);
  }
  return lives.sort((a, b) => tree.startOf(a) - tree.startOf(b));
}

function only(host: ProcessTree, tid: number): TaskIndex {
  const lives = livesOf(host, tid);
  expect(lives).toHaveLength(1);
  return lives[0]!;
}

const INIT = observe(0, 1, 0, -1_000 * TICK, { comm: 'init' });

describe('births', () => {
  test('[FO1] [AS3] a child has its creator as parent and reads its name through it', () => {
    const host = treeOf([INIT, fork(10, 20, 1)]);
    const child = only(host, 20);
    expect(host.tree.parentAt(child, at(10))).toBe(only(host, 1));
    expect(host.tree.textAt(child, 'comm', at(10))).toBe('init');
    expect(host.tree.flagsOf(child)).toBe(0);
  });

  test('[AS3] a later name of the creator is not the name of children born before', () => {
    const host = treeOf([INIT, fork(10, 20, 1), rename(20, 1, 'renamed'), fork(30, 21, 1)]);
    expect(host.tree.textAt(only(host, 20), 'comm', at(100))).toBe('init');
    expect(host.tree.textAt(only(host, 21), 'comm', at(100))).toBe('renamed');
  });

  test('[FO1] a child of a thread has the process of the thread as parent', () => {
    const host = treeOf([INIT, fork(10, 20, 1), thread(20, 21, 20), fork(30, 30, 21)]);
    const child = only(host, 30);
    expect(host.tree.parentAt(child, at(30))).toBe(only(host, 20));
    expect(host.tree.creatorOf(child)).toBe(only(host, 21));
  });

  test('[FO2] CLONE_PARENT makes a sibling of the creator', () => {
    const host = treeOf([INIT, fork(10, 20, 1), fork(20, 30, 20, CLONE.parent)]);
    expect(host.tree.parentAt(only(host, 30), at(20))).toBe(only(host, 1));
    expect(host.tree.creatorOf(only(host, 30))).toBe(only(host, 20));
  });

  test('[FO3] a thread of a thread belongs to the same process', () => {
    const host = treeOf([INIT, fork(10, 20, 1), thread(20, 21, 20), thread(30, 22, 21)]);
    expect(host.tree.leaderOf(only(host, 22))).toBe(only(host, 20));
    expect(host.counts).toMatchObject({ processes: 2, threads: 4 });
  });

  test('[ID3] a fork by a task that nobody announced leaves a placeholder, marked as such', () => {
    const host = treeOf([fork(10, 20, 7)]);
    expect(host.tree.flagsOf(only(host, 7))).toBe(TASK_FLAG.placeholder | TASK_FLAG.startIsUnknown);
    const seen = treeOf([fork(10, 20, 7), observe(50, 7, 1, -5 * TICK, { comm: 'sshd' })]);
    expect(seen.tree.flagsOf(only(seen, 7))).toBe(TASK_FLAG.startIsTick);
    expect(seen.tree.textAt(only(seen, 20), 'comm', at(10))).toBe('sshd');
  });
});

describe('pid reuse', () => {
  test('[ID5] a birth under a living tid ends the life that had it', () => {
    const host = treeOf([
      INIT,
      fork(10 * MS, 20, 1),
      rename(15 * MS, 20, 'old'),
      fork(50 * MS, 20, 1),
      rename(55 * MS, 20, 'new'),
    ]);
    const [old, young] = livesOf(host, 20);
    expect(host.tree.exitOf(old!)).toBe(50 * MS);
    expect(host.tree.textAt(old!, 'comm', at(60 * MS))).toBe('old');
    expect(host.tree.textAt(young!, 'comm', at(60 * MS))).toBe('new');
  });

  test('[ID6] a late birth takes its place before the life that followed it', () => {
    const host = treeOf([INIT, fork(50 * MS, 20, 1), fork(10 * MS, 20, 1)]);
    const [old, young] = livesOf(host, 20);
    expect([host.tree.startOf(old!), host.tree.exitOf(old!)]).toEqual([10 * MS, 50 * MS]);
    expect([host.tree.startOf(young!), host.tree.exitOf(young!)]).toEqual([50 * MS, Number.POSITIVE_INFINITY]);
  });

  test('[ID4] a late event goes to the life of its time', () => {
    const host = treeOf([
      INIT,
      fork(10 * MS, 20, 1),
      exit(20 * MS, 20, true),
      fork(50 * MS, 20, 1),
      rename(15 * MS, 20, 'first'),
    ]);
    const [old, young] = livesOf(host, 20);
    expect(host.tree.textAt(old!, 'comm', at(20 * MS))).toBe('first');
    expect(host.tree.textAt(young!, 'comm', at(60 * MS))).toBe('init');
  });
});

describe('repetition', () => {
  test('[FA1] the same events again change nothing and make no new version', () => {
    const events = [
      INIT,
      fork(10, 20, 1),
      thread(20, 21, 20),
      exec(30, 20, '/bin/x'),
      rename(31, 20, 'x'),
      exit(40, 20, true, 3),
    ];
    const host = treeOf(events);
    host.commit();
    const { version } = host;
    for (const event of events) host.apply(event);
    expect(host.commit()).toBeUndefined();
    expect(host.version).toBe(version);
  });
});

describe('exec', () => {
  test('[EX3] an exec from a thread ends the other threads and keeps the process', () => {
    // As the kernel reports it: the leader's own thread exits first, the caller takes its tid.
    const host = treeOf([
      INIT,
      fork(10, 20, 1),
      thread(20, 21, 20),
      thread(21, 22, 20),
      exit(30, 21, false),
      exit(31, 20, false),
      rename(32, 20, 'new'),
      exec(33, 20, '/bin/new', 22),
      exit(90, 20, true, 0),
    ]);
    const process = only(host, 20);
    expect(host.tree.exitOf(only(host, 22))).toBe(33);
    expect(host.tree.isAliveAt(process, at(60))).toBe(true);
    expect(host.tree.exitOf(process)).toBe(90);
    expect(host.tree.executablePathAt(process, at(60))).toBe('/bin/new');
  });

  test('[EX2] after an exec the old arguments are not known to be the new ones', () => {
    const seen = observe(5, 20, 1, -TICK, { argv: ['sh', '-c', 'x'] });
    const host = treeOf([INIT, seen, exec(30, 20, '/bin/x')]);
    expect(host.tree.valueAt(only(host, 20), 'argv', at(29))).toEqual(['sh', '-c', 'x']);
    expect(host.tree.valueAt(only(host, 20), 'argv', at(30))).toBeUndefined();
  });

  test('[OB2] what /proc says after an exec holds since the exec', () => {
    const host = treeOf([
      INIT,
      fork(10, 20, 1),
      exec(30, 20, 'x'),
      observe(80, 20, 1, 0, { argv: ['x', '1'], executable: { path: '/bin/x' }, uid: 7 }),
    ]);
    const process = only(host, 20);
    expect(host.tree.valueAt(process, 'argv', at(30))).toEqual(['x', '1']);
    expect(host.tree.executablePathAt(process, at(30))).toBe('/bin/x');
    expect(host.tree.valueAt(process, 'argv', at(29))).toBeUndefined();
  });
});

describe('credentials', () => {
  test('[CR1] a change of user holds for the process from then on, and for children born after it', () => {
    const host = treeOf([
      INIT,
      observe(5, 20, 1, -TICK, { uid: 0, gid: 0 }),
      fork(10, 21, 20),
      { type: 'credentials', at: at(30), pid: 20, uid: 1000 },
      fork(40, 22, 20),
    ]);
    const [process, before, after] = [only(host, 20), only(host, 21), only(host, 22)];
    expect(host.tree.numberAt(process, 'uid', at(29))).toBe(0);
    expect(host.tree.numberAt(process, 'uid', at(30))).toBe(1000);
    expect(host.tree.numberAt(process, 'gid', at(30))).toBe(0);
    expect(host.tree.numberAt(before, 'uid', at(50))).toBe(0);
    expect(host.tree.numberAt(after, 'uid', at(50))).toBe(1000);
  });
});

describe('folders, and programs that are seen', () => {
  test('[CD1] a change of folder holds for the process from then on, whichever thread made it, and for children born after it', () => {
    const host = treeOf([
      INIT,
      fork(10, 20, 1),
      thread(11, 21, 20),
      { type: 'chdir', at: at(20), tid: 20, cwd: '/srv' },
      fork(30, 22, 20),
      { type: 'chdir', at: at(40), tid: 21, cwd: '/var' },
      { type: 'chdir', at: at(60), tid: 21, pid: 20, cwd: undefined },
      fork(70, 23, 20),
    ]);
    const [process, before, after] = [only(host, 20), only(host, 22), only(host, 23)];
    const folders = [19, 20, 39, 40, 59, 60].map((time) => host.tree.textAt(process, 'cwd', at(time)));
    expect(folders).toEqual([undefined, '/srv', '/srv', '/var', '/var', undefined]);
    expect(host.tree.textAt(before, 'cwd', at(80))).toBe('/srv');
    expect(host.tree.textAt(after, 'cwd', at(80))).toBeUndefined();
  });

  test('[OB2] a program that is seen in passing is that of the whole image, until an exec', () => {
    const host = treeOf([
      INIT,
      fork(10, 20, 1),
      { type: 'program-seen', at: at(20), pid: 20, executable: { path: '/bin/a' } },
      { type: 'exec', at: at(30), pid: 20, executable: { path: '/bin/b' } },
    ]);
    const process = only(host, 20);
    expect([10, 29, 30].map((time) => host.tree.executablePathAt(process, at(time)))).toEqual([
      '/bin/a',
      '/bin/a',
      '/bin/b',
    ]);
  });
});

describe('exits', () => {
  test('[EN2] [EN3] a leader that ends before its threads does not end the process, nor is its code that of the process', () => {
    const host = treeOf([INIT, fork(10, 20, 1), thread(20, 21, 20), exit(30, 20, false, 5), exit(60, 21, true, 7)]);
    const process = only(host, 20);
    expect(host.tree.exitOf(process)).toBe(60);
    expect(host.tree.exitCodeOf(process)).toBe(7);
  });

  test('[EN3] where the kernel does not say who was last, the last living thread is', () => {
    const host = treeOf([INIT, fork(10, 20, 1), thread(20, 21, 20), exit(30, 20), exit(60, 21, undefined, 7)]);
    expect(host.tree.exitOf(only(host, 20))).toBe(60);
    expect(host.tree.exitCodeOf(only(host, 20))).toBe(7);
  });

  test('[EN4] [PA1] the end of a process ends threads whose exit was not seen, and gives its children to init', () => {
    const host = treeOf([INIT, fork(10, 20, 1), thread(20, 21, 20), fork(25, 30, 20), exit(60, 20, true, 1)]);
    expect(host.tree.exitOf(only(host, 21))).toBe(60);
    const child = only(host, 30);
    expect(host.tree.parentAt(child, at(59))).toBe(only(host, 20));
    expect(host.tree.parentAt(child, at(60))).toBe(only(host, 1));
  });

  test('[PA2] a sighting of the new parent settles it at the time of the exit', () => {
    const host = treeOf([INIT, fork(5, 15, 1), fork(10, 20, 15), fork(25, 30, 20), exit(60, 20, true)]);
    host.apply(observe(90, 30, 15, 0));
    expect(host.tree.parentAt(only(host, 30), at(60))).toBe(only(host, 15));
    expect(host.tree.authorityAt(only(host, 30), 'parent', at(60))).toBe(AUTHORITY.sighting);
  });
});

describe('sightings', () => {
  test('[ID2] a task seen in /proc and born in an event is one task, whichever came first', () => {
    const born = fork(3 * TICK + 12, 20, 1);
    for (const tick of [3 * TICK, 2 * TICK + TICK / 2]) {
      const seen = observe(9 * TICK, 20, 1, tick, { comm: 'x' });
      for (const order of [
        [born, seen],
        [seen, born],
      ]) {
        const host = treeOf([INIT, ...order]);
        expect(host.tree.startOf(only(host, 20))).toBe(3 * TICK + 12);
      }
    }
  });

  test('[ID4] a task seen before the death of an earlier life of its tid is told apart', () => {
    // The scan has seen the second life; then come the events of the first one.
    const host = treeOf([
      INIT,
      observe(900, 20, 1, 50 * TICK),
      rename(10 * TICK, 20, 'first'),
      exit(20 * TICK, 20, true),
    ]);
    const [old, young] = livesOf(host, 20);
    expect(host.tree.exitOf(old!)).toBe(20 * TICK);
    expect(host.tree.exitOf(young!)).toBe(Number.POSITIVE_INFINITY);
  });

  test('[OB4] a whole scan ends what it did not see, and nothing younger than itself', () => {
    const host = treeOf([
      INIT,
      fork(10, 20, 1),
      thread(11, 21, 20),
      fork(12, 22, 1),
      observe(1000, 1, 0, -1_000 * TICK),
      observe(1001, 22, 1, 0),
      fork(1002, 23, 1),
      { type: 'scan', from: at(990), at: at(1010) },
    ]);
    expect(host.tree.exitOf(only(host, 20))).toBe(990);
    expect(host.tree.exitOf(only(host, 21))).toBe(990);
    // Nobody has said so.
    for (const tid of [20, 21]) expect(host.tree.exitAuthorityOf(only(host, tid))).toBe(AUTHORITY.inferred);
    expect(host.tree.exitOf(only(host, 22))).toBe(Number.POSITIVE_INFINITY);
    expect(host.tree.exitOf(only(host, 23))).toBe(Number.POSITIVE_INFINITY);
  });

  test('enrichment is asked for after an exec, newest first, and not for the dead', () => {
    const host = treeOf([INIT, fork(1, 20, 1), fork(2, 21, 1), fork(3, 22, 1)], { canEnrich: true });
    host.takeEnrichmentRequests(10);
    for (const event of [exec(5, 20, 'a'), exec(6, 21, 'b'), exec(7, 22, 'c'), exit(8, 21, true)]) host.apply(event);
    expect(host.takeEnrichmentRequests(10).map((request) => request.pid)).toEqual([22, 20]);
    expect(host.takeEnrichmentRequests(10)).toEqual([]);
  });

  test('a process that has been read since its exec is not asked about again, one that was read before it is', () => {
    const host = treeOf([INIT, fork(1, 20, 1), fork(2, 21, 1)], { canEnrich: true });
    host.takeEnrichmentRequests(10);
    for (const event of [exec(5, 20, 'a'), exec(9, 21, 'b')]) host.apply(event);
    expect(host.counts.enrichmentsWaiting).toBe(2);
    for (const pid of [20, 21]) host.apply({ ...observe(7, pid, 1, 0), uid: 0 });
    expect(host.takeEnrichmentRequests(10).map(({ pid, since }) => [pid, since])).toEqual([[21, 9]]);
  });

  test('a sighting is of a task in memory, or of none', () => {
    const host = treeOf([INIT, fork(1, 20, 1)]);
    expect(host.knows(observe(7, 20, 1, 0))).toBe(true);
    expect(host.knows(observe(7, 20, 1, 50 * TICK))).toBe(false);
    expect(host.knows(observe(7, 22, 1, 0))).toBe(false);
  });
});

describe('bounds', () => {
  test('[BO1] the dead that were touched longest ago leave first, and the living stay', () => {
    const events: TaskEvent[] = [INIT];
    for (let pid = 100; pid < 110; pid++) events.push(fork(pid, pid, 1));
    for (let pid = 100; pid < 105; pid++) events.push(exit(pid + 500, pid, true));
    for (let pid = 110; pid < 113; pid++) events.push(fork(pid + 600, pid, 1));
    const host = treeOf(events, { maxProcesses: 11 });
    expect([100, 101, 102].map((pid) => livesOf(host, pid).length)).toEqual([0, 0, 0]);
    expect([103, 104, 105, 112, 1].map((pid) => livesOf(host, pid).length)).toEqual([1, 1, 1, 1, 1]);
    expect(host.counts).toMatchObject({ evictedProcesses: 3, evictedThreads: 0, tasks: 11 });
  });

  test('[BO2] [BO3] an evicted process takes its threads along and leaves its children what they read through it', () => {
    const host = treeOf(
      [
        INIT,
        fork(1, 20, 1),
        rename(2, 20, 'parent'),
        thread(3, 21, 20),
        fork(4, 30, 20),
        exit(5, 20, true),
        fork(6, 31, 1),
      ],
      { maxProcesses: 3 },
    );
    expect(livesOf(host, 20)).toEqual([]);
    expect(livesOf(host, 21)).toEqual([]);
    const child = only(host, 30);
    expect(host.tree.textAt(child, 'comm', at(6))).toBe('parent');
    const stub = host.tree.parentAt(child, at(4));
    expect(stub).not.toBe(NO_TASK);
    expect([host.tree.isStub(stub), host.tree.pidOf(stub), host.tree.textAt(stub, 'comm', at(4))]).toEqual([
      true,
      20,
      'parent',
    ]);
  });

  test('[BO4] an endless chain of daemons that fork and end leaves a bounded number of stubs behind', () => {
    const host = treeOf([INIT], { maxProcesses: 10 });
    let creator = 1;
    for (let i = 0; i < 20_000; i++) {
      const pid = 100 + (i % 300);
      host.apply(fork(i * 10 * MS + 1, pid, creator));
      if (creator !== 1) host.apply(exit(i * 10 * MS + 2, creator, true));
      creator = pid;
      expect(host.counts.stubs).toBeLessThanOrEqual(4096);
    }
    expect(host.counts.tasks).toBeLessThanOrEqual(10);
    expect(host.tree.slotCount).toBeLessThan(4096 + 40);
    // The youngest still reads the name that it has from the eldest, and knows its nearest ancestors.
    expect(host.tree.textAt(only(host, creator), 'comm', at(1e15))).toBe('init');
  });
});

describe('[AS8] nobody is its own ancestor', () => {
  const reparent = (time: number, pid: number, parentPid: number): TaskEvent => ({
    type: 'reparent',
    at: at(time),
    pid,
    parentPid,
  });
  const chain = (length: number): TaskEvent[] => Array.from({ length }, (_, n) => fork(10 * (n + 1), 11 + n, 10 + n)); // 10 -> 11 -> 12 ...

  test.each([1, 2, 3, 500])('a parent that is the process itself or %i below it is refused and counted', (below) => {
    const host = treeOf([...chain(below), reparent(100_000, 11, 10 + below)]);
    const { tree } = host;
    const task = only(host, 11);
    expect(tree.tidOf(tree.parentAt(task, at(100_000)))).toBe(10);
    expect(host.counts.ringsRefused).toBe(1);
  });

  test('what else the event says is taken', () => {
    const host = treeOf([...chain(2), observe(100_000, 11, 12, 10, { startIsTick: false, comm: 'seen', uid: 7 })]);
    const task = only(host, 11);
    expect(host.tree.textAt(task, 'comm', at(100_000))).toBe('seen');
    expect(host.tree.numberAt(task, 'uid', at(100_000))).toBe(7);
    expect(host.counts.ringsRefused).toBe(1);
  });

  test('a parent that was below it once, and is not at the time, is taken', () => {
    const host = treeOf([...chain(2), reparent(50, 12, 10), reparent(60, 11, 12)]);
    const { tree } = host;
    expect(tree.tidOf(tree.parentAt(only(host, 11), at(60)))).toBe(12);
    expect(host.counts.ringsRefused).toBe(0);
  });

  test('creators that say they created each other, or themselves, are refused and counted', () => {
    const mutual = (tid: number, creatorTid: number): TaskEvent => ({
      ...(fork(5, tid, creatorTid) as TaskEvent & { type: 'fork' }),
      start: at(5),
      creatorStart: at(5),
    });
    const host = treeOf([mutual(20, 21), mutual(21, 22), mutual(22, 20), mutual(30, 30)]);
    for (const tid of [20, 21, 22, 30]) {
      let steps = 0;
      let task: TaskIndex = only(host, tid);
      for (; task !== NO_TASK && steps < 10; steps++) task = host.tree.creatorOf(task);
      expect(steps).toBeLessThan(5);
    }
    expect(host.counts.ringsRefused).toBe(2); // that of three at the third, and that of one
  });

  test('the same birth told twice is no ring', () => {
    const host = treeOf([...chain(3), ...chain(3)]);
    expect(host.counts.ringsRefused).toBe(0);
  });
});
