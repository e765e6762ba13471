// The live source that sees everything: programs in the kernel tell of each
// birth, exec and end with all that belongs to it, so that no process is too
// short-lived to be known. They are loaded by a child process, which alone has
// the rights to do so; here its records become events.

import { DendroError, type EventNs, type SourceStatus, type TaskEvent } from '@dendro/protocol';
import { HostClock } from '../host-clock.ts';
import { RepairScan } from '../procfs/repair-scan.ts';
import type { EventSink, Source } from '../source.ts';
import { EventMerge } from '../tracefs/merge.ts';
import { BpfChild, childOptions, POLL_MS, type ReadingChoice } from './child-process.ts';
import { Families, NOT_KNOWN } from './families.ts';
import type { FailedFrame, FrameVisitor, ReadyFrame, RecordsFrame } from './frames.ts';
import { RecordDecoder } from './records.ts';
import { ensureEbpf, refusalOf } from './refusal.ts';

export interface EbpfSourceOptions extends ReadingChoice {
  readonly clock?: HostClock | undefined;
  /** Reads what already runs, in small steps: at the start, and again after losses. */
  readonly scan?: ((tids?: readonly number[]) => Iterable<TaskEvent | undefined>) | undefined;
  /** Started before there was a source, with the same choice: loading takes long. */
  readonly child?: BpfChild | undefined;
}

/** Records are in the order in which room was made for them, which is that of time but for some 2.5 ms. */
const HOLD_NS = 5_000_000;
const MS_NS = 1e6;
const INIT_PID = 1;
/** Between two tries to have the child again. */
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 30_000;
/** One that was there for so long is started again at once. */
const STEADY_MS = 60_000;
/** Between two looks at whether there is something to read in /proc: while it is being read, and else. */
const WORK_MS = 20;
const IDLE_MS = 200;

