// Polls /proc: what is left where the kernel's events cannot be had. Sees what
// lives longer than the time between two polls.
//
// A poll lists /proc and reads one stat line of each process. That tells births,
// ends, new names and parents, and execs: the program then lies elsewhere in
// memory. All else is read once, again after an exec, and now and then.

import { hash } from 'node:crypto';
import {
  AUTHORITY,
  DendroError,
  type EventNs,
  type ObserveEvent,
  type SourceStatus,
  type TaskEvent,
  toError,
} from '@dendro/protocol';
import { HostClock } from '../host-clock.ts';
import type { EventSink, Source } from '../source.ts';
import { DEFAULT_BUDGET_MS, NO_COUNTS, type ProcfsCounts } from './counts.ts';
import { CpuCredit } from './cpu-credit.ts';
import { ProcfsReader } from './reader.ts';
import { hasEnded, type StatLine } from './stat-line.ts';

export interface ProcfsSourceOptions {
  readonly clock?: HostClock | undefined;
  /** Milliseconds between two polls, at least. Default 250. */
  readonly pollMs?: number | undefined;
  /** Milliseconds of each second that polling may take; when it takes more, it is done less often. Default 100. */
  readonly budgetMs?: number | undefined;
  readonly root?: string | undefined;
}

/** What was known of a process after the last poll. */
interface Known {
  readonly startTicks: number;
  readonly start: EventNs;
  readonly isKernelThread: boolean;
  comm: string;
  ppid: number;
  image: number;
  /** Digest of the last sighting: one that says the same is not passed on. */
  said: string;
  /** Was something of it not to be read? */
  isDenied: boolean;
  /** When it is read in full again, in ms. */
  readAgainAt: number;
  /** Its threads other than the leader, by tid. */
  readonly threads: Map<number, KnownThread>;
  threadCount: number;
  threadsAgainAt: number;
}

interface KnownThread {
  readonly start: EventNs;
  comm: string;
}

const POLL_MS = 250;
const MAX_POLL_MS = 5000;
/** What a process changes without an exec (title, folder, user) it mostly changes when it is young. */
const READ_AGAIN_MS = 30_000;
/** So many at most in one poll: a crowd that was born together comes of age together. */
const MAX_READ_AGAIN = 50;
/** Threads change names, and one that replaced another leaves their count as it was. */
const THREADS_AGAIN_MS = 5000;

export class ProcfsSource implements Source {
  readonly name = 'procfs';
  readonly isLive = true;
  readonly #clock: HostClock;
  readonly #reader: ProcfsReader;
  readonly #pollMs: number;
  readonly #root: string;
  readonly #known = new Map<number, Known>();
  readonly #budgetMs: number;
  readonly #credit: CpuCredit;
  #sink: EventSink | undefined;
  #timer: NodeJS.Timeout | undefined;
  #state: SourceStatus['state'] = 'starting';
  #events = 0;
  #spentMs = 0;
  #reads = 0;
  #vanished = 0;
  #intervalMs: number;
  /** Full readings that this poll may still repeat. */
  #readingsLeft = 0;
  #failure: string | undefined;

  constructor({
    clock = HostClock.read(),
    pollMs = POLL_MS,
    budgetMs = DEFAULT_BUDGET_MS,
    root = '/proc',
  }: ProcfsSourceOptions = {}) {
    this.#clock = clock;
    this.#reader = new ProcfsReader({ clock, root });
    this.#root = root;
    this.#pollMs = pollMs;
    this.#budgetMs = budgetMs;
    this.#credit = new CpuCredit(budgetMs / 1000);
    this.#intervalMs = pollMs;
  }

