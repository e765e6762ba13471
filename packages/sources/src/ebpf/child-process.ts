// The server's end of the child process: starts it, understands what it says,
// and ends it.

import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { toError } from '@dendro/protocol';
import { type FailedFrame, FrameReader, type FrameVisitor } from './frames.ts';
import { OBJECT_PATH } from './object.ts';

/** What the child is told first: a line of JSON on its standard input. */
export interface ChildOptions {
  readonly objectPath: string;
  readonly ringBytes: number;
  readonly pollMs: number;
  readonly launcherTid?: number | undefined;
  /** Processes that are known of the one tree that is meant, when they were told of by another child before. */
  readonly tracedPids?: readonly number[] | undefined;
}

/** What can be chosen of how events are read. */
export interface ReadingChoice {
  /** KiB for each CPU; they share one ring, of the next power of two. Default 16 MiB for all, on large hosts up to 64. */
  readonly bufferKb?: number | undefined;
  /** Default 20. */
  readonly pollMs?: number | undefined;
  /** Only what this thread of ours starts from now on is told of, and what descends from that. */
  readonly launcherTid?: number | undefined;
}

export const POLL_MS = 20;
const MIB = 1024 * 1024;
const MIN_RING_BYTES = 16 * MIB;
const MAX_RING_BYTES = 64 * MIB;
const RING_BYTES_PER_CPU = 4 * MIB;
/** What the kernel takes. */
const LARGEST_RING_BYTES = 1024 * MIB;
const SMALLEST_RING_BYTES = 64 * 1024;
const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));
const FRAMES_AT = 3;
/** Any process of the same user may send SIGUSR1, and would get a debugger that runs whatever it is told. */
const NODE_OPTIONS = ['--max-old-space-size=64', '--disable-sigusr1'];
/** To give up its hooks, six of which cost 0.1 s each, and to tell what it still has. */
const END_MS = 5000;
/** To be gone once it was killed. One that is stopped stays, where the right to kill it is missing. */
const KILL_MS = 1000;
const MAX_ERROR_BYTES = 4096;

export class BpfChild {
  readonly #process: ChildProcess;
  readonly #exited: Promise<string>;
  readonly #frames: Readable | undefined;
  #errors = '';
  #broken: string | undefined;
  #hasStarted = false;
  readonly #startedAt = performance.now();

  constructor(options: ChildOptions) {
    this.#process = spawn(process.execPath, [...NODE_OPTIONS, CHILD], {
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
      env: {}, // of ours it needs nothing, and NODE_OPTIONS could load anything
      cwd: '/',
    });
    // Without file descriptors to spare there are no pipes; the error below says so.
    this.#frames = (this.#process.stdio?.[FRAMES_AT] ?? undefined) as Readable | undefined;
    this.#frames?.on('error', () => {}); // its exit says the rest
    this.#process.stdin?.on('error', () => {});
    this.#process.stdin?.write(`${JSON.stringify(options)}\n`);
    this.#process.stderr?.on('data', (text: Buffer) => {
      this.#errors = `${this.#errors}${text}`.slice(-MAX_ERROR_BYTES);
    });
    this.#exited = new Promise((resolve) => {
      this.#process.once('spawn', () => {
        this.#hasStarted = true;
      });
      // Later on it is a signal that could not be sent.
      this.#process.on('error', (error) => {
        if (!this.#hasStarted) resolve(`it could not be started (${error.message})`);
      });
      // Its pipes are empty then.
      this.#process.once('close', (code, signal) => resolve(this.#broken ?? this.#reasonOf(code, signal)));
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get ageMs(): number {
    return performance.now() - this.#startedAt;
  }

  /**
   * Understands from now on what it says and has said. Until then that waits: here, in the pipe, and then in the ring.
   * @param visitor is told of it, until it exits
   */
  read(visitor: FrameVisitor): void {
    const frames = new FrameReader(visitor);
    this.#frames?.on('data', (portion: Buffer) => {
      if (this.#broken !== undefined) return;
      try {
        frames.push(portion);
      } catch (thrown) {
        this.#broken = `it said something that was not to be understood (${toError(thrown).message})`;
        this.kill();
      }
    });
  }

  /** Resolves with the reason, a clause. Everything that it said has been told by then. */
  get exited(): Promise<string> {
    return this.#exited;
  }

  /** Ends it in order: it tells what it still has. */
  async end(): Promise<void> {
    this.#process.stdin?.end();
    if (await this.#isGoneWithin(END_MS)) return;
    this.kill();
    if (await this.#isGoneWithin(KILL_MS)) return;
    this.#process.stderr?.destroy();
    this.#process.unref();
  }

  /** It is another user's process: without CAP_KILL it is left to end by itself, as it does without its pipes. */
  kill(): void {
    this.#process.stdin?.destroy();
    this.#frames?.destroy();
    this.#process.kill('SIGKILL');
  }

  async #isGoneWithin(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const isOver = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), ms);
    });
    const isGone = await Promise.race([this.#exited.then(() => true), isOver]);
    clearTimeout(timer);
    return isGone;
  }

  #reasonOf(code: number | null, signal: NodeJS.Signals | null): string {
    const error = this.#errors.split('\n').find((line) => line.includes('Error')) ?? '';
    const how = signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`;
    return error === '' ? how : `${how}: ${error.trim()}`;
  }
}

export function childOptions({ bufferKb, pollMs = POLL_MS, launcherTid }: ReadingChoice): ChildOptions {
  return { objectPath: OBJECT_PATH, ringBytes: ringBytesFor(bufferKb, availableParallelism()), pollMs, launcherTid };
}

/** @returns a power of two, which is what the kernel's ring wants */
function ringBytesFor(kbPerCpu: number | undefined, cpus: number): number {
  const wanted =
    kbPerCpu === undefined
      ? Math.min(MAX_RING_BYTES, Math.max(MIN_RING_BYTES, RING_BYTES_PER_CPU * cpus))
      : kbPerCpu * 1024 * cpus;
  return 2 ** Math.ceil(Math.log2(Math.min(LARGEST_RING_BYTES, Math.max(SMALLEST_RING_BYTES, wanted))));
}

export type { FailedFrame };