export class EbpfSource implements Source, FrameVisitor {
  readonly name = 'ebpf';
  readonly isLive = true;
  readonly #options: EbpfSourceOptions;
  readonly #clock: HostClock;
  readonly #families = new Families();
  readonly #rejected: Record<string, number> = {};
  readonly #notices = new Set<string>();
  readonly #decoder: RecordDecoder;
  #merge = new EventMerge(() => {});
  #scan = new RepairScan(undefined, () => {});
  #state: SourceStatus['state'] = 'starting';
  #child: BpfChild | undefined;
  #ready: ReadyFrame | undefined;
  #failed: FailedFrame | undefined;
  #onReady: (() => void) | undefined;
  #sink: EventSink = () => {};
  #records = 0;
  #lost = 0;
  /** What the child of now has said: its kernel's counts begin at zero. */
  #childRecords = 0;
  #childLost = 0n;
  #childSeen = 0n;
  #untracked = 0n;
  /** Time of the counts before. */
  #countedAt: EventNs;
  #pauseMs = FIRST_PAUSE_MS;
  #readyAt = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: EbpfSourceOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? HostClock.read();
    this.#countedAt = this.#clock.now();
    this.#decoder = new RecordDecoder(this.#clock, (event) => this.#take(event));
  }

  async start(sink: EventSink): Promise<void> {
    try {
      ensureEbpf();
      this.#sink = sink;
      this.#merge = new EventMerge(sink);
      const { scan, launcherTid } = this.#options;
      // Of one tree only its own is read, which is what descends from a thread of ours.
      const what = launcherTid === undefined ? undefined : () => [launcherTid, ...this.#families.pids()];
      this.#scan = new RepairScan(scan && (() => scan(what?.())), (event) => this.#see(event));
      await this.#startChild(this.#options.child);
    } catch (thrown) {
      this.#state = 'failed';
      this.#options.child?.kill();
      throw thrown;
    }
    this.#work();
  }

  status(): SourceStatus {
    const ringMb = (this.#ready?.ringBytes ?? 0) / 1024 / 1024;
    return {
      name: this.name,
      state: this.#state,
      detail: `Programs in the kernel tell of births, programs, names, users and ends, complete, on ${this.#ready?.cpus ?? 0} CPUs; read every ${this.#options.pollMs ?? POLL_MS} ms, ${ringMb} MiB of buffer.`,
      notices: [
        ...this.#notices,
        ...(this.#ready?.notices ?? []),
        ...(this.#untracked > 0n
          ? [
              `Too many processes lived at once: of ${this.#untracked} what they started and how they ended is not told.`,
            ]
          : []),
        ...this.#scan.notices(),
      ],
      events: this.#records,
      lost: this.#lost,
      rejected: { ...this.#rejected },
    };
  }

  /** The process that holds the rights; undefined while there is none. */
  get childPid(): number | undefined {
    return this.#child?.pid;
  }

  /** Records that the kernel has seen since the child began; those lost are among them. */
  get balance(): { readonly seen: bigint; readonly consumed: bigint; readonly lost: bigint } {
    return { seen: this.#childSeen, consumed: BigInt(this.#childRecords), lost: this.#childLost };
  }

  async stop(): Promise<void> {
    if (this.#state !== 'running') return;
    this.#state = 'ended';
    clearTimeout(this.#timer);
    clearTimeout(this.#restartTimer);
    this.#scan.stop();
    await this.#child?.end();
    this.#child = undefined;
    this.#merge.flush();
    const { seen, consumed, lost } = this.balance;
    if (seen !== consumed + lost) {
      this.#notices.add(`Of ${seen} records ${seen - consumed - lost} are neither read nor counted as lost.`);
    }
  }

  // --- what the child says ---

  ready(frame: ReadyFrame): void {
    this.#ready = frame;
    // Its first records may come with this frame. Before those of another child there is a gap.
    if (this.#state === 'running') this.#tellGap();
    if (this.#state === 'starting') {
      this.#state = 'running';
      this.#sink({ type: 'clock', epochNs: this.#clock.base.epochNs });
    }
    for (const pid of frame.traced) this.#families.see(pid, NOT_KNOWN);
    this.#readyAt = performance.now();
    this.#onReady?.();
  }

  failed(frame: FailedFrame): void {
    this.#failed = frame;
  }

  records(): void {}

  record(view: DataView, bytes: Buffer, start: number, end: number): void {
    this.#records++;
    this.#childRecords++;
    this.#decoder.decode(view, bytes, start, end);
    const { problem, heir } = this.#decoder;
    if (problem !== undefined) this.#rejected[problem] = (this.#rejected[problem] ?? 0) + 1;
    if (heir !== undefined) this.#passChildren(heir.pid, heir.heirPid, heir.at);
  }

  recordsEnd({ through, at, seen, lost, untracked }: RecordsFrame): void {
    const countedAt = this.#timeOf(at);
    const newlyLost = Number(lost - this.#childLost);
    if (newlyLost > 0) {
      this.#lost += newlyLost;
      this.#merge.push({ type: 'gap', from: this.#countedAt, to: countedAt, lost: newlyLost });
      this.#scan.want();
    }
    this.#childLost = lost;
    this.#childSeen = seen;
    this.#untracked = untracked;
    this.#countedAt = countedAt;
    this.#merge.release(this.#timeOf(through) - HOLD_NS);
  }

  #timeOf(bootNs: bigint): EventNs {
    return this.#clock.fromBootNs(Number(bootNs >> 32n), Number(bootNs & 0xffff_ffffn));
  }

  /** Those who were its children have another parent from its end on. Init is what the tree concludes by itself. */
  #passChildren(pid: number, heirPid: number, at: EventNs): void {
    for (const child of this.#families.end(pid, heirPid)) {
      if (heirPid > INIT_PID) this.#merge.push({ type: 'reparent', at, pid: child, parentPid: heirPid });
    }
  }

  #take(event: TaskEvent): void {
    if (event.type === 'fork' && event.tid === event.pid) this.#families.begin(event.pid, event.parentPid ?? 0);
    this.#merge.push(event);
  }

  #see(event: TaskEvent): void {
    if (event.type === 'observe' && event.tid === event.pid && this.#isMeant(event.pid)) {
      this.#families.see(event.pid, event.ppid);
    }
    this.#merge.push(event);
  }

  /** Of one tree the ancestors are seen too, up to init. They are none of it. */
  #isMeant(pid: number): boolean {
    return this.#options.launcherTid === undefined || this.#families.has(pid);
  }

  // --- its life ---

  async #startChild(ahead?: BpfChild): Promise<void> {
    const { launcherTid } = this.#options;
    this.#ready = undefined;
    this.#failed = undefined;
    this.#childRecords = 0;
    this.#childLost = 0n;
    this.#childSeen = 0n;
    const isReady = new Promise<void>((resolve) => {
      this.#onReady = resolve;
    });
    // A new child knows nothing of the tree that the one before has told of.
    const tracedPids = launcherTid !== undefined && this.#state === 'running' ? [...this.#families.pids()] : undefined;
    const child = ahead ?? new BpfChild({ ...childOptions(this.#options), tracedPids });
    this.#child = child;
    // What it has lost so far it has lost since it began.
    if (ahead !== undefined) this.#countedAt = (this.#clock.now() - ahead.ageMs * MS_NS) as EventNs;
    child.read(this);
    const reason = await Promise.race([isReady, child.exited]);
    this.#onReady = undefined;
    if (reason !== undefined) {
      this.#child = undefined;
      throw refusalOf(this.#failed, reason);
    }
    void child.exited.then((why) => this.#noteExit(child, why));
  }

  /** Nobody knows what happened since: that is a gap, and /proc is read again. */
  #noteExit(child: BpfChild, why: string): void {
    if (this.#state !== 'running' || this.#child !== child) return;
    this.#child = undefined;
    this.#merge.flush();
    this.#notices.add(`The process that reads the kernel's records was lost (${why}): it is started again.`);
    if (performance.now() - this.#readyAt >= STEADY_MS) this.#pauseMs = FIRST_PAUSE_MS;
    this.#restart();
  }

  #restart(): void {
    const pause = this.#pauseMs;
    this.#pauseMs = Math.min(2 * pause, MAX_PAUSE_MS);
    this.#restartTimer = setTimeout(async () => {
      try {
        await this.#startChild();
      } catch (thrown) {
        if (!(thrown instanceof DendroError)) throw thrown;
        if (this.#state !== 'running') return;
        this.#notices.add(`It could not be started again: ${thrown.message} The next try is in ${this.#pauseMs} ms.`);
        this.#restart();
        return;
      }
      if (this.#state !== 'running') await this.#child?.end();
    }, pause);
  }

  /** From the last counts of the child before until now. How much was lost nobody knows. */
  #tellGap(): void {
    const now = this.#clock.now();
    this.#merge.push({ type: 'gap', from: this.#countedAt, to: now, lost: 0 });
    this.#countedAt = now;
    this.#scan.want();
  }

  #work(): void {
    this.#scan.step();
    // While there is no child nobody says how far time has come.
    if (this.#child === undefined) this.#merge.flush();
    this.#timer = setTimeout(() => this.#work(), this.#scan.isBusy ? 0 : this.#scan.isIdle ? IDLE_MS : WORK_MS);
  }
}
