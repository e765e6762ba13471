// A recording of a real kernel, all the way from its bytes to the tree, held
// against what strace saw of the same workload: of every task its birth, its
// names, its programs, its parents and its end, each at its time. What is
// special about single ones is in recordings-scenarios.test.ts.

import { AUTHORITY, type EventNs } from '@dendro/protocol';
import { beforeAll, expect, test } from 'vitest';
import { type CoreStrace, CoreTree, readCoreStrace, timing } from './core-strace.ts';
import { justBefore } from './recorded-lives.ts';
import type { TrueBirth, TrueEnd, TrueField, TrueTask } from './strace-truth.ts';

type Born = TrueTask & { readonly birth: TrueBirth };
type Ended = TrueTask & { readonly end: TrueEnd };

const FIELDS: readonly TrueField[] = ['comm', 'executable'];
const INIT = 1;
const A_SECOND = 1_000_000_000;

let core: CoreStrace;
let recorded: CoreTree;
let truth: readonly TrueTask[];
/** All but the root, of whose birth strace tells nothing. */
let born: readonly Born[];
let ended: readonly Ended[];

beforeAll(async () => {
  core = await readCoreStrace();
  recorded = new CoreTree(core.events);
  truth = [...core.truth.values()].sort((a, b) => a.tid - b.tid);
  born = truth.filter((task): task is Born => task.birth !== undefined);
  ended = truth.filter((task): task is Ended => task.end !== undefined);
});

test('the recording has 925 records, none lost and none rejected', () => {
  expect(core.status).toMatchObject({ state: 'ended', events: 925, lost: 0, rejected: {} });
});

test('strace tells of 163 births, 138 programs, 9 failed execs, 8 renames and 163 ends', () => {
  const count = (of: (task: TrueTask) => number) => truth.reduce((sum, task) => sum + of(task), 0);
  const programs = count(({ changes }) => changes.executable.length);

  expect(born).toHaveLength(163);
  expect(programs).toBe(138);
  expect(count(({ failedExecs }) => failedExecs.length)).toBe(9);
  expect(count(({ changes }) => changes.comm.length) - programs).toBe(8);
  expect(ended).toHaveLength(163);
});

test('[ID1] [ID3] every task that strace saw has one life, begun by an event, and nobody else was born', () => {
  const [root] = truth;
  // Whose birth an event told; pid 1 and strace itself were only mentioned.
  const bornInTree = [...recorded.lives].filter(([, lives]) =>
    lives.some((life) => recorded.tree.authorityOf(life) === AUTHORITY.event),
  );
  // strace forks twice, to try what the kernel can do, before it forks the root.
  const tracer = recorded.creatorOf(root!.tid);
  const trials = bornInTree.map(([tid]) => tid).filter((tid) => recorded.creatorOf(tid) === tracer && tid < root!.tid);

  expect(trials).toHaveLength(2);
  expect(bornInTree.map(([tid]) => tid).toSorted((a, b) => a - b)).toEqual([...trials, ...truth.map(({ tid }) => tid)]);
  expect([...recorded.lives].filter(([, lives]) => lives.length > 1)).toEqual([]);
});

test('[FO1] [FO2] [FO3] every birth is at its time, of its kind, and by the thread that called', () => {
  const inTree = born.map(({ tid, birth, process }) => ({
    tid,
    time: timing(recorded.startOf(tid), birth.during),
    creator: recorded.creatorOf(tid),
    process: recorded.tidOf(recorded.tree.leaderOf(recorded.lifeOf(tid))),
    pid: recorded.tree.pidOf(recorded.lifeOf(tid)) as number,
    isThread: recorded.tree.isThread(recorded.lifeOf(tid)),
    isThreadOfIt: recorded.threadsOf(process.tid).includes(tid),
  }));

  expect(inTree).toEqual(
    born.map(({ tid, birth, process }) => ({
      tid,
      time: 'in time',
      creator: birth.creator.tid,
      process: process.tid,
      pid: process.tid,
      isThread: birth.isThread,
      isThreadOfIt: birth.isThread,
    })),
  );
});

test('[FO1] [FO2] [FO3] [AS6] [AS7] from its birth on, not before, a process is the child of who strace says, and a thread nobody’s', () => {
  const inTree = born.map(({ tid, firstParent }) => {
    const start = recorded.startOf(tid);
    const isChildAt = (at: EventNs) => recorded.childrenAt(firstParent!.tid, at).includes(tid);
    return {
      tid,
      before: recorded.parentAt(tid, justBefore(start)),
      parent: recorded.parentAt(tid, start),
      wasChildBefore: isChildAt(justBefore(start)),
      isChild: isChildAt(start),
    };
  });

  expect(inTree).toEqual(
    born.map(({ tid, birth, firstParent }) => ({
      tid,
      before: undefined,
      parent: birth.isThread ? undefined : firstParent!.tid,
      wasChildBefore: false,
      isChild: !birth.isThread,
    })),
  );
});

