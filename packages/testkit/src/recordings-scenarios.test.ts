// What is special about single tasks of the workload in core-strace. Names,
// times and parents come from strace where strace tells them; the pids below
// are there to say which scenario is meant.

import { AUTHORITY, type EventNs, type TaskEvent } from '@dendro/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { type CoreStrace, CoreTree, readCoreStrace, timing } from './core-strace.ts';
import { justBefore } from './recorded-lives.ts';
import type { TrueTask } from './strace-truth.ts';

const INIT = 1;
/** The script wl.sh, from which everything descends. */
const ROOT = 14677;
/** `$(date | tail)`: a subshell with two children. */
const SUBSTITUTION = 14683;
/** Python, whose three threads call exit(2) one after the other. */
const PYTHON = 14686;
/** The thread of Python that starts /bin/true by vfork. */
const FORKING_PYTHON_THREAD = 14688;
/** Has two threads, of which the second calls exec. */
const EXEC_FROM_THREAD = { process: 14691, idle: 14692, caller: 14693 };
/** Has a thread, which forks, waits for the child and calls exit(2). */
const FORK_FROM_THREAD = { process: 14694, thread: 14695, child: 14696 };
/** Its leader calls exit(2) 29 ms before its thread calls exit_group. */
const LEADER_EXITS_FIRST = { process: 14697, thread: 14698 };
/** Its thread calls exit_group(42). */
const EXIT_FROM_THREAD = { process: 14699, thread: 14700 };
/** Becomes user 1000 and then calls exec. */
const SETUID = 14701;
/** Forks and exits, its child does the same, the grandchild stays. */
const DAEMON = { starter: 14702, between: 14703, daemon: 14704 };
/** A child subreaper, whose child leaves a grandchild behind. */
const SUBREAPER = { reaper: 14705, child: 14706, grandchild: 14707 };
/** Forks with CLONE_PARENT. */
const SIBLING = { creator: 14708, child: 14709 };
const VFORK = { creator: 14710, child: 14711 };
/** Calls exec of a file that is not there. */
const BAD_EXEC = 14712;
/** Calls execveat of a memory file. */
const MEMFD = 14713;
/** `unshare -pf sh`: the shell is init of a pid namespace, and starts two programs by vfork. */
const UNSHARE = { unshare: 14728, shell: 14729, programs: [14730, 14731] };
/** script.sh, which begins with `#!`. */
const SCRIPT = 14732;
/** A sleep that a subshell started and left behind. */
const ORPHAN = { subshell: 14741, sleep: 14742 };
/** The program `gone`, and the `rm` that removed its file afterwards. */
const DELETED = { program: 14745, rm: 14746 };

let core: CoreStrace;
let recorded: CoreTree;

beforeAll(async () => {
  core = await readCoreStrace();
  recorded = new CoreTree(core.events);
});

function truthOf(tid: number): TrueTask {
  const task = core.truth.get(tid);
  if (task === undefined) throw new Error(`strace tells nothing of ${tid}`);
  return task;
}

/** When the exec took effect in the tree that strace saw as the last, or as the one before the last (-2). */
function execOf(pid: number, which: -1 | -2 = -1): EventNs {
  const exec = truthOf(pid).changes.executable.at(which);
  const since = exec && recorded.changedIn(pid, 'executable', exec.during);
  if (exec === undefined || since === undefined) throw new Error(`${pid} has no such exec`);
  expect(timing(since, exec.during)).toBe('in time');
  return since;
}

/** In the middle: nothing that is told at the one or at the other happens then. */
function between(a: EventNs, b: EventNs): EventNs {
  return Math.floor((a + b) / 2) as EventNs;
}

test('[LI1] a command substitution descends from the script through a subshell that runs no program of its own', () => {
  const children = truthOf(SUBSTITUTION).created.map(({ tid }) => tid);
  const at = recorded.startOf(children.at(-1)!);

  expect(children).toHaveLength(2);
  expect(recorded.childrenAt(SUBSTITUTION, at).toSorted()).toEqual(children);
  expect(recorded.parentAt(SUBSTITUTION, at)).toBe(ROOT);
  expect(recorded.readAt(SUBSTITUTION, 'executable', at)).toBe('/srv/capture/wl/wl.sh');
  expect(children.map((pid) => recorded.readAt(pid, 'executable', recorded.exitOf(pid)))).toEqual([
    '/usr/bin/date',
    '/usr/bin/tail',
  ]);
});

