// What the thread that reads /proc does, turn by turn: first those that have
// just called exec, the newest first, as it may be gone soonest; then those that
// were asked about; then a portion of a scan. All of it on one budget: when that
// is spent, execs are passed over and the rest waits.

import type { ObserveEvent, ScanEvent } from '@dendro/protocol';
import { CpuCredit } from './cpu-credit.ts';
import { ExecWatch } from './exec-watch.ts';
import type { ProcfsReader } from './reader.ts';
import type { FromReading, ToReading } from './thread-messages.ts';

export interface ReadingLoopOptions {
  readonly reader: ProcfsReader;
  readonly budgetMs: number;
  /** Default true. */
  readonly watchesExecs?: boolean | undefined;
  readonly post: (message: FromReading) => void;
}

/** Time of one turn; then what was read is passed on, and messages are taken in. */
const TURN_MS = 5;
/** So long a turn waits for an exec; that is how long a request can wait, and so it is short when more may come. */
const WAIT_MS = 50;
const SHORT_WAIT_MS = 2;
/** While the budget is spent, the thread sleeps; so long at a time, as execs must not pile up in the kernel. */
const MAX_PAUSE_MS = 100;
/** Execs that wait, the newest: in that time the others have run for as long as it takes to read so many. */
const MAX_EXECS = 256;
const MAX_SCANNED = 128;
const REPORT_MS = 1000;

export class ReadingLoop {
  readonly #reader: ProcfsReader;
  readonly #post: (message: FromReading) => void;
  readonly #credit: CpuCredit;
  readonly #watchesExecs: boolean;
  #watch: ExecWatch | undefined;
  /** Processes that have called exec, the newest last. */
  #execs: number[] = [];
  #requests: number[] = [];
  #walk: Iterator<ObserveEvent | ScanEvent> | undefined;
  #scan = 0;
  #isRunning = true;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #pausedUntil = 0;
  #waitMs = WAIT_MS;
  #reportedAt = Number.NEGATIVE_INFINITY;
  // What the next message says.
  #seen: ObserveEvent[] = [];
  #scanned: (ObserveEvent | ScanEvent)[] = [];
  #isScanDone = false;
  #failure: string | undefined;
  #answered: number[] = [];
  // Counted since the start.
  #chargedMs = 0;
  #spentMs = 0;
  #reads = 0;
  #vanished = 0;
  #skipped = 0;

  constructor({ reader, budgetMs, watchesExecs = true, post }: ReadingLoopOptions) {
    this.#reader = reader;
    this.#post = post;
    this.#watchesExecs = watchesExecs;
    this.#credit = new CpuCredit(budgetMs / 1000);
  }

  async start(): Promise<void> {
    if (this.#watchesExecs) this.#watch = await ExecWatch.start((pid) => this.#execs.push(pid));
    this.#chargedMs = cpuMs(); // what it took to start is no reading
    if (!this.#isRunning) this.#watch?.stop();
    this.#report(); // whether it is told of execs
    this.#schedule();
  }

  take(message: ToReading): void {
    if (message.type === 'stop') this.#stop();
    else if (message.type === 'exec') {
      this.#execs.push(...message.pids);
      this.#skipExecs(MAX_EXECS);
    } else if (message.type === 'read') this.#requests.unshift(...message.pids);
    else {
      this.#scan = message.scan;
      const { tids } = message;
      this.#walk = tids === undefined ? this.#reader.wholeScan() : this.#reader.scanOnly(tids, process.pid);
    }
    this.#schedule();
  }

  #stop(): void {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#watch?.stop();
  }

  get #hasWork(): boolean {
    return this.#execs.length > 0 || this.#requests.length > 0 || this.#walk !== undefined;
  }

  #schedule(): void {
    if (!this.#isRunning || this.#timer !== undefined || this.#turn !== undefined) return;
    const hasWork = this.#watch !== undefined || this.#hasWork;
    const pauseMs = Math.ceil(this.#pausedUntil - performance.now());
    if (hasWork && pauseMs > 0) this.#timer = setTimeout(() => this.#work(), Math.min(MAX_PAUSE_MS, pauseMs));
    else if (hasWork) this.#turn = setImmediate(() => this.#work());
  }

  get #isPaused(): boolean {
    return performance.now() < this.#pausedUntil;
  }

