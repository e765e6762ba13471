// Reads tasks from /proc. Synchronous; it runs in a worker.
//
// A pid can be given out again between two reads, and a process can run another
// program. So everything is read through one descriptor of the process' folder,
// which leads to one life only, and its stat line is read before and after: with
// another program, it is read again. What is the first to go when a process ends
// (arguments, program, folder) is read first.
// Environments are never read: they hold secrets.

import type { BigIntStats } from 'node:fs';
import type { EventNs, FileInfo, ObserveEvent, ScanEvent } from '@dendro/protocol';
import type { HostClock } from '../host-clock.ts';
import { containerOf } from './container.ts';
import { ProcFiles } from './proc-files.ts';
import { hasEnded, isDead, parseStatLine, type StatLine } from './stat-line.ts';
import { countOf, lastNumber, numberAt } from './status-text.ts';

export interface ProcfsReaderOptions {
  readonly clock: HostClock;
  /** Default `/proc`. */
  readonly root?: string | undefined;
}

/** What was read of a process. */
export interface Reading {
  readonly seen: ObserveEvent;
  /**
   * False when the process ended while it was read: all of this is of one life, but if it ran another program meanwhile,
   * some of it can be of that.
   */
  readonly isSure: boolean;
}

/** Stands behind a command line that was too long. */
export const CUT_MARK = '… (cut: the command line is longer)';
/** A process that runs one program after the other is described as it was, after so many tries. */
const MAX_TRIES = 3;
const DELETED = ' (deleted)';
const INIT_PID = 1;

export class ProcfsReader {
  readonly #clock: HostClock;
  readonly #files: ProcFiles;
  readonly #root: string;

  constructor({ clock, root = '/proc' }: ProcfsReaderOptions) {
    this.#clock = clock;
    this.#root = root;
    this.#files = new ProcFiles(root);
  }

  /** Reads that were not allowed, so far. */
  get deniedCount(): number {
    return this.#files.denied;
  }

  /** What could not be understood, by reason. */
  get rejected(): Readonly<Record<string, number>> {
    return this.#files.rejected;
  }

  /** @throws Error when /proc cannot be listed */
  pids(): number[] {
    return this.#files.pids();
  }

  tids(pid: number): number[] {
    return this.#files.tids(pid);
  }

  /** The stat line of a process, or of one of its threads; undefined when it has gone or cannot be read. */
  stat(pid: number, tid?: number): StatLine | undefined {
    return this.#statIn(tid === undefined ? `${this.#root}/${pid}` : `${this.#root}/${pid}/task/${tid}`);
  }

  /** Everything that /proc says of a process; undefined when it has gone. Of a zombie that is little. */
  readProcess(pid: number): ObserveEvent | undefined {
    const reading = this.tryProcess(pid);
    if (reading === undefined || reading.isSure) return reading?.seen;
    const stat = this.stat(pid); // it has ended: what is left of it?
    const left = stat === undefined ? undefined : this.#sighting(stat, pid);
    return left?.start === reading.seen.start ? left : undefined;
  }

