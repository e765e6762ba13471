// Files of /proc: read synchronously, into one buffer, as that is seven times
// faster than promises for files this small. What cannot be read is undefined,
// and counted unless the task has merely gone.

import {
  type BigIntStats,
  closeSync,
  constants,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs';

/** A command line longer than this is cut. */
export const MAX_FILE_BYTES = 128 * 1024;

export class ProcFiles {
  readonly root: string;
  /** Reads that were not allowed, so far. */
  denied = 0;
  /** What could not be understood, by reason. */
  readonly rejected: Record<string, number> = {};
  readonly #buffer = Buffer.allocUnsafe(MAX_FILE_BYTES + 1);

  constructor(root: string) {
    this.root = root;
  }

  /** @throws Error when /proc cannot be listed */
  pids(): number[] {
    return numbersIn(readdirSync(this.root));
  }

  tids(pid: number): number[] {
    try {
      return numbersIn(readdirSync(`${this.root}/${pid}/task`));
    } catch (error) {
      this.#note(error);
      return [];
    }
  }

  /**
   * Does `work` with a path that leads to this life of the pid and no other: nothing is there once it has ended, whoever
   * has the pid then.
   */
  within<T>(pid: number, work: (folder: string) => T): T | undefined {
    let folder: number;
    try {
      folder = openSync(`${this.root}/${pid}`, O_PATH | constants.O_DIRECTORY);
    } catch (error) {
      this.#note(error);
      return undefined;
    }
    try {
      return work(`/proc/self/fd/${folder}`);
    } finally {
      closeSync(folder);
    }
  }

  text(path: string): string | undefined {
    const length = this.#fill(path);
    return length === undefined ? undefined : this.#buffer.toString('utf8', 0, length);
  }

  /** The text of a file that may be long, without what is beyond the limit. */
  cut(path: string): { readonly text: string; readonly isCut: boolean } | undefined {
    const length = this.#fill(path);
    if (length === undefined) return undefined;
    const isCut = length > MAX_FILE_BYTES;
    return { text: this.#buffer.toString('utf8', 0, isCut ? MAX_FILE_BYTES : length), isCut };
  }

  link(path: string): string | undefined {
    try {
      return readlinkSync(path);
    } catch (error) {
      this.#note(error);
      return undefined;
    }
  }

  /** Follows links. */
  file(path: string): BigIntStats | undefined {
    try {
      return statSync(path, { bigint: true });
    } catch (error) {
      this.#note(error);
      return undefined;
    }
  }

  reject(reason: string): void {
    this.rejected[reason] = (this.rejected[reason] ?? 0) + 1;
  }

  /** Reads a file into the buffer. @returns its length, undefined when it cannot be read */
  #fill(path: string): number | undefined {
    let file: number;
    try {
      file = openSync(path, 'r');
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
    if (code === 'EACCES' || code === 'EPERM') this.denied++;
    else this.reject('unreadable');
  }
}

/** Node has no name for it: a descriptor that only leads to what is below. */
const O_PATH = 0o10_000_000;

function numbersIn(names: readonly string[]): number[] {
  const numbers: number[] = [];
  for (const name of names) {
    const first = name.charCodeAt(0);
    if (first >= 48 && first <= 57) numbers.push(Number(name));
  }
  return numbers;
}
