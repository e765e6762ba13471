// A small host that obeys the law: what happens on it is decided step by step,
// and all that is ever true is kept in plain lists. How it is told is another
// matter (lawful-host-dialects.ts), and so is what can be known from that
// (lawful-host-oracle.ts).
//
// Few pids, so that they are given out again and again. Steps are at least a
// millisecond apart; what belongs to one step is within some microseconds.

import type { FieldName } from '@dendro/protocol';

export const US = 1000;
export const MS = 1_000_000;

/** The other threads are dead so long before an exec is told of: more than two tellers differ by. */
const DEAD_BEFORE_EXEC = 20 * US;
/** Somebody looks at an orphan so long after the end of its parent. */
const GLANCE_AFTER = 300 * US;
const KILLED = 9;
const ROOT_PID_NS = 4_026_531_836;

export type Field = Exclude<FieldName, 'parent'>;
/** Files are their paths. Undefined: there is none. */
export type Value = string | number | readonly string[] | undefined;

export interface Change {
  readonly since: number;
  readonly field: Field;
  readonly value: Value;
}

/** One life of a task, and all that was ever true of it. */
export interface Life {
  readonly tid: number;
  readonly start: number;
  /** Itself when it is one. */
  readonly leader: Life;
  readonly creator: Life | undefined;
  /** Born with CLONE_PARENT? */
  readonly isSibling: boolean;
  readonly nsTid: number;
  readonly nsPid: number;
  readonly pidNs: number;
  /** Of a leader: that of its process. Infinity while it lives. */
  exit: number;
  code: number | undefined;
  signal: number | undefined;
  /** By time; what it was born with is its creator's. */
  readonly changes: Change[];
  readonly execs: number[];
  /** When the thread of a leader ended and its process went on. */
  readonly left: number[];
  /** By time; of processes only. */
  readonly parents: { readonly since: number; readonly parent: Life | undefined }[];
}

export interface Image {
  readonly comm: string;
  readonly executable: string;
  /** As the caller wrote it. */
  readonly filename: string;
  readonly argv: readonly string[];
  readonly interpreter: string | undefined;
  readonly interp: string | undefined;
  /** Where the exec enters one. */
  readonly container: string | undefined;
}

interface Exit {
  /** Does the kernel call it the last of its group? */
  readonly isLast: boolean;
  readonly code: number | undefined;
  readonly signal: number | undefined;
  /** Nobody tells it: the thread ends with its process, and that is told. */
  readonly isQuiet?: boolean;
}

interface Base {
  readonly at: number;
  /** Of its step: for the choices of those who tell it. */
  readonly luck: number;
  /** Those of one step have one number. */
  readonly step: number;
}

export type Happening = Base & What;

type What =
  | { readonly what: 'birth'; readonly life: Life; readonly isVfork: boolean }
  | { readonly what: 'exec'; readonly life: Life; readonly caller: Life; readonly image: Image }
  | { readonly what: 'rename'; readonly life: Life; readonly comm: string }
  | { readonly what: 'credentials'; readonly life: Life; readonly field: 'uid' | 'gid'; readonly id: number }
  /** Nobody tells it. */
  | { readonly what: 'chdir'; readonly life: Life }
  | (Exit & { readonly what: 'exit'; readonly life: Life })
  /** A process gets a new parent: told by an event, by a glance soon after, or not at all. */
  | { readonly what: 'reparent'; readonly life: Life; readonly parent: Life; readonly isTold: boolean }
  /** A tracer tells of a task in passing. */
  | { readonly what: 'glance'; readonly life: Life }
  /** Somebody reads /proc of it; it may have ended. */
  | { readonly what: 'look'; readonly life: Life }
  /** Somebody has read /proc of all that lives. */
  | { readonly what: 'scan'; readonly seen: readonly Life[] };

