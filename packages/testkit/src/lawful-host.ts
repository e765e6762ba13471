// A small host that obeys the law: what happens on it comes as events, as a
// tracer that knows the starts of all tasks would tell them, and as the truth
// about every instant, kept in the plainest form.

import {
  CLONE,
  type CredentialsEvent,
  type EventNs,
  type ExecEvent,
  type ExitEvent,
  type ForkEvent,
  type RenameEvent,
  type TaskEvent,
} from '@dendro/protocol';

/** One life of a task, and all that was ever true of it. */
export interface TrueLife {
  readonly tid: number;
  readonly start: number;
  /** Its leader; itself when it is one. */
  readonly leader: TrueLife;
  readonly creator: TrueLife | undefined;
  /** Infinity while it lives. */
  exit: number;
  exitCode: number | undefined;
  /** [since, value], in order of time; own ones only. */
  readonly comm: [number, string][];
  readonly path: [number, string][];
  readonly uid: [number, number][];
  readonly parents: [number, TrueLife | undefined][];
}

/** What to do next, and to whom; numbers choose among what is possible. */
export interface Step {
  readonly what:
    | 'fork'
    | 'fork-sibling'
    | 'thread'
    | 'exec'
    | 'exec-from-thread'
    | 'rename'
    | 'setuid'
    | 'exit-thread'
    | 'exit-process';
  readonly who: number;
  readonly delay: number;
}

const TICK = 1_000_000;

export class LawfulHost {
  readonly lives: TrueLife[] = [];
  readonly events: TaskEvent[] = [];
  readonly #maxPid: number;
  readonly #init: TrueLife;
  readonly #goneLeaders = new Set<TrueLife>();
  #now = 0;
  #nextPid = 2;
  #names = 0;

  /** @param maxPid small, so that pids are given out again */
  constructor(maxPid = 14) {
    this.#maxPid = maxPid;
    this.#init = this.#begin(1, undefined, undefined);
    this.#init.comm.push([0, 'init']);
    this.#init.path.push([0, '/sbin/init']);
    this.#init.uid.push([0, 0]);
    this.#init.parents.push([0, undefined]);
    this.events.push({
      type: 'observe',
      at: 0 as EventNs,
      tid: 1,
      pid: 1,
      ppid: 0,
      start: 0 as EventNs,
      startIsTick: false,
      comm: 'init',
      executable: { path: '/sbin/init' },
      uid: 0,
    });
  }

  get now(): number {
    return this.#now;
  }

  run(steps: readonly Step[]): this {
    for (const step of steps) {
      this.#now += (1 + step.delay) * TICK;
      this.#take(step);
    }
    return this;
  }

