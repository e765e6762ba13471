// Asks the thread that reads /proc, and passes on what it has seen.

import { Worker } from 'node:worker_threads';
import type { ObserveEvent, ScanEvent } from '@dendro/protocol';
import { Recent } from '../cn-proc/recent.ts';
import type { HostClock } from '../host-clock.ts';
import type { ChangeReader, ChangeReading } from '../tracefs/change-reader.ts';
import type { ExecReader } from '../tracefs/exec-reader.ts';
import { DEFAULT_BUDGET_MS, NO_COUNTS, type ProcfsCounts } from './counts.ts';
import type { FromReading, ReadingOptions, ToReading } from './thread-messages.ts';

export interface ProcfsThreadOptions {
  readonly clock: HostClock;
  /** Milliseconds of each second that reading /proc may take. Default 100. */
  readonly budgetMs?: number | undefined;
  /** Shall programs be read as they start? Not where the source tells of them all there is. Default true. */
  readonly watchesExecs?: boolean | undefined;
}

/** Requests that the thread may have at a time: the others wait where they can be called off. */
const MAX_ASKED = 32;

/** Requests of those that have changed which it may have besides: a flood of them holds up no others. */
const MAX_ASKED_CHANGED = 8;
/** Those that wait to be asked about. */
const MAX_CHANGED = 256;
/** Readings that are remembered: those of a second, where every millisecond is used. */
const MAX_READINGS = 4096;

/** So long after an exec the next one is likely, and to be told sooner pays. */
const BUSY_MS = 250;
/** Execs that are passed on at a time, the newest. */
const MAX_NOTED = 256;

export class ProcfsThread implements ExecReader, ChangeReader {
  readonly #options: ReadingOptions;
  #worker: Worker | undefined;
  #onSeen: (seen: ObserveEvent) => void = () => {};
  #asked = 0;
  readonly #changed = new Set<number>(); // tids
  readonly #askedChanged = new Set<number>();
  readonly #readings = new Recent<ChangeReading>(MAX_READINGS); // pid -> the newest one
  #noted: number[] = [];
  #isWatching = false;
  #isPaused = false;
  #busyUntil = Number.NEGATIVE_INFINITY;
  #scan = 0;
  #scanned: (ObserveEvent | ScanEvent)[] = [];
  #isScanning = false;
  #failure: string | undefined;
  #scanFailure: string | undefined;
  #counts: ProcfsCounts = NO_COUNTS;
  rejected: Readonly<Record<string, number>> = {};

  constructor({ clock, budgetMs = DEFAULT_BUDGET_MS, watchesExecs = true }: ProcfsThreadOptions) {
    this.#options = { clock: clock.origin, budgetMs, watchesExecs };
  }

  /** @param onSeen is told of processes that were asked about, and of those that have just called exec */
  start(onSeen: (seen: ObserveEvent) => void): void {
    this.#onSeen = onSeen;
    const worker = new Worker(new URL('./reading-thread.ts', import.meta.url), { workerData: this.#options });
    worker.on('message', (message: FromReading) => this.#take(message));
    worker.on('error', (error) =>
      this.#fail(`Reading /proc broke off (${error.message}): start dendro again to go on.`),
    );
    this.#worker = worker;
  }

  /** Why nothing is read any more. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** What reading has cost; a second old at most. */
  get counts(): ProcfsCounts {
    return { ...this.#counts, waiting: this.#asked + this.#askedChanged.size + this.#changed.size };
  }

  /** How many more it may be asked. */
  get room(): number {
    return this.#worker === undefined ? 0 : Math.max(0, MAX_ASKED - this.#asked);
  }

  get isBusy(): boolean {
    return performance.now() < this.#busyUntil && !this.#isPaused;
  }

  /** Harmless where the thread hears of execs by itself, and sooner. */
  note(pid: number): void {
    if (this.#isWatching || this.#worker === undefined) return;
    this.#busyUntil = performance.now() + BUSY_MS;
    if (this.#noted.length === 0) queueMicrotask(() => this.#passNoted());
    this.#noted.push(pid);
  }

  noteChanged(tid: number): void {
    if (this.#worker === undefined || this.#changed.size >= MAX_CHANGED) return;
    this.#changed.add(tid);
    this.#askChanged();
  }

  lastReadingOf(pid: number): ChangeReading | undefined {
    return this.#readings.get(pid);
  }

  /** One that is being read may have been before it changed again: it has to wait. */
  #askChanged(): void {
    for (const tid of this.#changed) {
      if (this.#askedChanged.size >= MAX_ASKED_CHANGED) return;
      if (this.#askedChanged.has(tid)) continue;
      this.#changed.delete(tid);
      this.#askedChanged.add(tid);
      this.#send({ type: 'read', pids: [tid] });
    }
  }

  #passNoted(): void {
    this.#send({ type: 'exec', pids: this.#noted.slice(-MAX_NOTED) });
    this.#noted = [];
  }

  /** Asks for these processes to be read, the most urgent first. */
  ask(pids: readonly number[]): void {
    if (pids.length === 0) return;
    this.#asked += pids.length;
    this.#send({ type: 'read', pids });
  }

  /**
   * All that lives, and then that it was all. Undefined means: nothing for now, ask again later.
   * @param tids only the processes of these threads, and this one with its ancestors
   * @throws Error when /proc cannot be read
   */
  *scan(tids?: readonly number[]): Generator<ObserveEvent | ScanEvent | undefined> {
    this.#scan++;
    this.#scanned = [];
    this.#scanFailure = undefined;
    this.#isScanning = this.#worker !== undefined;
    this.#send({ type: 'scan', scan: this.#scan, tids });
    while (this.#isScanning || this.#scanned.length > 0) {
      const events = this.#scanned;
      this.#scanned = [];
      if (events.length === 0) yield undefined;
      else yield* events;
    }
    const failure = this.#failure ?? this.#scanFailure;
    if (failure !== undefined) throw new Error(failure);
  }

  async stop(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#worker = undefined;
    this.#isScanning = false;
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage({ type: 'stop' } satisfies ToReading);
    await exited;
  }

  #take({
    seen,
    answered,
    scan,
    scanned,
    isScanDone,
    failure,
    isWatching,
    isPaused,
    counts,
    rejected,
  }: FromReading): void {
    this.#isWatching = isWatching;
    this.#isPaused = isPaused;
    for (const pid of answered) if (!this.#askedChanged.delete(pid)) this.#asked--;
    this.#askChanged();
    this.#counts = counts;
    this.rejected = rejected;
    for (const event of seen) {
      if (event.uid !== undefined) this.#noteReading(event); // else it was found dead
      this.#onSeen(event);
    }
    if (scan !== this.#scan) return;
    this.#scanned.push(...scanned);
    if (!isScanDone) return;
    this.#isScanning = false;
    this.#scanFailure = failure;
  }

  #noteReading({ at, pid, start, uid, gid, euid, egid, container }: ObserveEvent): void {
    this.#readings.set(pid, { at, start, uid, gid, euid, egid, container });
  }

  #fail(why: string): void {
    this.#failure = why;
    this.#worker = undefined;
    this.#asked = 0;
    this.#askedChanged.clear();
    this.#changed.clear();
    this.#isScanning = false;
  }

  #send(message: ToReading): void {
    this.#worker?.postMessage(message);
  }
}