/** What to do next, and to whom: numbers choose among what is possible. */
export interface Step {
  readonly what:
    | 'fork'
    | 'fork-sibling'
    | 'vfork'
    | 'thread'
    | 'exec'
    | 'exec-from-thread'
    | 'rename'
    | 'setuid'
    | 'setgid'
    | 'chdir'
    | 'subreaper'
    | 'exit-thread'
    | 'exit-leader'
    | 'exit-process'
    | 'exit-together'
    | 'kill-process'
    | 'exit-parent'
    | 'look'
    | 'scan';
  readonly who: number;
  readonly delay: number;
  readonly luck: number;
}

export interface LawfulHostOptions {
  /** Small, so that pids are given out again. */
  readonly maxPid?: number;
  /** Births of one tid are so far apart, at least. */
  readonly reuseNs?: number;
  /** Threads that end together end so far apart. Apart, those that come late say that they are the last too. */
  readonly spreadNs?: number;
  /** Are there exits that nobody tells, of threads whose process ends? */
  readonly hasQuietExits?: boolean;
}

export class LawfulHost {
  readonly lives: Life[] = [];
  readonly init: Life;
  readonly #happenings: Happening[] = [];
  readonly #options: Required<LawfulHostOptions>;
  readonly #goneLeaders = new Set<Life>();
  readonly #subreapers = new Set<Life>();
  #now = 0;
  #step = 0;
  #luck = 0;
  #nextPid = 2;
  #names = 0;
  #namespaces = 0;

  constructor({ maxPid = 14, reuseNs = 2 * MS, spreadNs = US, hasQuietExits = true }: LawfulHostOptions = {}) {
    this.#options = { maxPid, reuseNs, spreadNs, hasQuietExits };
    this.init = this.#begin({ tid: 1, nsTid: 1, nsPid: 1, pidNs: ROOT_PID_NS });
    this.init.parents.push({ since: 0, parent: undefined });
    this.#change(this.init, 'comm', 'init');
    this.#change(this.init, 'executable', '/sbin/init');
    this.#change(this.init, 'argv', ['/sbin/init', 'splash']);
    this.#change(this.init, 'cwd', '/');
    this.#change(this.init, 'uid', 0);
    this.#change(this.init, 'gid', 0);
  }

  /** By time. */
  get happenings(): readonly Happening[] {
    return this.#happenings;
  }

  get now(): number {
    return this.#now;
  }

  run(steps: readonly Step[]): this {
    for (const step of steps) {
      this.#step++;
      this.#luck = step.luck;
      this.#now += (1 + step.delay) * MS + (step.luck % 1000);
      this.#take(step);
    }
    this.#happenings.sort((a, b) => a.at - b.at);
    return this;
  }