test('[EN1] a thread that calls exit(2) ends alone: its process and the other threads go on', () => {
  const threads = truthOf(PYTHON)
    .created.filter(({ birth }) => birth?.isThread)
    .map(({ tid }) => tid);
  const ends = threads.map((tid) => recorded.exitOf(tid));

  expect(threads).toHaveLength(3);
  expect(ends).toEqual(ends.toSorted((a, b) => a - b));
  expect(new Set([...ends, recorded.exitOf(PYTHON)]).size).toBe(4);
  ends.forEach((end, i) => {
    const after = (end + 1) as EventNs;
    expect(threads.map((tid) => recorded.isAliveAt(tid, after))).toEqual(threads.map((_, other) => other > i));
    expect(recorded.isAliveAt(PYTHON, after)).toBe(true);
  });
});

test('[FO1] a child that a thread started by vfork is a child of the process, created by the thread', () => {
  const [child] = truthOf(PYTHON).created.filter(({ birth }) => !birth?.isThread);

  expect(recorded.creatorOf(child!.tid)).toBe(FORKING_PYTHON_THREAD);
  expect(recorded.parentAt(child!.tid, recorded.startOf(child!.tid))).toBe(PYTHON);
  expect(truthOf(child!.tid).reaper?.tid).toBe(PYTHON);
});

describe('[EX3] an exec from a thread other than the leader', () => {
  const { process, idle, caller } = EXEC_FROM_THREAD;

  test('begins the program of the process, which keeps its one life', () => {
    const exec = execOf(process);
    expect(recorded.lives.get(process)).toHaveLength(1);
    expect(timing(recorded.startOf(process), truthOf(process).birth!.during)).toBe('in time');
    expect(recorded.readAt(process, 'executable', justBefore(exec))).toBe('./weird');
    expect(recorded.readAt(process, 'executable', exec)).toBe('/bin/true');
    expect(recorded.readAt(process, 'comm', exec)).toBe('true');
    expect(recorded.isAliveAt(process, exec)).toBe(true);
    expect(recorded.exitOf(process)).toBeGreaterThan(exec);
  });

  test('ends the tid of its caller, then and not before', () => {
    // strace says "superseded": there is no end of that tid to be seen.
    expect(truthOf(caller).end).toBeUndefined();
    expect(recorded.exitOf(caller)).toBe(execOf(process));
    expect(recorded.isAliveAt(caller, justBefore(execOf(process)))).toBe(true);
  });

  test('ends the other thread, whose exit the kernel told while the exec was going on', () => {
    const [, exec] = truthOf(process).changes.executable;
    expect(recorded.exitOf(idle)).toBeGreaterThanOrEqual(exec!.during.from);
    expect(recorded.exitOf(idle)).toBeLessThan(execOf(process));
    expect(recorded.tree.exitAuthorityOf(recorded.lifeOf(idle))).toBe(AUTHORITY.event);
  });

  test('[AS9] is not what the other thread ran, which was gone by then', () => {
    expect(recorded.readAt(idle, 'executable', recorded.exitOf(idle))).toBe('./weird');
    expect(recorded.readAt(idle, 'executable', recorded.exitOf(process))).toBe('./weird');
    expect(recorded.readAt(idle, 'comm', recorded.exitOf(process))).toBe('weird');
  });

  test('[EN2] is not taken for an end by the exit of the leader that it brings about', () => {
    const exits = core.events.filter((event) => event.type === 'exit' && event.tid === process);
    expect(exits).toMatchObject([{ isGroupDead: false }, { isGroupDead: true }]);
    expect(recorded.exitOf(process)).toBe((exits[1] as TaskEvent & { at: EventNs }).at);
    expect(recorded.isAliveAt(process, ((exits[0] as TaskEvent & { at: EventNs }).at + 1) as EventNs)).toBe(true);
  });
});

test('[FO1] [EN1] a fork from a thread makes a child of the process, and the thread may go before the process does', () => {
  const { process, thread, child } = FORK_FROM_THREAD;

  expect(recorded.creatorOf(child)).toBe(thread);
  expect(recorded.parentAt(child, recorded.startOf(child))).toBe(process);
  expect(recorded.childrenAt(process, recorded.startOf(child))).toEqual([child]);
  expect(truthOf(child).reaper?.tid).toBe(process);
  expect(recorded.exitOf(thread)).toBeLessThan(recorded.exitOf(process));
  expect(recorded.creatorOf(child)).toBe(thread);
  expect(recorded.parentAt(child, recorded.exitOf(child))).toBe(process);
});

