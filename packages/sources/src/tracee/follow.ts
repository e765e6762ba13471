// A file that goes on being written, as `tail -F` reads it: what is behind its
// end comes as it is written, a file that takes its place is read from its
// start, and one that is not there yet is waited for.
//
// A file that has lost its name is read to its end all the same, even if it has been packed
// and removed since. Whoever takes the name is opened at once, for it can lose the name
// again while its forerunner is still being read.
//
// The folder is watched, and looked at once a second besides, for a watch sees nothing of
// network file systems and of what a link points to.

import { type BigIntStats, type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

const CHUNK_BYTES = 256 * 1024;
/** So much of what was read is read again with what follows it: when it has changed, the file was written anew. */
const OVERLAP_BYTES = 256;
const POLL_MS = 1000;
/** Many writes are one change. */
const SETTLE_MS = 20;
/** Who has renamed a file may write to it a little longer. */
const GRACE_MS = 200;
/** More successors than these wait under their names. */
const MAX_SUCCESSORS = 64;

export type FollowStep =
  /** The bytes are good until the next step is asked for. */
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly done: number; readonly total: number }
  /** All that there is has been read. */
  | { readonly kind: 'end' }
  /** There is no file of that name now. */
  | { readonly kind: 'missing' }
  /** Another file has the name, or this one was begun anew: its start comes next. */
  | { readonly kind: 'replaced' | 'truncated' };

/**
 * @param signal ends it
 * @throws Error as the file system gives it; a file that does not exist is no error, a folder that does not is one
 */
export async function* follow(path: string, signal: AbortSignal): AsyncGenerator<FollowStep, void, void> {
  const changes = new Changes(path, signal);
  const holders = new NameHolders(path);
  let file: FileHandle | undefined;
  try {
    let isAnother = false;
    while (!signal.aborted) {
      file = await holders.next();
      if (file === undefined) {
        yield { kind: 'missing' };
        await changes.next(POLL_MS);
        continue;
      }
      if (isAnother) yield { kind: 'replaced' };
      isAnother = true;
      yield* followOne(file, holders, changes, signal);
      await file.close();
      file = undefined;
    }
  } finally {
    changes.close();
    await file?.close();
    await holders.close();
  }
}

/** Follows one file until another one has its name. */
async function* followOne(
  file: FileHandle,
  holders: NameHolders,
  changes: Changes,
  signal: AbortSignal,
): AsyncGenerator<FollowStep, void, void> {
  const reader = new GrowingFile(file);
  let isReplaced = false;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const { size } = await file.stat();
    let hasMore = false;
    for (;;) {
      const bytes = await reader.read();
      if (signal.aborted) return;
      if (bytes === 'truncated') yield { kind: 'truncated' };
      else if (bytes.length === 0) break;
      else {
        hasMore = true;
        yield { kind: 'bytes', bytes, done: reader.at, total: Math.max(reader.at, size) };
        await holders.look();
      }
    }
    if (isFirst || hasMore) yield { kind: 'end' };
    if (isReplaced && !hasMore) return;
    isReplaced = await holders.look();
    await changes.next(isReplaced ? GRACE_MS : POLL_MS);
  }
}

/** Reads on in a file that others append to, and notices when they begin it anew. */
class GrowingFile {
  readonly #file: FileHandle;
  readonly #buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  readonly #last = Buffer.allocUnsafe(OVERLAP_BYTES);
  #lastBytes = 0;
  #at = 0;
  /** A writer that does not append goes on where it was, and leaves zeros before that. */
  #isInHole = false;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** So much has been read. */
  get at(): number {
    return this.#at;
  }

  /** @returns what comes next, good until the next call: nothing at the end; after `truncated` the start comes next */
  async read(): Promise<Buffer | 'truncated'> {
    for (;;) {
      const overlap = this.#lastBytes;
      const { bytesRead } = await this.#file.read(this.#buffer, 0, CHUNK_BYTES, this.#at - overlap);
      if (this.#buffer.compare(this.#last, 0, overlap, 0, Math.min(bytesRead, overlap)) !== 0) {
        this.#at = 0;
        this.#lastBytes = 0;
        this.#isInHole = true;
        return 'truncated';
      }
      if (bytesRead === overlap) return this.#buffer.subarray(0, 0);
      this.#at += bytesRead - overlap;
      this.#lastBytes = Math.min(bytesRead, OVERLAP_BYTES);
      this.#buffer.copy(this.#last, 0, bytesRead - this.#lastBytes, bytesRead);
      const bytes = this.#buffer.subarray(overlap, bytesRead);
      const from = this.#isInHole ? bytes.findIndex((byte) => byte !== 0) : 0;
      if (from < 0) continue;
      this.#isInHole = false;
      return bytes.subarray(from);
    }
  }
}

/** The files that have had the name, one after the other. */
class NameHolders {
  readonly #path: string;
  /** Of the last one that was opened. */
  #identity = '';
  readonly #successors: FileHandle[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /** Opens who has the name, where it is another one. @returns whether there is one after those that `next` gave */
  async look(): Promise<boolean> {
    if (this.#successors.length >= MAX_SUCCESSORS) return true;
    let identity: string;
    try {
      identity = identityOf(await stat(this.#path, { bigint: true }));
    } catch {
      return this.#successors.length > 0; // there is none, or none that can be seen: the next look tells
    }
    if (identity === this.#identity) return this.#successors.length > 0;
    try {
      const file = await this.#open();
      if (file !== undefined) this.#successors.push(file);
    } catch {
      return true; // when it is its turn, `next` says why it cannot be opened
    }
    return this.#successors.length > 0;
  }

  /** The next one, opened: undefined as long as there is none. */
  async next(): Promise<FileHandle | undefined> {
    return this.#successors.shift() ?? (await this.#open());
  }

  async close(): Promise<void> {
    for (const file of this.#successors.splice(0)) await file.close();
  }

  async #open(): Promise<FileHandle | undefined> {
    const file = await openIfThere(this.#path);
    if (file !== undefined) this.#identity = identityOf(await file.stat({ bigint: true }));
    return file;
  }
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    const file = await open(path, 'r');
    if (!(await file.stat()).isDirectory()) return file;
    await file.close();
    throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    await stat(dirname(path)); // nobody would know what to wait for
    return undefined;
  }
}

class Changes {
  readonly #signal: AbortSignal;
  #watcher: FSWatcher | undefined;
  #hasChanged = false;
  #wake: () => void = () => {};

  constructor(path: string, signal: AbortSignal) {
    this.#signal = signal;
    const name = basename(path);
    try {
      this.#watcher = watch(dirname(path), (_event, changed) => {
        if (changed !== null && changed !== name) return;
        this.#hasChanged = true;
        this.#wake();
      });
      this.#watcher.on('error', () => this.#watcher?.close()); // looking once a second goes on
    } catch {
      // No folder, which opening the file says; or no more watches are to be had, and looking has to do.
    }
  }

  /** Resolves after a change, and at the latest after `maxMs`. */
  async next(maxMs: number): Promise<void> {
    if (!this.#hasChanged) await this.#sleep(maxMs, true);
    // What is written meanwhile is read with it.
    if (this.#hasChanged) await this.#sleep(SETTLE_MS, false);
    this.#hasChanged = false;
  }

  close(): void {
    this.#watcher?.close();
  }

  #sleep(ms: number, isWoken: boolean): Promise<void> {
    if (this.#signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#signal.removeEventListener('abort', done);
        this.#wake = () => {};
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#signal.addEventListener('abort', done);
      if (isWoken) this.#wake = done;
    });
  }
}
