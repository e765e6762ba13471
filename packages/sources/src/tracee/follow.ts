// A file that goes on being written, as `tail -F` reads it: what is behind its
// end comes as it is written, a file that takes its place is read from its
// start, and one that is not there yet is waited for.
//
// The folder is watched, and looked at once a second besides, for a watch sees nothing of
// network file systems and of what a link points to.

import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

const CHUNK_BYTES = 256 * 1024;
const POLL_MS = 1000;
/** Many writes are one change. */
const SETTLE_MS = 20;
/** Who has renamed a file may write to it a little longer. */
const GRACE_MS = 200;

export type FollowStep =
  /** The bytes are good until the next step is asked for. */
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly done: number; readonly total: number }
  /** All that there is has been read. */
  | { readonly kind: 'end' }
  /** There is no file of that name now. */
  | { readonly kind: 'missing' }
  /** Another file has the name, or this one was made shorter: its start comes next. */
  | { readonly kind: 'replaced' | 'truncated' };

/**
 * @param signal ends it
 * @throws Error as the file system gives it; a file that does not exist is no error, a folder that does not is one
 */
export async function* follow(path: string, signal: AbortSignal): AsyncGenerator<FollowStep, void, void> {
  const changes = new Changes(path, signal);
  let file: FileHandle | undefined;
  try {
    let isAnother = false;
    while (!signal.aborted) {
      file = await openIfThere(path);
      if (file === undefined) {
        yield { kind: 'missing' };
        await changes.next(POLL_MS);
        continue;
      }
      if (isAnother) yield { kind: 'replaced' };
      isAnother = true;
      yield* followOne(file, path, changes, signal);
      await file.close();
      file = undefined;
    }
  } finally {
    changes.close();
    await file?.close();
  }
}

/** Follows one file until another one has its name. */
async function* followOne(
  file: FileHandle,
  path: string,
  changes: Changes,
  signal: AbortSignal,
): AsyncGenerator<FollowStep, void, void> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let at = 0;
  let isReplaced = false;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const { size } = await file.stat();
    if (size < at) {
      at = 0;
      yield { kind: 'truncated' };
    }
    const before = at;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, at);
      if (bytesRead === 0 || signal.aborted) break;
      at += bytesRead;
      yield { kind: 'bytes', bytes: buffer.subarray(0, bytesRead), done: at, total: Math.max(at, size) };
    }
    if (isFirst || at > before) yield { kind: 'end' };
    if (isReplaced && at === before) return;
    isReplaced = await isOther(file, path);
    await changes.next(isReplaced ? GRACE_MS : POLL_MS);
  }
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

/** Has another file the name? One that has only lost its name is read on. */
async function isOther(file: FileHandle, path: string): Promise<boolean> {
  const own = await file.stat({ bigint: true });
  try {
    const named = await stat(path, { bigint: true });
    return named.ino !== own.ino || named.dev !== own.dev;
  } catch {
    return false; // there is none, or none that can be seen: the next look tells
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