test('[AS4] [NA1] the child of a thread has the name that the leader took before the thread was born', () => {
  const { thread, child } = FORK_FROM_THREAD;

  expect(recorded.readAt(thread, 'comm', recorded.startOf(thread))).toBe('forkthr');
  expect(recorded.readAt(child, 'comm', recorded.exitOf(child))).toBe('forkthr');
});

test('[EN2] [EN3] a process whose leader has called exit(2) lives until its thread ends, and no longer', () => {
  const { process, thread } = LEADER_EXITS_FIRST;
  const leaderExit = core.events.find((event) => event.type === 'exit' && event.tid === process);
  const leftAt = (leaderExit as TaskEvent & { at: EventNs }).at;

  expect(leaderExit).toMatchObject({ isGroupDead: false });
  expect(recorded.isAliveAt(process, between(leftAt, recorded.exitOf(thread)))).toBe(true);
  expect(recorded.exitOf(process)).toBe(recorded.exitOf(thread));
  expect(recorded.exitOf(process) - leftAt).toBeGreaterThan(29_000_000);
  expect(recorded.parentAt(process, recorded.exitOf(process))).toBe(truthOf(process).reaper?.tid);
});

test('[EN3] [EN5] an exit_group(42) from a thread ends thread and process; 42 is not in the recording, and neither is 0', () => {
  const { process, thread } = EXIT_FROM_THREAD;
  const [life, threadLife] = [recorded.lifeOf(process), recorded.lifeOf(thread)];

  expect(truthOf(process).end?.code).toBe(42);
  expect(recorded.exitOf(thread)).toBeLessThanOrEqual(recorded.exitOf(process));
  expect([life, threadLife].map((task) => recorded.tree.exitAuthorityOf(task))).toEqual([
    AUTHORITY.event,
    AUTHORITY.event,
  ]);
  expect([life, threadLife].map((task) => recorded.tree.exitCodeOf(task))).toEqual([undefined, undefined]);
});

test('[CR1] an exec after setuid is one more image of the same life; whose it is the recording does not say', () => {
  const [weird, id] = [execOf(SETUID, -2), execOf(SETUID)];

  expect(truthOf(SETUID).changes.executable).toHaveLength(2);
  expect([justBefore(weird), weird, justBefore(id), id].map((at) => recorded.readAt(SETUID, 'executable', at))).toEqual(
    ['/srv/capture/wl/wl.sh', './weird', './weird', '/usr/bin/id'],
  );
  expect([weird, id].map((at) => recorded.tree.numberAt(recorded.lifeOf(SETUID), 'uid', at))).toEqual([
    undefined,
    undefined,
  ]);
});

test('[PA1] a daemon and the process between become children of init when their parents end, each at its time', () => {
  const { starter, between: child, daemon } = DAEMON;
  const isInferred = (pid: number, at: EventNs) =>
    recorded.tree.authorityAt(recorded.lifeOf(pid), 'parent', at) === AUTHORITY.inferred;

  for (const [pid, parent] of [
    [child, starter],
    [daemon, child],
  ] as const) {
    const orphanedAt = recorded.exitOf(parent);
    expect(timing(orphanedAt, truthOf(parent).end!.during)).toBe('in time');
    expect(recorded.parentAt(pid, recorded.startOf(pid))).toBe(parent);
    expect(recorded.parentAt(pid, justBefore(orphanedAt))).toBe(parent);
    expect(recorded.parentAt(pid, orphanedAt)).toBe(INIT);
    expect(isInferred(pid, orphanedAt)).toBe(true);
    expect(recorded.parentAt(pid, recorded.exitOf(pid))).toBe(INIT);
    expect(recorded.creatorOf(pid)).toBe(parent);
    expect(truthOf(pid).reaper).toBeUndefined();
  }
  expect(recorded.readAt(daemon, 'comm', recorded.exitOf(daemon))).toBe('my daemon-1');
  // It outlives both by far.
  expect(recorded.exitOf(daemon) - recorded.exitOf(child)).toBeGreaterThan(50_000_000);
});