  /** The same, and whether it is sure; undefined when the process had gone at once. */
  tryProcess(pid: number): Reading | undefined {
    return this.#files.within(pid, (folder) => {
      let before = this.#statIn(folder);
      for (let tries = MAX_TRIES; before !== undefined; tries--) {
        const seen = isDead(before) ? this.#sighting(before, pid) : this.#describe(before, pid, folder);
        if (seen === undefined) return undefined;
        const after = this.#statIn(folder);
        if (after === undefined || isDead(after)) return { seen, isSure: after !== undefined && isDead(before) };
        if (tries === 1 || (after.image === before.image && after.comm === before.comm)) return { seen, isSure: true };
        before = after;
      }
      return undefined;
    });
  }

  /** The threads of a process other than its leader. */
  readThreads(pid: number, tids: readonly number[] = this.tids(pid)): ObserveEvent[] {
    const threads: ObserveEvent[] = [];
    if (tids.length === 0 || (tids.length === 1 && tids[0] === pid)) return threads;
    // All threads of a process are in one pid namespace: only when that is not this one they have other tids inside.
    const isNested = countOf(this.#files.text(`${this.#root}/${pid}/status`) ?? '', 'NSpid') > 1;
    for (const tid of tids) {
      const stat = tid === pid ? undefined : this.stat(pid, tid);
      if (stat === undefined || isDead(stat)) continue;
      const nsTid = isNested
        ? lastNumber(this.#files.text(`${this.#root}/${pid}/task/${tid}/status`) ?? '', 'NSpid')
        : tid;
      threads.push({ ...this.#sighting(stat, pid), ppid: 0, nsTid });
    }
    return threads;
  }

  /** All living processes and threads, a process before its threads. */
  *scan(): Generator<ObserveEvent> {
    yield* this.#walk(this.pids());
  }

  /**
   * The same, and at the end that it was all. Where /proc hides processes of others it was not, and nobody is taken to have
   * gone for not being seen.
   */
  *wholeScan(): Generator<ObserveEvent | ScanEvent> {
    const from = this.#clock.now();
    const pids = this.pids();
    const isWhole = yield* this.#walk(pids);
    const sees = isWhole && pids.includes(INIT_PID);
    yield { type: 'scan', from: sees ? from : (Number.NEGATIVE_INFINITY as EventNs), at: this.#clock.now() };
  }

  /** @returns false when something of what is listed was not to be read */
  *#walk(pids: readonly number[]): Generator<ObserveEvent, boolean> {
    let isWhole = true;
    for (const pid of pids) {
      const denied = this.deniedCount;
      const stat = this.stat(pid);
      if (stat === undefined && this.deniedCount > denied) isWhole = false;
      if (stat === undefined || hasEnded(stat)) continue;
      const process = this.readProcess(pid);
      if (process === undefined) continue;
      yield process;
      if (stat.threads > 1) yield* this.readThreads(pid);
    }
    return isWhole;
  }

  /**
   * The processes that these threads are of, with all of their threads; and `self` with its ancestors, without threads. At
   * the end, that it was all.
   */
  *scanOnly(tids: readonly number[], self: number): Generator<ObserveEvent | ScanEvent> {
    const from = this.#clock.now();
    const denied = this.deniedCount;
    yield* this.#lineage(self);
    // /proc shows a thread under its tid as well.
    const pids = new Set(tids.map((tid) => this.#pidOf(tid)));
    for (const pid of pids) {
      const process = pid === undefined || pid === self ? undefined : this.readProcess(pid);
      if (process === undefined) continue;
      yield process;
      yield* this.readThreads(process.pid);
    }
    const sees = this.deniedCount === denied;
    yield { type: 'scan', from: sees ? from : (Number.NEGATIVE_INFINITY as EventNs), at: this.#clock.now() };
  }

  *#lineage(self: number): Generator<ObserveEvent> {
    for (let pid = self; pid > 0; ) {
      const ancestor = this.readProcess(pid);
      if (ancestor === undefined) return;
      yield ancestor;
      pid = ancestor.ppid;
    }
  }

  #pidOf(tid: number): number | undefined {
    return numberAt(this.#files.text(`${this.#root}/${tid}/status`) ?? '', 'Tgid', 0);
  }

  #statIn(folder: string): StatLine | undefined {
    const line = this.#files.text(`${folder}/stat`);
    if (line === undefined) return undefined;
    const stat = parseStatLine(line);
    if (stat === undefined) this.#files.reject('unparsable-stat');
    return stat;
  }

  /** Undefined for a thread: /proc shows it under its tid as well, and it is no process. */
  #describe(stat: StatLine, pid: number, folder: string): ObserveEvent | undefined {
    const seen = this.#sighting(stat, pid);
    const program = stat.isKernelThread
      ? {}
      : { argv: this.#argv(folder), executable: this.#executable(folder), cwd: this.#files.link(`${folder}/cwd`) };
    const status = this.#files.text(`${folder}/status`) ?? '';
    if ((numberAt(status, 'Tgid', 0) ?? pid) !== pid) return undefined;
    return {
      ...seen,
      ...program,
      // Real, effective, saved and that of the file system: who it is, not whose rights it has borrowed [CR1].
      uid: numberAt(status, 'Uid', 0),
      gid: numberAt(status, 'Gid', 0),
      euid: numberAt(status, 'Uid', 1),
      egid: numberAt(status, 'Gid', 1),
      nsTid: lastNumber(status, 'NSpid'),
      nsPid: lastNumber(status, 'NStgid'),
      pidNs: this.#pidNamespace(folder),
      container: containerOf(this.#files.text(`${folder}/cgroup`) ?? ''),
    };
  }

  #sighting(stat: StatLine, pid: number): ObserveEvent {
    return {
      type: 'observe',
      at: this.#clock.now(),
      tid: stat.tid,
      pid,
      ppid: stat.ppid,
      start: this.#clock.fromStartTicks(stat.startTicks),
      startIsTick: true,
      isKernelThread: stat.isKernelThread,
      comm: stat.comm,
    };
  }

  #argv(folder: string): readonly string[] | undefined {
    const line = this.#files.cut(`${folder}/cmdline`);
    if (line === undefined || line.text === '') return undefined;
    const argv = withoutPadding(line.text.replace(/\0$/, '').split('\0'));
    return line.isCut ? [...argv, CUT_MARK] : argv;
  }

  #executable(folder: string): FileInfo | undefined {
    const target = this.#files.link(`${folder}/exe`);
    if (target === undefined) return undefined;
    // Follows to the file that runs, a deleted one too.
    const file = this.#files.file(`${folder}/exe`);
    if (file === undefined) return { path: target };
    return {
      path: this.#isDeleted(folder, target, file) ? target.slice(0, -DELETED.length) : target,
      device: Number(file.dev),
      inode: String(file.ino),
      ctime: String(file.ctimeNs),
      mode: Number(file.mode),
      links: Number(file.nlink),
    };
  }

  /** Is the remark behind the path the kernel's, or how the file is called? */
  #isDeleted(folder: string, target: string, file: BigIntStats): boolean {
    if (!target.endsWith(DELETED)) return false;
    if (file.nlink === 0n) return true;
    const named = this.#files.file(`${folder}/root${target}`);
    // When nothing is called so, the file has another name left.
    return named === undefined || named.ino !== file.ino || named.dev !== file.dev;
  }

  #pidNamespace(folder: string): number | undefined {
    const inode = /^pid:\[(\d+)\]$/.exec(this.#files.link(`${folder}/ns/pid`) ?? '')?.[1];
    return inode === undefined ? undefined : Number(inode);
  }
}

/** A process that writes a title over its arguments pads it with NULs: these are no empty arguments. */
function withoutPadding(argv: readonly string[]): readonly string[] {
  return argv.length > 2 && argv.slice(1).every((argument) => argument === '') ? argv.slice(0, 1) : argv;
}