  #take({ what, who, luck }: Step): void {
    const living = this.lives.filter((life) => this.#runs(life));
    const pick = (isFit: (life: Life) => boolean) => {
      const fit = living.filter(isFit);
      return fit[who % fit.length];
    };
    const any = living[who % living.length] as Life;
    const process = any.leader;
    const mortal = pick(({ leader }) => leader !== this.init)?.leader;
    switch (what) {
      case 'fork':
        this.#fork(any, 'process');
        return;
      case 'fork-sibling':
        // Init cannot: its children would have no parent.
        this.#fork(any, process === this.init ? 'process' : 'sibling');
        return;
      case 'vfork':
        this.#fork(any, 'vfork');
        return;
      case 'thread':
        this.#fork(any, 'thread');
        return;
      case 'exec':
        if (!this.#goneLeaders.has(process)) this.#exec(process, process);
        return;
      case 'exec-from-thread': {
        const caller = pick((life) => life !== life.leader) ?? any;
        this.#exec(caller.leader, caller);
        return;
      }
      case 'rename':
        this.#rename(any);
        return;
      case 'setuid':
        this.#setId(process, 'uid');
        return;
      case 'setgid':
        this.#setId(process, 'gid');
        return;
      case 'chdir':
        this.#change(process, 'cwd', `/d${++this.#names}`);
        this.#note({ what, life: process });
        return;
      case 'subreaper': {
        const grandparent = pick((life) => life !== this.init && this.#hasGrandchildren(life)) ?? mortal;
        if (grandparent !== undefined) this.#subreapers.add(grandparent);
        return;
      }
      case 'exit-thread': {
        const thread = pick((life) => life !== life.leader);
        if (thread !== undefined) this.#exitThread(thread);
        return;
      }
      case 'exit-leader': {
        const leader = pick((life) => life.leader === life && life !== this.init && this.#threadsOf(life).length > 0);
        if (leader !== undefined) this.#exitLeader(leader);
        return;
      }
      case 'exit-process':
        if (mortal !== undefined) this.#exitProcess(mortal, { code: this.#nextCode() });
        return;
      case 'kill-process':
        if (mortal !== undefined) this.#exitProcess(mortal, { signal: 1 + (luck % 15) });
        return;
      case 'exit-together': {
        const crowd =
          pick(({ leader }) => leader !== this.init && this.#threadsOf(leader).length > 0)?.leader ?? mortal;
        if (crowd !== undefined) this.#exitTogether(crowd);
        return;
      }
      case 'exit-parent': {
        const parents = living.flatMap(({ leader }) => leader.parents.at(-1)?.parent ?? []);
        const mortals = parents.filter((life) => life !== this.init);
        const adopted = mortals.filter((life) => this.#reaperOf(life) !== this.init);
        const parent = adopted[who % adopted.length] ?? mortals[who % mortals.length] ?? mortal;
        if (parent !== undefined) this.#exitProcess(parent, { code: this.#nextCode() });
        return;
      }
      case 'look': {
        const zombies = this.lives.filter((life) => this.#isZombie(life));
        const zombie = (luck & 1) === 0 ? zombies[who % zombies.length] : undefined;
        this.#note({ what, life: zombie ?? any });
        return;
      }
      case 'scan':
        this.#note({ what, seen: this.lives.filter((life) => this.#runs(life) || this.#isZombie(life)) });
    }
  }

  #fork(caller: Life, kind: 'process' | 'sibling' | 'vfork' | 'thread'): void {
    const tid = this.#freePid();
    if (tid === undefined) return;
    const isThread = kind === 'thread';
    const { pidNs } = caller;
    // Now and then a new namespace: its first process has pid 1.
    const opensNs = !isThread && this.#luck % 11 === 0;
    const nsTid = opensNs ? 1 : pidNs === ROOT_PID_NS ? tid : 100 + this.lives.length;
    const life = this.#begin({
      tid,
      ...(isThread ? { leader: caller.leader } : {}),
      creator: caller,
      isSibling: kind === 'sibling',
      nsTid,
      nsPid: isThread ? caller.nsPid : nsTid,
      pidNs: opensNs ? ROOT_PID_NS + ++this.#namespaces : pidNs,
    });
    if (!isThread) {
      const parent = kind === 'sibling' ? trueParent(caller.leader, this.#now) : caller.leader;
      life.parents.push({ since: this.#now, parent });
    }
    this.#note({ what: 'birth', life, isVfork: kind === 'vfork' });
  }

  #exec(process: Life, caller: Life): void {
    const before = this.#now - DEAD_BEFORE_EXEC;
    const killed = { isLast: false, code: undefined, signal: KILLED };
    // All other threads die; the caller goes on as the leader, under the leader's tid.
    for (const thread of this.#threadsOf(process)) {
      if (thread === caller) caller.exit = this.#now;
      else this.#exit(thread, killed, before);
    }
    if (caller !== process && !this.#goneLeaders.delete(process)) this.#exit(process, killed, before);
    const image = this.#nextImage(process);
    process.execs.push(this.#now);
    for (const field of ['comm', 'executable', 'argv', 'interpreter', 'interp'] as const) {
      this.#change(process, field, image[field]);
    }
    if (image.container !== undefined) this.#change(process, 'container', image.container);
    this.#note({ what: 'exec', life: process, caller, image });
  }

  #nextImage(process: Life): Image {
    const luck = this.#luck >> 4;
    const last = process.execs.at(-1);
    // The same again, unless so soon that it could pass for the same exec.
    const isRepeated = luck % 5 === 0 && (last === undefined || this.#now - last >= 2 * MS);
    const comm = isRepeated ? 'sh' : `p${++this.#names}`;
    const isScript = luck % 3 === 0;
    return {
      comm,
      executable: isScript ? '/bin/dash' : `/bin/${comm}`,
      filename: luck % 2 === 0 ? `./${comm}` : `/bin/${comm}`,
      argv: isRepeated ? ['sh', '-c', 'x'] : luck % 7 === 0 ? [] : [comm, `${this.#names}`],
      interpreter: luck % 4 === 0 ? undefined : '/lib/ld.so',
      interp: luck % 6 === 0 ? undefined : isScript ? '/bin/sh' : `/bin/${comm}`,
      container: luck % 9 === 0 ? `c${++this.#names}` : undefined,
    };
  }

  #rename(life: Life): void {
    const comm = `n${++this.#names}`;
    this.#change(life, 'comm', comm);
    this.#note({ what: 'rename', life, comm });
  }

  #setId(process: Life, field: 'uid' | 'gid'): void {
    const id = 1000 + (++this.#names % 5);
    this.#change(process, field, id);
    this.#note({ what: 'credentials', life: process, field, id });
  }

  #exitThread(thread: Life): void {
    const code = this.#nextCode();
    const isLast = this.#goneLeaders.has(thread.leader) && this.#threadsOf(thread.leader).length === 1;
    this.#exit(thread, { isLast, code, signal: undefined });
    if (isLast) this.#endProcess(thread.leader, this.#now, code, undefined);
  }

  /** The leader leaves, and its process goes on. */
  #exitLeader(leader: Life): void {
    this.#goneLeaders.add(leader);
    leader.left.push(this.#now);
    this.#exit(leader, { isLast: false, code: this.#nextCode(), signal: undefined });
  }

  /** All threads end at once, with one status. */
  #exitProcess(process: Life, { code, signal }: { readonly code?: number; readonly signal?: number }): void {
    const members = this.#membersOf(process);
    members.forEach((life, place) => {
      const isLast = place === members.length - 1;
      const isQuiet = this.#options.hasQuietExits && !isLast && life !== process && ((this.#luck >> place) & 2) === 0;
      this.#exit(life, { isLast, code, signal, isQuiet });
    });
    this.#endProcess(process, this.#now, code, signal);
  }

  /** Some of the last all say that they are the last of all: the first that does is the end of the process. */
  #exitTogether(process: Life): void {
    const members = this.#membersOf(process);
    const { spreadNs } = this.#options;
    const first = this.#luck % members.length;
    const shared = this.#nextCode();
    members.forEach((life, place) => {
      const at = this.#now + place * spreadNs;
      // At one instant there is no first: then they have one code.
      const code = spreadNs > 0 ? this.#nextCode() : shared;
      this.#exit(life, { isLast: place >= first, code, signal: undefined }, at);
      if (place === first) this.#endProcess(process, at, code, undefined);
    });
  }

  /** Who is left of a process, in some order. */
  #membersOf(process: Life): Life[] {
    const threads = this.#threadsOf(process);
    if (this.#goneLeaders.has(process)) return threads;
    return (this.#luck & 1) === 0 ? [...threads, process] : [process, ...threads];
  }

  #endProcess(process: Life, at: number, code: number | undefined, signal: number | undefined): void {
    this.#goneLeaders.delete(process);
    process.exit = at;
    process.code = code;
    process.signal = signal;
    const reaper = this.#reaperOf(process);
    for (const child of this.lives) {
      if (child.leader !== child || child.exit !== Number.POSITIVE_INFINITY) continue;
      if (child.parents.at(-1)?.parent !== process) continue;
      child.parents.push({ since: at, parent: reaper });
      // Init is what everybody expects; anybody else has to be named.
      const isTold = ((this.#luck + child.tid) & 1) === 0;
      this.#note({ what: 'reparent', life: child, parent: reaper, isTold }, at);
      if (!isTold && reaper !== this.init) this.#note({ what: 'glance', life: child }, at + GLANCE_AFTER);
    }
  }

  /** The next subreaper above, else init. */
  #reaperOf(process: Life): Life {
    let reaper = process.parents.at(-1)?.parent;
    while (reaper !== undefined && !this.#subreapers.has(reaper)) reaper = reaper.parents.at(-1)?.parent;
    return reaper ?? this.init;
  }

  /** The thread of a leader ends, and its process may go on; any other is gone. */
  #exit(life: Life, exit: Exit, at = this.#now): void {
    this.#note({ what: 'exit', life, isQuiet: false, ...exit }, at);
    if (life.leader === life) return;
    life.exit = at;
    if (exit.isQuiet) return;
    life.code = exit.code;
    life.signal = exit.signal;
  }

  #begin(
    life: Pick<Life, 'tid' | 'nsTid' | 'nsPid' | 'pidNs'> & Partial<Pick<Life, 'leader' | 'creator' | 'isSibling'>>,
  ): Life {
    const whole = {
      start: this.#now,
      creator: undefined,
      isSibling: false,
      ...life,
      exit: Number.POSITIVE_INFINITY,
      code: undefined,
      signal: undefined,
      changes: [],
      execs: [],
      left: [],
      parents: [],
    } as unknown as Life & { leader: Life };
    whole.leader ??= whole;
    this.lives.push(whole);
    return whole;
  }

  #change(life: Life, field: Field, value: Value): void {
    life.changes.push({ since: this.#now, field, value });
  }

  #note(what: What, at = this.#now): void {
    this.#happenings.push({ at, luck: this.#luck, step: this.#step, ...what });
  }

  #hasGrandchildren(life: Life): boolean {
    return this.lives.some((other) => {
      const parent = this.#runs(other) ? other.parents.at(-1)?.parent : undefined;
      return parent?.parents.at(-1)?.parent === life;
    });
  }

  /** Has it a thread of its own? That of a leader can be gone while its process goes on. */
  #runs(life: Life): boolean {
    return life.exit === Number.POSITIVE_INFINITY && !this.#goneLeaders.has(life);
  }

  /** Ended a moment ago, and its tid not given out again: /proc still shows it. */
  #isZombie(life: Life): boolean {
    const hasEnded = this.#goneLeaders.has(life) || (life.exit < this.#now && life.exit >= this.#now - 5 * MS);
    if (life.leader !== life || !hasEnded) return false;
    return this.lives.findLast((other) => other.tid === life.tid) === life;
  }

