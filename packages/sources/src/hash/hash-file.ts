// The sha256 of the file that a process runs. It is read through the process, so
// that a deleted one, or one in a container, is found too; when the process has
// gone, by its path. Either way it must be the file that was seen: device, inode and
// ctime are compared before and after, and a path is looked at before it is
// opened, as opening some files does things.

import { createHash, type Hash } from 'node:crypto';
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** The file that was seen. */
export interface SeenFile {
  readonly pid: number;
  readonly path: string;
  readonly device: number;
  readonly inode: string;
  /** Epoch nanoseconds. */
  readonly ctime: string;
}

/** Why there is no hash. */
export type HashProblem = 'gone' | 'changed' | 'too-large' | 'unreadable';

export type HashResult = { readonly hash: string } | { readonly problem: HashProblem };

const CHUNK_BYTES = 1024 * 1024;
const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_NOATIME = 0 } = constants;

export class FileHasher {
  readonly #maxBytes: bigint;
  readonly #root: string;
  readonly #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);

  constructor(maxBytes: number, root = '/proc') {
    this.#maxBytes = BigInt(maxBytes);
    this.#root = root;
  }

  hash(seen: SeenFile): HashResult {
    const found = this.#find(seen);
    if (typeof found === 'object') return found;
    try {
      return this.#hashOpen(found, seen);
    } catch {
      return { problem: 'unreadable' };
    } finally {
      closeSync(found);
    }
  }

  /** @returns a descriptor of the file */
  #find(seen: SeenFile): number | HashResult {
    let problem: HashProblem = 'gone';
    for (const path of [`${this.#root}/${seen.pid}/exe`, seen.path]) {
      try {
        const file = statSync(path, { bigint: true });
        if (!isSame(file, seen)) continue; // another program by now, or another file in another container
        if (file.size > this.#maxBytes) return { problem: 'too-large' };
        return open(path);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ENOENT' && code !== 'ESRCH' && code !== 'ENOTDIR') problem = 'unreadable';
      }
    }
    return { problem };
  }

  #hashOpen(file: number, seen: SeenFile): HashResult {
    const before = fstatSync(file, { bigint: true });
    if (!isSame(before, seen)) return { problem: 'changed' };
    const hash = createHash('sha256');
    const length = this.#read(file, hash);
    const after = fstatSync(file, { bigint: true });
    const isWhole = length === before.size && after.size === before.size && after.ctimeNs === before.ctimeNs;
    return isWhole ? { hash: hash.digest('hex') } : { problem: 'changed' };
  }

  #read(file: number, hash: Hash): bigint {
    let length = 0n;
    while (length <= this.#maxBytes) {
      const read = readSync(file, this.#chunk, 0, CHUNK_BYTES, null);
      if (read === 0) break;
      hash.update(this.#chunk.subarray(0, read));
      length += BigInt(read);
    }
    return length;
  }
}

function isSame(file: BigIntStats, { device, inode, ctime }: SeenFile): boolean {
  return (
    file.isFile() &&
    Number(file.dev) === device &&
    String(file.ino) === inode &&
    // Changing anything of a file changes its ctime: its size, its contents, its other names.
    String(file.ctimeNs) === ctime
  );
}

/** To be read without a trace, where that is allowed. */
function open(path: string): number {
  const flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
  try {
    return openSync(path, flags | O_NOATIME);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    return openSync(path, flags);
  }
}