test('[AS3] [AS4] [FO5] a task that is born has name and program of its creator', () => {
  const inTree = truth.map(({ tid }) => {
    const start = recorded.startOf(tid);
    return { tid, ...Object.fromEntries(FIELDS.map((field) => [field, recorded.readAt(tid, field, start)])) };
  });

  expect(inTree).toEqual(
    truth.map((task) => ({ tid: task.tid, comm: task.atBirth('comm'), executable: task.atBirth('executable') })),
  );
});

test.each<[string, TrueField, number]>([
  [
    '[EX1] [EX4] every exec begins its program at its time, under the path that was passed',
    'executable',
    AUTHORITY.inferred,
  ],
  ['[EX1] [NA1] every rename and every exec gives the name at its time', 'comm', AUTHORITY.event],
])('%s; until then there is what was before', (_, field, authority) => {
  const changes = truth.flatMap((task) => task.changes[field].map((change) => ({ task, change })));
  const inTree = changes.map(({ task: { tid }, change: { during } }) => {
    const since = recorded.changedIn(tid, field, during);
    const at = since ?? recorded.startOf(tid);
    return {
      tid,
      time: timing(since, during),
      authority: recorded.tree.authorityAt(recorded.lifeOf(tid), field, at),
      before: recorded.readAt(tid, field, justBefore(at)),
      after: recorded.readAt(tid, field, at),
    };
  });

  expect(inTree).toEqual(
    changes.map(({ task, change }) => ({
      tid: task.tid,
      time: 'in time',
      authority,
      before: task.before(field, change),
      after: change.value,
    })),
  );
});

test.each(FIELDS)(
  '[EX1] [EX2] [NA1] from birth to end the %s of a task goes through what strace saw, and nothing else',
  (field) => {
    const isChange = (value: string | undefined, i: number, values: readonly (string | undefined)[]) =>
      i === 0 || value !== values[i - 1];
    const inTree = truth.map(({ tid }) => {
      const values: (string | undefined)[] = [];
      let at: EventNs | undefined = recorded.exitOf(tid);
      while (at !== undefined && at > recorded.startOf(tid)) {
        values.unshift(recorded.readAt(tid, field, at));
        const since = recorded.tree.sinceAt(recorded.lifeOf(tid), field, at);
        at = since === undefined ? undefined : justBefore(since);
      }
      values.unshift(recorded.readAt(tid, field, recorded.startOf(tid)));
      return { tid, values: values.filter(isChange) };
    });

    // A thread has the executables of its process: what those are is said there.
    const isOwn = ({ tid }: { tid: number }) => field === 'comm' || !core.truth.get(tid)?.birth?.isThread;
    expect(inTree.filter(isOwn)).toEqual(
      truth.filter(isOwn).map((task) => ({
        tid: task.tid,
        values: [task.atBirth(field), ...task.changes[field].map(({ value }) => value)].filter(isChange),
      })),
    );
  },
);

test('[EX1] a failed exec changes neither name nor program, nor since when they hold', () => {
  const failed = truth.flatMap(({ tid, failedExecs }) => failedExecs.map((during) => ({ tid, during })));
  const stateAt = (tid: number, at: EventNs) =>
    FIELDS.map((field) => [
      field,
      recorded.readAt(tid, field, at),
      recorded.tree.sinceAt(recorded.lifeOf(tid), field, at),
    ]);
  const before = failed.map(({ tid, during }) => stateAt(tid, during.from));
  const after = failed.map(({ tid, during }) => stateAt(tid, during.to));

  expect(before.flat().filter(([, value]) => value === undefined)).toEqual([]);
  expect(after).toEqual(before);
});

test('[EN1] [EN2] [EN3] [EN5] every end is told by an event, at its time; its code and signal are not known, and so not zero', () => {
  const inTree = ended.map(({ tid, end }) => {
    const life = recorded.lifeOf(tid);
    return {
      tid,
      authority: recorded.tree.exitAuthorityOf(life),
      time: timing(recorded.exitOf(tid), end.during),
      code: recorded.tree.exitCodeOf(life),
      signal: recorded.tree.exitSignalOf(life),
    };
  });

  expect(inTree).toEqual(
    ended.map(({ tid }) => ({
      tid,
      authority: AUTHORITY.event,
      time: 'in time',
      code: undefined,
      signal: undefined,
    })),
  );
});

test('[AS2] a task is alive from its start to its end, and at no time beside that', () => {
  const inTree = truth.map(({ tid }) => {
    const [start, exit] = [recorded.startOf(tid), recorded.exitOf(tid)];
    const instants = [justBefore(start), start, exit, (exit + 1) as EventNs];
    return { tid, alive: instants.map((at) => recorded.isAliveAt(tid, at)) };
  });

  expect(inTree).toEqual(truth.map(({ tid }) => ({ tid, alive: [false, true, true, false] })));
});

