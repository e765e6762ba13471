// Polls /proc: what is left where the kernel's events cannot be had. Sees what
// lives longer than the time between two polls.

import { AUTHORITY, DendroError, type EventNs, type SourceStatus, type TaskEvent, toError } from '@dendro/protocol';
import { HostClock } from '../host-clock.ts';
import type { EventSink, Source } from '../source.ts';
import { ProcfsReader } from './reader.ts';
import type { StatLine } from './stat-line.ts';

export interface ProcfsSourceOptions {
  readonly clock?: HostClock | undefined;
  /** Milliseconds between two polls, at least. Default 250. */
  readonly pollMs?: number | undefined;
  readonly root?: string | undefined;
}

/** What was known of a process after the last poll. */
interface Known {
  readonly startTicks: number;
  comm: string;
  ppid: number;
  /** Its threads other than the leader: tid -> start. */
  readonly threads: Map<number, EventNs>;
  threadCount: number;
  threadsReadAt: number;
  /** When it was last read in full. */
  readAt: number;
}

const POLL_MS = 250;
/** Polling may take this part of a core; when it takes more, it is done less often. */
const MAX_SHARE = 0.1;
const MAX_POLL_MS = 5000;
/** A young process is likely to exec without a change of name: it is read in full until it is this old. */
const YOUNG_MS = 2000;
const READ_AGAIN_MS = 30_000;
/** A thread that replaced another leaves the count of threads as it was: lists are read again in turns. */
const THREADS_AGAIN_MS = 5000;

export class ProcfsSource implements Source {
  readonly name = 'procfs';
  readonly isLive = true;
  readonly #clock: HostClock;
  readonly #reader: ProcfsReader;
  readonly #pollMs: number;
  readonly #known = new Map<number, Known>();
  #sink: EventSink | undefined;
  #timer: NodeJS.Timeout | undefined;
  #state: SourceStatus['state'] = 'starting';
  #events = 0;
  #intervalMs: number;
  #failure: string | undefined;

  constructor({ clock = HostClock.read(), pollMs = POLL_MS, root = '/proc' }: ProcfsSourceOptions = {}) {
    this.#clock = clock;
    this.#reader = new ProcfsReader({ clock, root });
    this.#pollMs = pollMs;
    this.#intervalMs = pollMs;
  }

