// Reads tasks from /proc. Synchronous, into one buffer: for files this small
// that is seven times faster than promises, and it runs in a worker.
//
// A pid can be given out again between two reads, and a process can run another
// program: its stat line is read before and after everything else. With another
// start, what lies between is dropped; with another program, it is read again.
// Environments are never read: they hold secrets.

import { type BigIntStats, closeSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs';
import type { FileInfo, ObserveEvent } from '@dendro/protocol';
import type { HostClock } from '../host-clock.ts';
import { containerOf } from './container.ts';
import { hasEnded, isDead, parseStatLine, type StatLine } from './stat-line.ts';

export interface ProcfsReaderOptions {
  readonly clock: HostClock;
  /** Default `/proc`. */
  readonly root?: string | undefined;
}

/** A command line longer than this is cut, and says so in its last argument. */
const MAX_CMDLINE = 128 * 1024;
export const CUT_MARK = '… (cut: the command line is longer)';
/** A process that runs one program after the other is described as it was, after so many tries. */
const MAX_TRIES = 3;
const DELETED = ' (deleted)';

export class ProcfsReader {
  readonly #clock: HostClock;
  readonly #root: string;
  readonly #buffer = Buffer.allocUnsafe(MAX_CMDLINE + 1);
  readonly #rejected: Record<string, number> = {};
  #denied = 0;

  constructor({ clock, root = '/proc' }: ProcfsReaderOptions) {
    this.#clock = clock;
    this.#root = root;
  }

  /** Reads that were not allowed, so far. */
  get deniedCount(): number {
    return this.#denied;
  }

  /** What could not be understood, by reason. */
  get rejected(): Readonly<Record<string, number>> {
    return this.#rejected;
  }

  /** @throws Error when /proc cannot be listed */
  pids(): number[] {
    return numbersIn(readdirSync(this.#root));
  }

  tids(pid: number): number[] {
    try {
      return numbersIn(readdirSync(`${this.#root}/${pid}/task`));
    } catch {
      return []; // it has gone
    }
  }

  /** The stat line of a process, or of one of its threads; undefined when it has gone or cannot be read. */
  stat(pid: number, tid?: number): StatLine | undefined {
    const line = this.#text(tid === undefined ? `${pid}/stat` : `${pid}/task/${tid}/stat`);
    if (line === undefined) return undefined;
    const stat = parseStatLine(line);
    if (stat === undefined) this.#reject('unparsable-stat');
    return stat;
  }

  /**
   * Everything that /proc says of a process; undefined when it has gone. Of a zombie that is little.
   * @param stat its stat line, where it has been read just now
   */
  readProcess(pid: number, stat: StatLine | undefined = this.stat(pid)): ObserveEvent | undefined {
    let before = stat;
    for (let tries = MAX_TRIES; before !== undefined; tries--) {
      const event = this.#describe(before, pid);
      const after = this.stat(pid);
      if (after?.startTicks !== before.startTicks) return undefined;
      if (tries === 1 || (after.image === before.image && after.comm === before.comm)) return event;
      before = after;
    }
    return undefined;
  }

  /** The threads of a process other than its leader. */
  readThreads(pid: number, tids: readonly number[] = this.tids(pid)): ObserveEvent[] {
    const threads: ObserveEvent[] = [];
    if (tids.length === 0 || (tids.length === 1 && tids[0] === pid)) return threads;
    // All threads of a process are in one pid namespace: only when that is not this one they have other tids inside.
    const isNested = (lineOf(this.#text(`${pid}/status`) ?? '', 'NSpid')?.split('\t').length ?? 1) > 1;
    for (const tid of tids) {
      const stat = tid === pid ? undefined : this.stat(pid, tid);
      if (stat === undefined || isDead(stat)) continue;
      const nsTid = isNested ? lastNumber(this.#text(`${pid}/task/${tid}/status`) ?? '', 'NSpid') : tid;
      threads.push({ ...this.#sighting(stat, pid), ppid: 0, nsTid });
    }
    return threads;
  }

  /** All living processes and threads, a process before its threads. */
  *scan(): Generator<ObserveEvent> {
    for (const pid of this.pids()) {
      const stat = this.stat(pid);
      if (stat === undefined || hasEnded(stat)) continue;
      const process = this.readProcess(pid, stat);
      if (process === undefined) continue;
      yield process;
      if (stat.threads > 1) yield* this.readThreads(pid);
    }
  }

  #describe(stat: StatLine, pid: number): ObserveEvent {
    const seen = this.#sighting(stat, pid);
    if (isDead(stat)) return seen;
    const status = this.#text(`${pid}/status`) ?? '';
    return {
      ...seen,
      // Real, effective, saved and that of the file system: who it is, not whose rights it has borrowed [CR1].
      uid: numberAt(status, 'Uid', 0),
      gid: numberAt(status, 'Gid', 0),
      nsTid: lastNumber(status, 'NSpid'),
      nsPid: lastNumber(status, 'NStgid'),
      pidNs: this.#pidNamespace(pid),
      container: containerOf(this.#text(`${pid}/cgroup`) ?? ''),
      ...(stat.isKernelThread
        ? {}
        : { argv: this.#argv(pid), executable: this.#executable(pid), cwd: this.#link(`${pid}/cwd`) }),
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

  #argv(pid: number): readonly string[] | undefined {
    const length = this.#fill(`${pid}/cmdline`);
    if (length === undefined || length === 0) return undefined;
    const isCut = length > MAX_CMDLINE;
    const text = this.#buffer.toString('utf8', 0, isCut ? MAX_CMDLINE : length);
    const argv = withoutPadding(text.replace(/\0$/, '').split('\0'));
    return isCut ? [...argv, CUT_MARK] : argv;
  }

  #executable(pid: number): FileInfo | undefined {
    const target = this.#link(`${pid}/exe`);
    if (target === undefined) return undefined;
    try {
      // Follows to the file that runs, a deleted one too.
      const file = statSync(`${this.#root}/${pid}/exe`, { bigint: true });
      return {
        path: this.#isDeleted(pid, target, file) ? target.slice(0, -DELETED.length) : target,
        device: Number(file.dev),
        inode: String(file.ino),
        ctime: String(file.ctimeNs),
        mode: Number(file.mode),
      };
    } catch (error) {
      this.#note(error);
      return { path: target };
    }
  }

  /** Is the remark behind the path the kernel's, or how the file is called? */
  #isDeleted(pid: number, target: string, file: BigIntStats): boolean {
    if (!target.endsWith(DELETED)) return false;
    if (file.nlink === 0n) return true;
    try {
      const named = statSync(`${this.#root}/${pid}/root${target}`, { bigint: true });
      return named.ino !== file.ino || named.dev !== file.dev;
    } catch {
      return true; // nothing is called so; the file has another name left
    }
  }

  #pidNamespace(pid: number): number | undefined {
    const inode = /^pid:\[(\d+)\]$/.exec(this.#link(`${pid}/ns/pid`) ?? '')?.[1];
    return inode === undefined ? undefined : Number(inode);
  }

  #link(path: string): string | undefined {
    try {
      return readlinkSync(`${this.#root}/${path}`);
    } catch (error) {
      this.#note(error);
      return undefined;
    }
  }

  #text(path: string): string | undefined {
    const length = this.#fill(path);
    return length === undefined ? undefined : this.#buffer.toString('utf8', 0, length);
  }

  /** Reads a file into the buffer. @returns its length, undefined when it cannot be read */
  #fill(path: string): number | undefined {
    let file: number;
    try {
      file = openSync(`${this.#root}/${path}`, 'r');
    } catch (error) {
      this.#note(error);
      return undefined;
    }
    try {
      let length = 0;
      while (length < this.#buffer.length) {
        const read = readSync(file, this.#buffer, length, this.#buffer.length - length, null);
        if (read === 0) break;
        length += read;
      }
      return length;
    } catch (error) {
      this.#note(error);
      return undefined;
    } finally {
      closeSync(file);
    }
  }

  #note(error: unknown): void {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') return; // the task has gone, or it is a kernel thread: that is no fault
    if (code === 'EACCES' || code === 'EPERM') this.#denied++;
    else this.#reject('unreadable');
  }

  #reject(reason: string): void {
    this.#rejected[reason] = (this.#rejected[reason] ?? 0) + 1;
  }
}

/** A process that writes a title over its arguments pads it with NULs: these are no empty arguments. */
function withoutPadding(argv: readonly string[]): readonly string[] {
  return argv.length > 2 && argv.slice(1).every((argument) => argument === '') ? argv.slice(0, 1) : argv;
}

function numbersIn(names: readonly string[]): number[] {
  const numbers: number[] = [];
  for (const name of names) {
    const first = name.charCodeAt(0);
    if (first >= 48 && first <= 57) numbers.push(Number(name));
  }
  return numbers;
}

function numberAt(status: string, key: string, column: number): number | undefined {
  const text = lineOf(status, key)?.split('\t')[column];
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

/** The ids in `NSpid` go from the outermost namespace to the innermost. */
function lastNumber(status: string, key: string): number | undefined {
  const text = lineOf(status, key)?.split('\t').at(-1);
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

// The name on the first line has its line breaks escaped, so no other line can be forged.
function lineOf(status: string, key: string): string | undefined {
  const from = status.indexOf(`\n${key}:\t`);
  if (from < 0) return undefined;
  const start = from + key.length + 3;
  const end = status.indexOf('\n', start);
  return status.slice(start, end < 0 ? undefined : end);
}