test('[PA1] [AS7] when it ends, the parent of a process is the one that reaped it, and init (inferred) where another than the first parent did', () => {
  const processes = ended.filter((task): task is Ended & Born => task.process === task && task.birth !== undefined);
  const inTree = processes.map(({ tid, firstParent }) => {
    const exit = recorded.exitOf(tid);
    const parent = recorded.tree.parentAt(recorded.lifeOf(tid), exit);
    return {
      tid,
      parent: recorded.tidOf(parent),
      isInferred: recorded.tree.authorityAt(recorded.lifeOf(tid), 'parent', exit) === AUTHORITY.inferred,
      isItsChild: recorded.tree.childrenAt(parent, exit).includes(recorded.lifeOf(tid)),
      isChildOfFirst: recorded.childrenAt(firstParent!.tid, exit).includes(tid),
    };
  });
  const isOrphan = ({ reaper, firstParent }: TrueTask) => reaper !== firstParent;

  // The daemon and its parent, the child of the subreaper, and a sleep that is left behind.
  expect(processes.filter(isOrphan).map(({ tid }) => tid)).toEqual([14703, 14704, 14707, 14742]);
  expect(inTree).toEqual(
    processes.map((task) => ({
      tid: task.tid,
      parent: isOrphan(task) ? INIT : task.reaper!.tid,
      isInferred: isOrphan(task),
      isItsChild: true,
      isChildOfFirst: !isOrphan(task),
    })),
  );
});

test('[PA1] [PA4] an orphan has its first parent until that one’s end, to the nanosecond, and its creator for ever', () => {
  const orphans = ended.filter((task) => task.process === task && task.birth && task.reaper !== task.firstParent);
  for (const { tid, birth, firstParent } of orphans) {
    const orphanedAt = recorded.exitOf(firstParent!.tid);
    expect(recorded.startOf(tid)).toBeLessThan(orphanedAt);
    expect(recorded.exitOf(tid)).toBeGreaterThan(orphanedAt);
    expect([justBefore(orphanedAt), orphanedAt].map((at) => recorded.parentAt(tid, at))).toEqual([
      firstParent!.tid,
      INIT,
    ]);
    expect(recorded.creatorOf(tid)).toBe(birth!.creator.tid);
  }
});

test('[AS7] at every birth and every end the children of a process are those whose parent it is', () => {
  const tids = truth.map(({ tid }) => tid);
  const instants = tids.flatMap((tid) => [recorded.startOf(tid), recorded.exitOf(tid)]);
  const wrong = instants.flatMap((at) => {
    const byParent = Map.groupBy(tids, (tid) => recorded.parentAt(tid, at));
    return tids
      .map((parent) => ({ at, parent, children: recorded.childrenAt(parent, at).toSorted((a, b) => a - b) }))
      .filter(({ parent, children }) => children.join() !== (byParent.get(parent) ?? []).join());
  });

  expect(wrong).toEqual([]);
});

test('[AS9] whatever ended later, an ended task has the parent, the name and the program that it had at its end', () => {
  const readAt = (tid: number, at: EventNs) => ({
    tid,
    parent: recorded.parentAt(tid, at),
    comm: recorded.readAt(tid, 'comm', at),
    executable: recorded.readAt(tid, 'executable', at),
  });
  const long = (recorded.host.newest + A_SECOND) as EventNs;

  expect(truth.map(({ tid }) => readAt(tid, long))).toEqual(truth.map(({ tid }) => readAt(tid, recorded.exitOf(tid))));
});

test('what a recording does not hold is not known: users, groups, ids in pid namespaces, folders, containers', () => {
  const { tree } = recorded;
  const told = truth.filter(({ tid }) => {
    const life = recorded.lifeOf(tid);
    return [tree.startOf(life), tree.exitOf(life)].some(
      (at) =>
        (['uid', 'gid', 'nsTid', 'nsPid', 'pidNs'] as const).some(
          (field) => tree.numberAt(life, field, at) !== undefined,
        ) || (['cwd', 'container'] as const).some((field) => tree.textAt(life, field, at) !== undefined),
    );
  });

  expect(told).toEqual([]);
});

test('[EX2] of all programs in the recording only scripts have somebody who interprets them', () => {
  const { tree } = recorded;
  const interpreted = truth.flatMap(({ tid }) =>
    tree.changelogOf(recorded.lifeOf(tid), 'interp').flatMap(({ since, value }) => {
      const script = recorded.readAt(tid, 'executable', since);
      return value === undefined ? [] : [`${script} by ${value}`];
    }),
  );

  expect(interpreted.sort()).toEqual(['./script.sh by /bin/sh', '/srv/capture/wl/wl.sh by /bin/bash']);
});