  async start(sink: EventSink): Promise<void> {
    this.#sink = sink;
    sink({ type: 'clock', epochNs: this.#clock.base.epochNs });
    try {
      this.#poll();
    } catch (thrown) {
      this.#state = 'failed';
      throw new DendroError(
        'DENDRO_SOURCE_UNAVAILABLE',
        `/proc cannot be read (${toError(thrown).message}): mount it with "mount -t proc proc /proc".`,
        { cause: thrown },
      );
    }
    this.#state = 'running';
    this.#schedule();
  }

  status(): SourceStatus {
    return {
      name: this.name,
      state: this.#state,
      detail: `Polls /proc every ${this.#intervalMs} ms.`,
      notices: [...this.#notices()],
      events: this.#events,
      lost: 0,
      rejected: this.#reader.rejected,
    };
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#sink = undefined;
    if (this.#state !== 'failed') this.#state = 'ended';
  }

  *#notices(): Generator<string> {
    yield `Processes that live shorter than ${this.#intervalMs} ms are not seen, and neither are exit codes.`;
    if (this.#intervalMs > this.#pollMs)
      yield `Reading /proc takes long here, so it is polled less often than every ${this.#pollMs} ms.`;
    const denied = this.#reader.deniedCount;
    if (denied > 0) yield 'Programs and folders of other users cannot be read without root.';
    if (process.geteuid?.() !== 0) yield 'Run as root to trace kernel events with tracefs, which sees every process.';
    if (!this.#known.has(1)) yield '/proc is mounted with hidepid: processes of other users are hidden.';
    if (this.#failure !== undefined) yield this.#failure;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      const began = performance.now();
      try {
        this.#poll();
        this.#failure = undefined;
      } catch (thrown) {
        this.#failure = `/proc could not be read: ${toError(thrown).message}.`;
      }
      const cost = performance.now() - began;
      const bearable = Math.min(MAX_POLL_MS, Math.ceil(cost / MAX_SHARE / 50) * 50);
      this.#intervalMs = Math.max(this.#pollMs, bearable);
      if (this.#sink !== undefined) this.#schedule();
    }, this.#intervalMs);
  }

  #poll(): void {
    const pids = this.#reader.pids();
    for (const pid of pids) this.#look(pid);
    const living = new Set(pids);
    for (const [pid, known] of this.#known) if (!living.has(pid)) this.#end(pid, known);
  }

  #look(pid: number): void {
    const stat = this.#reader.stat(pid);
    let known = this.#known.get(pid);
    if (known !== undefined && (stat === undefined || stat.startTicks !== known.startTicks || isDead(stat))) {
      this.#end(pid, known);
      known = undefined;
    }
    if (stat === undefined || isDead(stat)) return;
    if (known === undefined) this.#begin(pid, stat);
    else this.#compare(pid, known, stat);
  }

  #begin(pid: number, stat: StatLine): void {
    const now = performance.now();
    const known: Known = {
      startTicks: stat.startTicks,
      comm: stat.comm,
      ppid: stat.ppid,
      threads: new Map(),
      threadCount: 1,
      threadsReadAt: now,
      readAt: now,
    };
    const seen = this.#reader.readProcess(pid);
    if (seen === undefined) return; // it has gone meanwhile, or is another one: the next poll sees that
    this.#known.set(pid, known);
    this.#emit(seen);
    if (stat.threads > 1) this.#compareThreads(pid, known, stat.threads);
  }

  #compare(pid: number, known: Known, stat: StatLine): void {
    const now = performance.now();
    const at = this.#clock.now();
    const start = this.#clock.fromStartTicks(known.startTicks);
    if (stat.ppid !== known.ppid) {
      known.ppid = stat.ppid;
      this.#emit({ type: 'reparent', at, pid, start, parentPid: stat.ppid, authority: AUTHORITY.procfs });
    }
    const isRenamed = stat.comm !== known.comm;
    if (isRenamed) {
      known.comm = stat.comm;
      this.#emit({ type: 'rename', at, tid: pid, start, comm: stat.comm, authority: AUTHORITY.procfs });
    }
    const ageMs = (at - start) / 1e6;
    if (isRenamed || ageMs < YOUNG_MS || now - known.readAt > READ_AGAIN_MS) {
      known.readAt = now;
      const seen = this.#reader.readProcess(pid);
      if (seen !== undefined) this.#emit(seen);
    }
    if (stat.threads !== known.threadCount || (stat.threads > 1 && now - known.threadsReadAt > THREADS_AGAIN_MS)) {
      this.#compareThreads(pid, known, stat.threads);
    }
  }

  #compareThreads(pid: number, known: Known, count: number): void {
    known.threadsReadAt = performance.now();
    known.threadCount = count;
    const tids = this.#reader.tids(pid);
    const living = new Set(tids);
    for (const [tid, start] of known.threads) {
      if (!living.has(tid)) this.#endThread(pid, known, tid, start);
    }
    const young = tids.filter((tid) => tid !== pid && !known.threads.has(tid));
    for (const thread of this.#reader.readThreads(pid, young)) {
      known.threads.set(thread.tid, thread.start);
      this.#emit(thread);
    }
  }

  #endThread(pid: number, known: Known, tid: number, start: EventNs): void {
    known.threads.delete(tid);
    this.#emit({
      type: 'exit',
      at: this.#clock.now(),
      tid,
      pid,
      start,
      isGroupDead: false,
      authority: AUTHORITY.procfs,
    });
  }

  #end(pid: number, known: Known): void {
    this.#known.delete(pid);
    this.#emit({
      type: 'exit',
      at: this.#clock.now(),
      tid: pid,
      pid,
      start: this.#clock.fromStartTicks(known.startTicks),
      isGroupDead: true,
      authority: AUTHORITY.procfs,
    });
  }

  #emit(event: TaskEvent): void {
    this.#events++;
    this.#sink?.(event);
  }
}

/** A zombie has ended, unless other threads of it go on. */
function isDead(stat: StatLine): boolean {
  return (stat.state === 'Z' || stat.state === 'X') && stat.threads <= 1;
}