describe('a process that its subreaper takes over', () => {
  const { reaper, child, grandchild } = SUBREAPER;

  function parentsOf(tree: CoreTree): unknown {
    const [orphanedAt, end] = [tree.exitOf(child), tree.exitOf(grandchild)];
    const instants = [tree.startOf(grandchild), justBefore(orphanedAt), orphanedAt, between(orphanedAt, end), end];
    return instants.map((at) => ({
      parent: tree.parentAt(grandchild, at),
      authority: at < orphanedAt ? 'of a birth' : tree.tree.authorityAt(tree.lifeOf(grandchild), 'parent', at),
      isChildOfReaper: tree.childrenAt(reaper, at).includes(grandchild),
    }));
  }

  /** What /proc shows while it lives: in ticks. */
  function seenAt(at: EventNs): TaskEvent {
    const start = (Math.floor(recorded.startOf(grandchild) / 1e7) * 1e7) as EventNs;
    return { type: 'observe', at, tid: grandchild, pid: grandchild, ppid: reaper, start, startIsTick: true };
  }

  const born = { parent: child, authority: 'of a birth', isChildOfReaper: false };

  test('[PA1] is taken for a child of init, as a conclusion: the recording does not tell of subreapers', () => {
    expect(truthOf(grandchild).reaper?.tid).toBe(reaper);
    const orphaned = { parent: INIT, authority: AUTHORITY.inferred, isChildOfReaper: false };

    expect(parentsOf(recorded)).toEqual([born, born, orphaned, orphaned, orphaned]);
  });

  test.each(['when it comes', 'after everything else'])(
    '[PA2] a later sighting, told %s, settles it from the end of the old parent on',
    (when) => {
      const at = between(recorded.exitOf(child), recorded.exitOf(grandchild));
      const next = core.events.findIndex((event) => 'at' in event && event.at > at);
      const events = core.events.toSpliced(when === 'when it comes' ? next : core.events.length, 0, seenAt(at));
      const seen = new CoreTree(events);
      const settled = { parent: reaper, authority: AUTHORITY.sighting, isChildOfReaper: true };

      expect(parentsOf(seen)).toEqual([born, born, settled, settled, settled]);
      expect(seen.startOf(grandchild)).toBe(recorded.startOf(grandchild));
      expect(seen.creatorOf(grandchild)).toBe(child);
      // Nobody else is taken along.
      const others = [...core.truth.keys()].filter((tid) => tid !== grandchild);
      const lastParents = (tree: CoreTree) => others.map((tid) => tree.parentAt(tid, tree.exitOf(tid)));
      expect(lastParents(seen)).toEqual(lastParents(recorded));
    },
  );

  test('[OB3] a sighting of what has ended settles nothing', () => {
    const events = [...core.events, seenAt((recorded.exitOf(grandchild) + 1) as EventNs)];

    expect(parentsOf(new CoreTree(events))).toEqual(parentsOf(recorded));
  });
});

test('[FO2] a child born with CLONE_PARENT is its creator’s sibling: child of the script, which reaps it', () => {
  const { creator, child } = SIBLING;
  const [start, exit] = [recorded.startOf(child), recorded.exitOf(child)];

  expect(truthOf(child).birth?.isSibling).toBe(true);
  expect(truthOf(child).reaper?.tid).toBe(ROOT);
  expect([start, exit].map((at) => recorded.parentAt(child, at))).toEqual([ROOT, ROOT]);
  expect(recorded.creatorOf(child)).toBe(creator);
  const living = recorded.childrenAt(ROOT, start).filter((pid) => recorded.isAliveAt(pid, start));
  expect(living.toSorted()).toEqual([creator, child]);
  expect(recorded.childrenAt(creator, start)).toEqual([]);
});

test('[FO5] [AS3] the child of a vfork has name and program of its creator until its exec', () => {
  const { creator, child } = VFORK;
  const [exec, name] = [execOf(child), recorded.changedIn(child, 'comm', truthOf(child).changes.comm[0]!.during)!];
  const readAt = (at: EventNs) => [recorded.readAt(child, 'comm', at), recorded.readAt(child, 'executable', at)];

  expect(recorded.creatorOf(child)).toBe(creator);
  // The kernel gives the new name some microseconds before it says that the exec is done.
  expect(name).toBeLessThanOrEqual(exec);
  expect(readAt(recorded.startOf(child))).toEqual(['weird', './weird']);
  expect(readAt(justBefore(name))).toEqual(['weird', './weird']);
  expect(recorded.readAt(child, 'executable', justBefore(exec))).toBe('./weird');
  expect(readAt(exec)).toEqual(['true', '/bin/true']);
});