  #take({ what, who }: Step): void {
    const living = this.lives.filter((life) => life.exit === Number.POSITIVE_INFINITY && !this.#goneLeaders.has(life));
    const caller = living[who % living.length] as TrueLife;
    switch (what) {
      case 'fork':
        this.#fork(caller, false);
        return;
      case 'fork-sibling':
        // Init cannot: its children would have no parent.
        this.#fork(caller, false, caller.leader !== this.#init);
        return;
      case 'thread':
        this.#fork(caller, true);
        return;
      case 'exec':
        this.#exec(caller.leader, caller.leader);
        return;
      case 'exec-from-thread':
        this.#exec(caller.leader, caller);
        return;
      case 'rename':
        this.#rename(caller);
        return;
      case 'setuid':
        this.#setUid(caller.leader);
        return;
      case 'exit-thread':
        this.#exitThread(caller);
        return;
      case 'exit-process':
        if (caller.leader !== this.#init) this.#exitProcess(caller.leader);
    }
  }

  #fork(caller: TrueLife, isThread: boolean, isSibling = false): void {
    const tid = this.#freePid();
    if (tid === undefined) return;
    const child = this.#begin(tid, isThread ? caller.leader : undefined, caller);
    const parent = isSibling ? trueParent(caller.leader, this.#now) : caller.leader;
    if (!isThread) child.parents.push([this.#now, parent]);
    const event: ForkEvent = {
      type: 'fork',
      at: this.#now as EventNs,
      tid,
      pid: child.leader.tid,
      start: child.start as EventNs,
      creatorTid: caller.tid,
      creatorPid: caller.leader.tid,
      creatorStart: caller.start as EventNs,
      leaderStart: child.leader.start as EventNs,
      ...(isSibling && parent !== undefined
        ? { cloneFlags: CLONE.parent, parentPid: parent.tid, parentStart: parent.start as EventNs }
        : {}),
    };
    this.events.push(event);
  }

  #exec(process: TrueLife, caller: TrueLife): void {
    // All other threads die; the caller goes on as the leader.
    for (const thread of this.#threadsOf(process)) if (thread !== caller) this.#exit(thread, false);
    if (caller !== process) caller.exit = this.#now;
    this.#goneLeaders.delete(process);
    const name = `p${++this.#names}`;
    process.comm.push([this.#now, name]);
    process.path.push([this.#now, `/bin/${name}`]);
    const event: ExecEvent = {
      type: 'exec',
      at: this.#now as EventNs,
      pid: process.tid,
      oldTid: caller.tid,
      start: process.start as EventNs,
      comm: name,
      executable: { path: `/bin/${name}` },
      argv: [name],
    };
    this.events.push(event);
  }

  #rename(task: TrueLife): void {
    const name = `n${++this.#names}`;
    task.comm.push([this.#now, name]);
    const event: RenameEvent = {
      type: 'rename',
      at: this.#now as EventNs,
      tid: task.tid,
      start: task.start as EventNs,
      comm: name,
    };
    this.events.push(event);
  }

  #setUid(process: TrueLife): void {
    const uid = 1000 + (++this.#names % 5);
    process.uid.push([this.#now, uid]);
    const event: CredentialsEvent = {
      type: 'credentials',
      at: this.#now as EventNs,
      pid: process.tid,
      start: process.start as EventNs,
      uid,
    };
    this.events.push(event);
  }

  #exitThread(task: TrueLife): void {
    const others = this.#threadsOf(task.leader).filter((thread) => thread !== task);
    if (task === task.leader) {
      // The leader leaves and its process goes on.
      if (others.length === 0 || task === this.#init) return;
      this.#goneLeaders.add(task);
      this.#tellExit(task, false, this.#nextCode());
    } else if (others.length > 0 || !this.#goneLeaders.has(task.leader)) this.#exit(task, false);
    else {
      // The last of all: its code is that of the process.
      this.#exit(task, true);
      task.leader.exitCode = task.exitCode;
      this.#endProcess(task.leader);
    }
  }

  #exitProcess(process: TrueLife): void {
    // Of a process whose leader has left already, the last of the other threads is the last of all.
    if (this.#goneLeaders.has(process)) {
      for (const thread of this.#threadsOf(process)) this.#exitThread(thread);
      return;
    }
    for (const thread of this.#threadsOf(process)) this.#exit(thread, false);
    this.#exit(process, true);
    this.#endProcess(process);
  }

  #endProcess(process: TrueLife): void {
    process.exit = this.#now;
    for (const child of this.lives) {
      if (child.exit === Number.POSITIVE_INFINITY && child.parents.at(-1)?.[1] === process)
        child.parents.push([this.#now, this.#init]);
    }
  }

  #exit(task: TrueLife, isGroupDead: boolean): void {
    task.exit = this.#now;
    task.exitCode = this.#nextCode();
    this.#tellExit(task, isGroupDead, task.exitCode);
  }

  #nextCode(): number {
    return ++this.#names % 200;
  }

  #tellExit(task: TrueLife, isGroupDead: boolean, code: number): void {
    const event: ExitEvent = {
      type: 'exit',
      at: this.#now as EventNs,
      tid: task.tid,
      pid: task.leader.tid,
      start: task.start as EventNs,
      isGroupDead,
      code,
    };
    this.events.push(event);
  }

  #begin(tid: number, leader: TrueLife | undefined, creator: TrueLife | undefined): TrueLife {
    const life: Omit<TrueLife, 'leader'> & { leader?: TrueLife } = {
      tid,
      start: this.#now,
      creator,
      exit: Number.POSITIVE_INFINITY,
      exitCode: undefined,
      comm: [],
      path: [],
      uid: [],
      parents: [],
    };
    const whole = life as TrueLife & { leader: TrueLife };
    whole.leader = leader ?? whole;
    this.lives.push(whole);
    return whole;
  }

  #threadsOf(process: TrueLife): TrueLife[] {
    return this.lives.filter(
      (life) => life.leader === process && life !== process && life.exit === Number.POSITIVE_INFINITY,
    );
  }

  // The next one that nobody has now, and that nobody gave up at this very instant.
  #freePid(): number | undefined {
    for (let tried = 0; tried < this.#maxPid; tried++) {
      const pid = this.#nextPid;
      this.#nextPid = pid >= this.#maxPid ? 2 : pid + 1;
      if (!this.lives.some((life) => life.tid === pid && life.exit >= this.#now)) return pid;
    }
    return undefined;
  }
}

/** The value at a time: own, else what its creator had when it began, else (a thread) what its process has. */
export function trueValue(life: TrueLife, field: 'comm' | 'path' | 'uid', at: number): string | number | undefined {
  const own = life[field].findLast(([since]) => since <= at);
  if (own !== undefined) return own[1];
  if (life.leader !== life && field !== 'comm') return trueValue(life.leader, field, at);
  return life.creator === undefined ? undefined : trueValue(life.creator, field, Math.min(at, life.start));
}

export function trueParent(life: TrueLife, at: number): TrueLife | undefined {
  return life.parents.findLast(([since]) => since <= at)?.[1];
}