  async start(sink: EventSink): Promise<void> {
    this.#sink = sink;
    sink({ type: 'clock', epochNs: this.#clock.base.epochNs });
    const from = this.#clock.now();
    try {
      this.#measuredPoll();
    } catch (thrown) {
      this.#state = 'failed';
      throw new DendroError(
        'DENDRO_SOURCE_UNAVAILABLE',
        `${this.#root} cannot be read (${toError(thrown).message}): mount it with "mount -t proc proc ${this.#root}".`,
        { cause: thrown },
      );
    }
    // Who an earlier run knew and is not there any more has ended, unless others are hidden from us.
    const seesAll = this.#known.has(1);
    if (seesAll) sink({ type: 'scan', from, at: this.#clock.now() });
    this.#state = 'running';
    this.#schedule();
  }

  status(): SourceStatus {
    return {
      name: this.name,
      state: this.#state,
      detail: `Polls ${this.#root} every ${this.#intervalMs} ms.`,
      notices: [...this.#notices()],
      events: this.#events,
      lost: 0,
      rejected: { ...this.#reader.rejected },
    };
  }

  /** What polling has cost. */
  get counts(): ProcfsCounts {
    const denied = this.#reader.deniedCount;
    return { ...NO_COUNTS, spentMs: this.#spentMs, reads: this.#reads, vanished: this.#vanished, denied };
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#sink = undefined;
    if (this.#state !== 'failed') this.#state = 'ended';
  }

  *#notices(): Generator<string> {
    const isRoot = process.geteuid?.() === 0;
    yield `Processes that live shorter than ${this.#intervalMs} ms are not seen, and neither are exit codes.`;
    if (this.#intervalMs > this.#pollMs)
      yield `Reading ${this.#root} takes more than ${this.#budgetMs} ms of a second, so it is polled less often than every ${this.#pollMs} ms: --procfs-budget allows more.`;
    let denied = 0;
    for (const known of this.#known.values()) if (known.isDenied) denied++;
    if (denied > 0)
      yield `Program and folder of ${denied} of ${this.#known.size} processes cannot be read: ${isRoot ? 'this root has not all capabilities that they have' : 'they belong to other users'}.`;
    if (!isRoot) yield 'Run as root to trace kernel events with tracefs, which sees every process.';
    if (this.#state === 'running' && !this.#known.has(1))
      yield `${this.#root} is mounted with hidepid: processes of other users are hidden. Run as root, or mount it with hidepid=0.`;
    if (this.#failure !== undefined) yield this.#failure;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      let pauseMs = 0;
      try {
        pauseMs = this.#measuredPoll();
        this.#failure = undefined;
      } catch (thrown) {
        this.#failure = `${this.#root} could not be read: ${toError(thrown).message}.`;
      }
      this.#intervalMs = Math.min(MAX_POLL_MS, Math.max(this.#pollMs, pauseMs));
      if (this.#sink !== undefined) this.#schedule();
    }, this.#intervalMs);
  }

  /** @returns milliseconds to wait until the budget has grown again */
  #measuredPoll(): number {
    const before = process.threadCpuUsage();
    this.#poll();
    const { user, system } = process.threadCpuUsage(before);
    const costMs = (user + system) / 1000;
    this.#spentMs += costMs;
    return this.#credit.spend(costMs, performance.now());
  }

  #poll(): void {
    const pids = this.#reader.pids();
    if (pids.length === 0) throw new Error('no process is in it');
    this.#readingsLeft = MAX_READ_AGAIN;
    const living = new Set(pids);
    // Ends first: the new parents of those who stay come after them.
    for (const [pid, known] of this.#known) if (!living.has(pid)) this.#end(pid, known);
    for (const pid of pids) this.#look(pid);
  }

  #look(pid: number): void {
    const stat = this.#reader.stat(pid);
    if (stat === undefined) return; // when it has gone, the next list says so; when it could not be read, it lives on
    let known = this.#known.get(pid);
    if (known !== undefined && (stat.startTicks !== known.startTicks || hasEnded(stat))) {
      this.#end(pid, known);
      known = undefined;
    }
    if (hasEnded(stat)) return;
    if (known === undefined) this.#begin(pid, stat);
    else this.#compare(pid, known, stat);
  }

  #begin(pid: number, stat: StatLine): void {
    const { startTicks, isKernelThread, comm, ppid, image } = stat;
    const known: Known = {
      startTicks,
      start: this.#clock.fromStartTicks(startTicks),
      isKernelThread,
      comm,
      ppid,
      image,
      said: '',
      isDenied: false,
      readAgainAt: 0,
      threads: new Map(),
      threadCount: 1,
      threadsAgainAt: 0,
    };
    const seen = this.#read(pid, known);
    if (seen === undefined) return; // it has gone meanwhile, or is another one: the next poll sees that
    this.#known.set(pid, known);
    known.said = digest(seen);
    this.#emit(seen);
    if (stat.threads > 1) this.#compareThreads(pid, known, stat.threads);
  }

  #compare(pid: number, known: Known, stat: StatLine): void {
    const at = this.#clock.now();
    const { start } = known;
    const authority = AUTHORITY.sighting;
    if (stat.ppid !== known.ppid) {
      known.ppid = stat.ppid;
      this.#emit({ type: 'reparent', at, pid, start, parentPid: stat.ppid, authority });
    }
    if (stat.image !== known.image) {
      known.image = stat.image;
      this.#emitExec(pid, known, stat);
    } else {
      const isRenamed = stat.comm !== known.comm;
      if (isRenamed) {
        known.comm = stat.comm;
        this.#emit({ type: 'rename', at, tid: pid, pid, start, comm: stat.comm, authority });
      }
      // Where the kernel does not tell what lies where, a new name may mean an exec.
      if (isRenamed && stat.image === 0 && !known.isKernelThread) this.#readAgain(pid, known);
      else if (!known.isKernelThread && this.#readingsLeft > 0 && performance.now() >= known.readAgainAt) {
        this.#readingsLeft--;
        this.#readAgain(pid, known);
      }
    }
    if (stat.threads !== known.threadCount || (stat.threads > 1 && performance.now() >= known.threadsAgainAt)) {
      this.#compareThreads(pid, known, stat.threads);
    }
  }

  #emitExec(pid: number, known: Known, stat: StatLine): void {
    const seen = this.#read(pid, known);
    if (seen === undefined) return;
    const { at, start, comm = stat.comm, executable, argv, cwd, uid, container } = seen;
    known.comm = comm;
    known.said = digest(seen);
    // An exec ends all other threads, so those that are there now are new ones.
    known.threads.clear();
    known.threadCount = 1;
    this.#emit({
      type: 'exec',
      at,
      pid,
      start,
      authority: AUTHORITY.sighting,
      comm,
      executable,
      argv,
      cwd,
      uid,
      container,
    });
  }

  #readAgain(pid: number, known: Known): void {
    const seen = this.#read(pid, known);
    if (seen === undefined) return;
    const said = digest(seen);
    if (said === known.said) return;
    known.said = said;
    this.#emit(seen);
  }

  /** Reads everything of a process. It is due again at twice its age: often while it is young. */
  #read(pid: number, known: Known): ObserveEvent | undefined {
    const denied = this.#reader.deniedCount;
    const seen = this.#reader.readProcess(pid);
    known.isDenied = this.#reader.deniedCount > denied;
    const ageMs = (this.#clock.now() - known.start) / 1e6;
    // Those that were all there at the start do not all come in one poll.
    const again = Math.min(READ_AGAIN_MS, Math.max(ageMs, this.#pollMs)) * (1 + (pid % 16) / 16);
    known.readAgainAt = performance.now() + again;
    if (seen?.start === known.start) {
      this.#reads++;
      return seen;
    }
    this.#vanished++; // or its pid was given out again meanwhile
    return undefined;
  }

  #compareThreads(pid: number, known: Known, count: number): void {
    known.threadCount = count;
    known.threadsAgainAt = performance.now() + THREADS_AGAIN_MS * (1 + (pid % 16) / 16);
    const seen = new Set<number>();
    for (const thread of this.#reader.readThreads(pid)) {
      const { tid, start, comm = '' } = thread;
      seen.add(tid);
      const before = known.threads.get(tid);
      if (before?.start === start) {
        if (before.comm === comm) continue;
        before.comm = comm;
        this.#emit({ type: 'rename', at: thread.at, tid, pid, start, comm, authority: AUTHORITY.sighting });
        continue;
      }
      if (before !== undefined) this.#endThread(pid, tid, before);
      known.threads.set(tid, { start, comm });
      this.#emit(thread);
    }
    for (const [tid, thread] of known.threads) {
      if (seen.has(tid)) continue;
      known.threads.delete(tid);
      this.#endThread(pid, tid, thread);
    }
  }

  #endThread(pid: number, tid: number, { start }: KnownThread): void {
    const at = this.#clock.now();
    this.#emit({ type: 'exit', at, tid, pid, start, isGroupDead: false, authority: AUTHORITY.sighting });
  }

  #end(pid: number, { start }: Known): void {
    this.#known.delete(pid);
    const at = this.#clock.now();
    this.#emit({ type: 'exit', at, tid: pid, pid, start, isGroupDead: true, authority: AUTHORITY.sighting });
  }

  #emit(event: TaskEvent): void {
    this.#events++;
    this.#sink?.(event);
  }
}

// A digest and not the sighting itself: an argv can be long. Name and parent have events of their own.
function digest({ at: _at, comm: _comm, ppid: _ppid, ...rest }: ObserveEvent): string {
  return hash('sha1', JSON.stringify(rest), 'base64');
}
