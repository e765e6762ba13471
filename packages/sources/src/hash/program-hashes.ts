// Hashes of the binaries that processes run, each file once: what is known goes
// into an observation at once, what is not is found out by a thread of its own, and
// then the file is observed again, at the same time and with its hash. A file with a
// hash goes before the same one without [FA2], so that the two do not contradict each
// other, and the hash counts from when the file was seen.

import { Worker } from 'node:worker_threads';
import type { EventNs, ExecEvent, FileInfo, ObserveEvent } from '@dendro/protocol';
import { LRUCache } from 'lru-cache';
import type { HashProblem, SeenFile } from './hash-file.ts';
import type { FromHashing, HashThreadOptions, ToHashing } from './hash-thread.ts';

export interface ProgramHashesOptions {
  /** Files larger than this have no hash. */
  readonly maxBytes: number;
  /** Told of a file anew, with its hash: some time after it was seen, and perhaps after the process has ended. */
  readonly onHashed: (seen: ObserveEvent) => void;
}

export interface HashCounts {
  /** Files that wait to be hashed. */
  readonly waiting: number;
  readonly done: number;
  /** Files without a hash, by reason. */
  readonly skipped: Readonly<Record<HashProblem | 'queue-full', number>>;
}

/** A file that is to be hashed, and where it was seen. */
interface Wanted {
  readonly key: string;
  readonly file: SeenFile;
  readonly sightings: ObserveEvent[];
}

const MAX_KNOWN = 8192;
const MAX_WAITING = 1024;
/** Of one file; the others are told of when they are seen again. */
const MAX_SIGHTINGS = 1024;

export class ProgramHashes {
  readonly #onHashed: (seen: ObserveEvent) => void;
  readonly #maxBytes: number;
  /** Hashes, and why there is none, by file. */
  readonly #known = new LRUCache<string, FromHashing>({ max: MAX_KNOWN });
  /** Files that wait, the first being hashed. */
  readonly #wanted = new Map<string, Wanted>();
  readonly #skipped = { gone: 0, changed: 0, 'too-large': 0, unreadable: 0, 'queue-full': 0 };
  #done = 0;
  #worker: Worker | undefined;
  #current: Wanted | undefined;
  #failure: string | undefined;

  constructor({ maxBytes, onHashed }: ProgramHashesOptions) {
    this.#maxBytes = maxBytes;
    this.#onHashed = onHashed;
  }

  get counts(): HashCounts {
    return { waiting: this.#wanted.size, done: this.#done, skipped: { ...this.#skipped } };
  }

  /** Why nothing is hashed any more. */
  get failure(): string | undefined {
    return this.#failure;
  }

  start(): void {
    const options: HashThreadOptions = { maxBytes: this.#maxBytes };
    const worker = new Worker(new URL('./hash-thread.ts', import.meta.url), { workerData: options });
    worker.on('message', (result: FromHashing) => this.#take(result));
    worker.on('error', (error) => this.#fail(error));
    this.#worker = worker;
  }

  /** The same event, with the hash of the program where that is known; else it will be told of later. */
  complete<T extends ObserveEvent | ExecEvent>(event: T): T {
    const { executable } = event;
    if (executable === undefined || executable.hash !== undefined) return event;
    const file = toSeenFile(event.pid, executable);
    if (file === undefined) return event;
    const key = `${file.device}:${file.inode}:${file.ctime}`;
    const known = this.#known.get(key);
    if (known === undefined) this.#want(key, file, event);
    return known === undefined || !('hash' in known)
      ? event
      : { ...event, executable: withHash(executable, known.hash) };
  }

  async stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#wanted.clear();
    await worker?.terminate(); // in the middle of a file, if need be
  }

  #want(key: string, file: SeenFile, event: ObserveEvent | ExecEvent): void {
    const sighting = toSighting(event);
    if (sighting === undefined || this.#worker === undefined) return;
    const wanted = this.#wanted.get(key);
    if (wanted !== undefined) {
      if (wanted.sightings.length < MAX_SIGHTINGS) wanted.sightings.push(sighting);
    } else if (this.#wanted.size >= MAX_WAITING) {
      this.#skipped['queue-full']++;
    } else {
      this.#wanted.set(key, { key, file, sightings: [sighting] });
      this.#next();
    }
  }

  #next(): void {
    if (this.#current !== undefined) return;
    for (const wanted of this.#wanted.values()) {
      this.#current = wanted;
      this.#worker?.postMessage({ file: wanted.file } satisfies ToHashing);
      return;
    }
  }

  #take(result: FromHashing): void {
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined || !this.#wanted.delete(current.key)) return;
    if ('hash' in result) {
      this.#done++;
      this.#known.set(current.key, result);
      for (const { executable, ...seen } of current.sightings) {
        if (executable !== undefined) this.#onHashed({ ...seen, executable: withHash(executable, result.hash) });
      }
    } else {
      this.#skipped[result.problem]++;
      // It stays too large; the rest may be different with another process.
      if (result.problem === 'too-large') this.#known.set(current.key, result);
    }
    this.#next();
  }

  #fail(error: Error): void {
    this.#failure = `Hashing of programs broke off (${error.message}): start dendro again to go on.`;
    this.#worker = undefined;
    this.#wanted.clear();
  }
}

function withHash(file: FileInfo, hash: string): FileInfo {
  return { ...file, hash };
}

function toSeenFile(pid: number, { path, device, inode, ctime }: FileInfo): SeenFile | undefined {
  if (device === undefined || inode === undefined || ctime === undefined) return undefined;
  return { pid, path, device, inode, ctime };
}

/** What is said again of the program; undefined of an exec whose process is not told apart by its start. */
function toSighting(event: ObserveEvent | ExecEvent): ObserveEvent | undefined {
  const { at, pid, start, executable } = event;
  if (start === undefined) return undefined;
  const startIsTick = event.type === 'observe' ? event.startIsTick : true;
  const parent = event.type === 'observe' ? event.ppid : 0;
  return { type: 'observe', at: at as EventNs, tid: pid, pid, ppid: parent, start, startIsTick, executable };
}