  #threadsOf(process: Life): Life[] {
    return this.lives.filter(
      (life) => life.leader === process && life !== process && life.exit === Number.POSITIVE_INFINITY,
    );
  }

  #nextCode(): number {
    return ++this.#names % 200;
  }

  // The next one that nobody has now, that nobody gave up at this very instant, and that was not given out just now.
  #freePid(): number | undefined {
    const { maxPid, reuseNs } = this.#options;
    for (let tried = 0; tried < maxPid; tried++) {
      const pid = this.#nextPid;
      this.#nextPid = pid >= maxPid ? 2 : pid + 1;
      const last = this.lives.findLast((life) => life.tid === pid);
      if (last === undefined || (last.exit < this.#now && last.start <= this.#now - reuseNs)) return pid;
    }
    return undefined;
  }
}

/** The value at a time: own, else (a thread) that of its process, else what its creator had when it began. */
export function trueValue(life: Life, field: Field, at: number): Value {
  const time = Math.min(at, life.exit);
  if (field === 'nsTid' || field === 'nsPid' || field === 'pidNs') return life[field];
  const own = life.changes.findLast((change) => change.field === field && change.since <= time);
  if (own !== undefined) return own.value;
  if (life.leader !== life && field !== 'comm') return trueValue(life.leader, field, time);
  return life.creator === undefined ? undefined : trueValue(life.creator, field, life.start);
}

export function trueParent(life: Life, at: number): Life | undefined {
  const time = Math.min(at, life.exit);
  return life.parents.findLast(({ since }) => since <= time)?.parent;
}