test('[EX1] after an exec of a file that is not there a process is what it was, until its end', () => {
  const [failed] = truthOf(BAD_EXEC).failedExecs;
  const readAt = (at: EventNs) => [recorded.readAt(BAD_EXEC, 'comm', at), recorded.readAt(BAD_EXEC, 'executable', at)];

  expect([failed!.from, failed!.to, recorded.exitOf(BAD_EXEC)].map(readAt)).toEqual([
    ['weird', './weird'],
    ['weird', './weird'],
    ['weird', './weird'],
  ]);
  expect(truthOf(BAD_EXEC).end?.code).toBe(126);
});

test('[EX1] [EX4] an execveat of a memory file begins an image with the path that the kernel makes of the descriptor', () => {
  const exec = execOf(MEMFD);

  expect(recorded.readAt(MEMFD, 'executable', justBefore(exec))).toBe('./weird');
  expect(recorded.readAt(MEMFD, 'executable', exec)).toBe('/dev/fd/3');
  expect(recorded.readAt(MEMFD, 'comm', exec)).toBe('memfd:evil');
  expect(recorded.tree.authorityAt(recorded.lifeOf(MEMFD), 'executable', exec)).toBe(AUTHORITY.inferred);
  expect(recorded.readAt(MEMFD, 'executable', recorded.exitOf(MEMFD))).toBe('/dev/fd/3');
});

// Each takes the name and then forks a child that takes none.
test.each<[number, string]>([
  [14714, 'sp ace'],
  [14716, 'da-sh-12'],
  [14718, '[br] (pa)'],
  [14720, 'n\nl\tx'],
  [14722, 'pid=7 x=y'],
  [14724, ''],
])('[NA1] [AS3] process %i renames itself %j, and so is its child called', (pid, name) => {
  const rename = truthOf(pid).changes.comm.at(-1)!;
  const since = recorded.changedIn(pid, 'comm', rename.during)!;
  const [child] = truthOf(pid).created;

  expect(rename.value).toBe(name);
  expect(timing(since, rename.during)).toBe('in time');
  expect(recorded.readAt(pid, 'comm', justBefore(since))).toBe('weird');
  expect([since, recorded.exitOf(pid)].map((at) => recorded.readAt(pid, 'comm', at))).toEqual([name, name]);
  const childAt = [recorded.startOf(child!.tid), recorded.exitOf(child!.tid)];
  expect(childAt.map((at) => recorded.readAt(child!.tid, 'comm', at))).toEqual([name, name]);
  expect(recorded.readAt(pid, 'executable', recorded.exitOf(pid))).toBe('./weird');
});

test.each<[number, string, string]>([
  [14733, './prog with space', 'prog with space'],
  [14734, './nl\nname', 'nl\nname'],
  [14735, './x pid=1 old_pid=2', 'x pid=1 old_pid'],
  [14736, './utf8-é', 'utf8-é'],
  [14737, './a-name-longer-than-sixteen', 'a-name-longer-t'],
])('[EX1] [EX4] process %i runs the file %j', (pid, path, comm) => {
  const exec = execOf(pid);

  expect(recorded.readAt(pid, 'executable', justBefore(exec))).toBe('/srv/capture/wl/wl.sh');
  expect([exec, recorded.exitOf(pid)].map((at) => recorded.readAt(pid, 'executable', at))).toEqual([path, path]);
  expect(recorded.readAt(pid, 'comm', exec)).toBe(comm);
  expect(recorded.parentAt(pid, exec)).toBe(ROOT);
});

test('no name and no file is taken for what it pretends to say: pids 2 and 7 are not in the tree', () => {
  expect([2, 7].map((tid) => recorded.lives.get(tid))).toEqual([undefined, undefined]);
});

test('[FO1] [ID1] births in a pid namespace have the tids of the host: what fork says inside it is another number', () => {
  const { unshare, shell, programs } = UNSHARE;

  expect(programs.map((pid) => truthOf(pid).birth?.number)).toEqual([2, 3]);
  expect(recorded.parentAt(shell, recorded.startOf(shell))).toBe(unshare);
  for (const pid of programs) {
    const [start, exit] = [recorded.startOf(pid), recorded.exitOf(pid)];
    expect(recorded.creatorOf(pid)).toBe(shell);
    expect([start, exit].map((at) => recorded.parentAt(pid, at))).toEqual([shell, shell]);
    expect(truthOf(pid).reaper?.tid).toBe(shell);
    expect(recorded.tree.pidOf(recorded.lifeOf(pid))).toBe(pid);
    expect(recorded.tree.numberAt(recorded.lifeOf(pid), 'nsPid', start)).toBeUndefined();
  }
  expect(programs.map((pid) => recorded.readAt(pid, 'executable', recorded.exitOf(pid)))).toEqual([
    '/usr/bin/sleep',
    '/bin/true',
  ]);
  expect(recorded.exitOf(shell)).toBeLessThan(recorded.exitOf(unshare));
});