  #work(): void {
    this.#timer = undefined;
    this.#turn = undefined;
    if (this.#isPaused || this.#hasWork || this.#watch?.wait(this.#waitMs) === true) this.#drain();
    if (this.#isPaused) this.#skipExecs(0);
    else this.#readSome();
    this.#waitMs = this.#answered.length > 0 || this.#isScanDone ? SHORT_WAIT_MS : WAIT_MS;
    this.#charge();
    this.#report();
    this.#schedule();
  }

  #readSome(): void {
    const until = performance.now() + TURN_MS;
    while (this.#readNext() && performance.now() < until);
  }

  /** All that this thread does is for reading. The kernel counts its time up to when it last slept. */
  #charge(): void {
    const usedMs = cpuMs();
    const costMs = usedMs - this.#chargedMs;
    this.#chargedMs = usedMs;
    this.#spentMs += costMs;
    const now = performance.now();
    this.#pausedUntil = now + this.#credit.spend(costMs, now);
  }

  /** @returns false when there is nothing more to do */
  #readNext(): boolean {
    const exec = this.#execs.pop();
    if (exec !== undefined) {
      this.#readProcess(exec);
      return true;
    }
    const request = this.#requests.shift();
    if (request !== undefined) {
      this.#readProcess(request);
      this.#answered.push(request);
      return true;
    }
    return this.#stepScan();
  }

  #readProcess(pid: number): void {
    const missed = this.#missed;
    const reading = this.#reader.tryProcess(pid);
    this.#drain(); // those that have called exec meanwhile come first
    // A process that has ended called no exec that we would not have been told of by now.
    const isTold = this.#watch !== undefined && this.#missed === missed && !this.#execs.includes(pid);
    const isSure = reading?.isSure || isTold;
    if (reading === undefined || !isSure) this.#vanished++;
    else {
      this.#reads++;
      this.#seen.push(reading.seen);
    }
  }

  /** Grows when there are execs that we are not told of. */
  get #missed(): number {
    return this.#watch?.overruns ?? 0;
  }

  #drain(): void {
    if (this.#watch === undefined) return;
    try {
      this.#watch.drain();
    } catch {
      this.#watch.stop(); // it is broken: what is asked about is read all the same
      this.#watch = undefined;
    }
    this.#skipExecs(MAX_EXECS);
  }

  /** Keeps so many of the newest. */
  #skipExecs(max: number): void {
    if (this.#execs.length <= max) return;
    this.#skipped += this.#execs.length - max;
    this.#execs = max === 0 ? [] : this.#execs.slice(-max);
  }

  #stepScan(): boolean {
    if (this.#walk === undefined || this.#scanned.length >= MAX_SCANNED) return false;
    try {
      const { done, value } = this.#walk.next();
      if (!done) {
        this.#scanned.push(value);
        if (value.type === 'observe' && value.tid === value.pid) this.#reads++;
        return true;
      }
    } catch (thrown) {
      this.#failure = String(thrown instanceof Error ? thrown.message : thrown);
    }
    this.#walk = undefined;
    this.#isScanDone = true;
    return false;
  }

  #report(): void {
    const now = performance.now();
    const hasNews = this.#seen.length > 0 || this.#scanned.length > 0 || this.#isScanDone || this.#answered.length > 0;
    if (!hasNews && now - this.#reportedAt < REPORT_MS) return;
    this.#reportedAt = now;
    this.#post({
      seen: this.#seen,
      answered: this.#answered,
      scan: this.#scan,
      scanned: this.#scanned,
      isScanDone: this.#isScanDone,
      failure: this.#failure,
      isWatching: this.#watch !== undefined,
      isPaused: this.#isPaused,
      counts: {
        spentMs: this.#spentMs,
        reads: this.#reads,
        vanished: this.#vanished,
        skipped: this.#skipped,
        denied: this.#reader.deniedCount,
        waiting: this.#requests.length,
      },
      rejected: this.#reader.rejected,
    });
    this.#seen = [];
    this.#scanned = [];
    this.#answered = [];
    this.#isScanDone = false;
    this.#failure = undefined;
  }
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
