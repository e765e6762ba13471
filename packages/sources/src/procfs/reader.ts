// Reads tasks from /proc. Synchronous, into one buffer: for files this small
// that is seven times faster than promises, and it runs in a worker.
//
// A pid can be given out again between two reads: the start is read before and
// after everything else, and what lies between is dropped when it differs.
// Environments are never read: they hold secrets.

import { closeSync, openSync, readdirSync, readlinkSync, readSync, statSync } from 'node:fs';
import type { FileInfo, ObserveEvent } from '@dendro/protocol';
import type { HostClock } from '../host-clock.ts';
import { containerOf } from './container.ts';
import { parseStatLine, type StatLine } from './stat-line.ts';

export interface ProcfsReaderOptions {
  readonly clock: HostClock;
  /** Default `/proc`. */
  readonly root?: string | undefined;
}

/** A command line longer than this is cut, and says so in its last argument. */
const MAX_CMDLINE = 128 * 1024;
export const CUT_MARK = '… (cut: the command line is longer)';

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

  /** The stat line of a process, or of one of its threads; undefined when it has gone. */
  stat(pid: number, tid?: number): StatLine | undefined {
    const line = this.#text(tid === undefined ? `${pid}/stat` : `${pid}/task/${tid}/stat`);
    if (line === undefined) return undefined;
    const stat = parseStatLine(line);
    if (stat === undefined) this.#rejected['unparsable-stat'] = (this.#rejected['unparsable-stat'] ?? 0) + 1;
    return stat;
  }

  /** Everything that /proc says of a process; undefined when it has gone. */
  readProcess(pid: number): ObserveEvent | undefined {
    const stat = this.stat(pid);
    if (stat === undefined) return undefined;
    const seen = this.#sighting(stat, pid);
    if (stat.state === 'Z') return seen;
    const status = this.#text(`${pid}/status`) ?? '';
    const inside = lastNumber(status, 'NSpid');
    const event: ObserveEvent = {
      ...seen,
      // The second number is the effective id: what ps shows.
      uid: numberAt(status, 'Uid', 1),
      gid: numberAt(status, 'Gid', 1),
      nsTid: inside,
      nsPid: lastNumber(status, 'NStgid'),
      pidNs: this.#pidNamespace(pid),
      container: containerOf(this.#text(`${pid}/cgroup`) ?? ''),
      ...(stat.isKernelThread
        ? {}
        : { argv: this.#argv(pid), executable: this.#executable(pid), cwd: this.#link(`${pid}/cwd`) }),
    };
    return this.stat(pid)?.startTicks === stat.startTicks ? event : undefined;
  }

  /** The threads of a process other than its leader. */
  readThreads(pid: number, tids: readonly number[] = this.tids(pid)): ObserveEvent[] {
    const threads: ObserveEvent[] = [];
    for (const tid of tids) {
      const stat = tid === pid ? undefined : this.stat(pid, tid);
      if (stat !== undefined) threads.push({ ...this.#sighting(stat, pid), ppid: 0 });
    }
    return threads;
  }

  /** All processes and threads, a process before its threads. */
  *scan(): Generator<ObserveEvent> {
    for (const pid of this.pids()) {
      const process = this.readProcess(pid);
      if (process === undefined) continue;
      yield process;
      yield* this.readThreads(pid);
    }
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
    const text = this.#text(`${pid}/cmdline`);
    if (text === undefined || text === '') return undefined;
    const isCut = text.length > MAX_CMDLINE;
    const argv = withoutPadding(text.slice(0, MAX_CMDLINE).replace(/\0$/, '').split('\0'));
    return isCut ? [...argv, CUT_MARK] : argv;
  }

  #executable(pid: number): FileInfo | undefined {
    const target = this.#link(`${pid}/exe`);
    if (target === undefined) return undefined;
    try {
      // Follows to the file that runs, a deleted one too.
      const file = statSync(`${this.#root}/${pid}/exe`, { bigint: true });
      return {
        path: file.nlink === 0n ? target.replace(/ \(deleted\)$/, '') : target,
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
      return this.#buffer.toString('utf8', 0, length);
    } catch (error) {
      this.#note(error);
      return undefined;
    } finally {
      closeSync(file);
    }
  }

  // ENOENT and ESRCH say that the task has gone; that is no fault.
  #note(error: unknown): void {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EACCES' || code === 'EPERM') this.#denied++;
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