test('[EX1] of eight paths that a search tries, the one that is there becomes the program', () => {
  const { unshare, shell } = UNSHARE;
  const { failedExecs } = truthOf(shell);
  const exec = execOf(shell);

  expect(failedExecs).toHaveLength(8);
  expect(failedExecs.map(({ from }) => recorded.readAt(shell, 'executable', from))).toEqual(
    failedExecs.map(() => recorded.readAt(unshare, 'executable', recorded.startOf(shell))),
  );
  expect(recorded.readAt(shell, 'executable', justBefore(exec))).toBe('/usr/bin/unshare');
  expect(recorded.readAt(shell, 'executable', exec)).toBe('/usr/bin/sh');
});

test.each<[number, string, string, string, number]>([
  [SCRIPT, './script.sh', 'script.sh', '/bin/sh', 3],
  [ROOT, '/srv/capture/wl/wl.sh', 'wl.sh', '/bin/bash', 5],
])(
  '[EX4] process %i runs a script: its file and name are those of the script, and what interprets it is said',
  (pid, path, comm, interp, code) => {
    const exec = execOf(pid);
    const life = recorded.lifeOf(pid);

    expect(recorded.readAt(pid, 'executable', exec)).toBe(path);
    expect(recorded.readAt(pid, 'comm', exec)).toBe(comm);
    expect(recorded.tree.authorityAt(life, 'executable', exec)).toBe(AUTHORITY.inferred);
    expect(recorded.tree.textAt(life, 'interp', exec)).toBe(interp);
    expect(recorded.tree.textAt(life, 'interp', justBefore(exec))).not.toBe(interp);
    expect(truthOf(pid).end?.code).toBe(code);
    expect(recorded.tree.exitCodeOf(life)).toBeUndefined();
  },
);

test.each<[string, number]>([
  ['SIGKILL', 14738],
  ['SIGSEGV', 14739],
  ['SIGTERM', 14740],
])('[EN3] [EN5] a death by %s is an end at its time; by which signal is not in the recording', (signal, pid) => {
  const life = recorded.lifeOf(pid);
  const { end, reaper } = truthOf(pid);

  expect(end).toMatchObject({ signal, code: undefined });
  expect(timing(recorded.exitOf(pid), end!.during)).toBe('in time');
  expect(recorded.tree.exitAuthorityOf(life)).toBe(AUTHORITY.event);
  expect([recorded.tree.exitCodeOf(life), recorded.tree.exitSignalOf(life)]).toEqual([undefined, undefined]);
  expect(recorded.parentAt(pid, recorded.exitOf(pid))).toBe(reaper?.tid);
});

test('[PA1] a program that begins after its parent has ended begins as a child of init', () => {
  const { subshell, sleep } = ORPHAN;
  const [orphanedAt, exec] = [recorded.exitOf(subshell), execOf(sleep)];

  expect(recorded.creatorOf(sleep)).toBe(subshell);
  expect(exec).toBeGreaterThan(orphanedAt);
  const instants = [recorded.startOf(sleep), justBefore(orphanedAt), orphanedAt, exec, recorded.exitOf(sleep)];
  expect(instants.map((at) => recorded.parentAt(sleep, at))).toEqual([subshell, subshell, INIT, INIT, INIT]);
  expect(recorded.tree.authorityAt(recorded.lifeOf(sleep), 'parent', exec)).toBe(AUTHORITY.inferred);
  expect(truthOf(sleep).reaper).toBeUndefined();
});

test('[AS9] the program of a process stays what it was when its file is removed', () => {
  const { program, rm } = DELETED;
  const [exec, removedBy] = [execOf(program), recorded.exitOf(rm)];

  expect(recorded.startOf(rm)).toBeGreaterThan(recorded.exitOf(program));
  expect([exec, recorded.exitOf(program), removedBy].map((at) => recorded.readAt(program, 'executable', at))).toEqual([
    './gone',
    './gone',
    './gone',
  ]);
});
