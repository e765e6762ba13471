// The live source of a root user: the kernel's own events of births, programs,
// names and ends, read without blocking, and /proc for what ran before.

import { existsSync } from 'node:fs';
import { type EventNs, type SourceStatus, type TaskEvent, toError } from '@dendro/protocol';
import { HostClock } from '../host-clock.ts';
import { RepairScan } from '../procfs/repair-scan.ts';
import type { EventSink, Source } from '../source.ts';
import type { ChangeReader } from './change-reader.ts';
import { Changes } from './changes.ts';
import { FeedCounters } from './cpu-stream.ts';
import type { ExecReader } from './exec-reader.ts';
import { TracefsInstance } from './instance.ts';
import { ID_EVENTS, type OptionalEvents } from './kernel-events.ts';
import { Launched } from './launched.ts';
import { LiveReader } from './live-reader.ts';
import { ensurePidsOfHost } from './mount.ts';

export interface TracefsSourceOptions {
  readonly clock?: HostClock | undefined;
  /** KiB for each CPU. */
  readonly bufferKb?: number | undefined;
  /** Default 20. */
  readonly pollMs?: number | undefined;
  /**
   * Reads what already runs: called once tracing is on, and again after events were lost. It is
   * walked through in small steps between polls; its events are of the time at which they are yielded, and
   * undefined is none for now: the rest comes later. It is told which threads are traced, where not all are.
   */
  readonly scan?: ((tracedTids?: readonly number[]) => Iterable<TaskEvent | undefined>) | undefined;
  /** Only what this thread of ours starts from now on is traced, and what descends from that. */
  readonly launcherTid?: number | undefined;
  /** Reads processes that have just called exec: their arguments and the like are not in the events. */
  readonly execs?: ExecReader | undefined;
  /** Reads processes that have changed, where the events do not say how. */
  readonly changes?: ChangeReader | undefined;
  /** Does somebody else tell of changes of user and group? Otherwise, with `changes`, system calls are traced for that. */
  readonly hasIds?: boolean | undefined;
}

/** A notice that does not hold where another source runs beside this one. */
export const NO_EXIT_CODES = 'Exit codes are not in these events.';

const TRACES_CALLS =
  'Changes of user and group come from system calls: while these are traced, each one on this host takes some 0.1 µs longer.';

const POLL_MS = 20;
/** While programs begin one after the other. */
const BUSY_POLL_MS = 5;
const CHECK_MS = 1000;

export class TracefsSource implements Source {
  readonly name = 'tracefs';
  readonly isLive = true;
  readonly #options: TracefsSourceOptions;
  readonly #pollMs: number;
  readonly #counters = new FeedCounters();
  #changes: Changes | undefined;
  /** Does somebody else tell of changes of user and group? */
  #hasIds: boolean;
  readonly #notices = [
    'Arguments, users and folders come from /proc: a process that ends within some milliseconds may have none.',
    NO_EXIT_CODES,
  ];
  #state: SourceStatus['state'] = 'starting';
  #instance: TracefsInstance | undefined;
  #reader: LiveReader | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #checkedAt = 0;
  readonly #scan: RepairScan;
  readonly #onExit = () => this.#remove();

  constructor(options: TracefsSourceOptions = {}) {
    this.#options = options;
    this.#pollMs = options.pollMs ?? POLL_MS;
    this.#hasIds = options.hasIds ?? false;
    const { scan } = options;
    this.#scan = new RepairScan(scan && (() => scan(this.#tracedTids())), (event) => this.#reader?.add(event));
  }

  async start(sink: EventSink): Promise<void> {
    try {
      ensurePidsOfHost();
      const clock = this.#options.clock ?? HostClock.read();
      const { bufferKb, launcherTid, execs, changes: reader } = this.#options;
      const told = launcherTid === undefined ? sink : this.#onlyLaunched(launcherTid, sink);
      const lost = () => this.#counters.lost;
      this.#changes = reader && new Changes({ sink: told, reader, lost });
      const instance = TracefsInstance.open({ bufferKb, launcherTid });
      this.#instance = instance;
      process.once('exit', this.#onExit);
      this.#reader = new LiveReader({
        instance,
        clock,
        sink: told,
        counters: this.#counters,
        holdMs: this.#pollMs,
        execs,
        changes: this.#changes,
      });
      if (this.#followsIds) instance.traceIdCalls();
      sink({ type: 'clock', epochNs: clock.base.epochNs });
    } catch (thrown) {
      this.#state = 'failed';
      this.#remove();
      throw thrown;
    }
    this.#state = 'running';
    this.#checkedAt = performance.now();
    this.#work();
  }

  /** From now on nobody else tells of changes of user and group. Harmless when repeated, or when /proc is not read. */
  followIds(): void {
    if (!this.#hasIds) return;
    this.#hasIds = false;
    if (this.#followsIds && this.#state === 'running') this.#instance?.traceIdCalls();
  }

  get #followsIds(): boolean {
    return !this.#hasIds && this.#changes !== undefined;
  }

  /** Every event up to this time has been passed on. */
  get passedUntil(): EventNs {
    return this.#reader?.passedUntil ?? (Number.NEGATIVE_INFINITY as EventNs);
  }

  status(): SourceStatus {
    const { records, lost, rejected } = this.#counters;
    return {
      name: this.name,
      state: this.#state,
      detail: `Kernel events of births, programs, names and ends on ${this.#reader?.cpuCount ?? 0} CPUs, read every ${this.#pollMs} ms; ${this.#instance?.bufferKb ?? 0} KiB of buffer for each.`,
      notices: [...this.#scan.notices(), ...this.#missedNotice(), ...this.#instanceNotices(), ...this.#notices],
      events: records,
      lost,
      rejected: { ...rejected },
    };
  }

  async stop(): Promise<void> {
    if (this.#state === 'running') this.#end('ended', () => this.#reader?.finish());
  }

  /** One turn: a portion of events, a step of the scan, a look around. */
  #work(): void {
    let isDrained = true;
    try {
      isDrained = this.#reader?.poll() ?? true;
      if (isDrained && performance.now() - this.#checkedAt >= CHECK_MS) this.#check();
      this.#scan.step(this.#counters.lost);
    } catch (thrown) {
      // The pipes are ours alone, so this is somebody taking them away, or a fault of ours.
      this.#notice(`Tracing broke off (${toError(thrown).message}): start dendro again to go on.`);
      this.#end('failed', () => this.#reader?.flush());
      return;
    }
    if (isDrained && !this.#scan.isBusy) this.#timer = setTimeout(() => this.#work(), this.#pauseMs);
    else this.#turn = setImmediate(() => this.#work());
  }

  #tracedTids(): readonly number[] | undefined {
    return this.#options.launcherTid === undefined ? undefined : this.#instance?.tracedTids();
  }

  #onlyLaunched(launcherTid: number, sink: EventSink): EventSink {
    const launched = new Launched(launcherTid);
    return (event) => {
      if (!launched.hasEvent(event)) return;
      sink(event);
      if (event.type === 'exit' && event.isGroupDead === false) this.#traceSuccessor(event.tid);
    };
  }

  /**
   * A leader ends before its process, and the kernel no longer traces its tid. Has another thread called exec, then that
   * one goes on under it, and nobody has heard of the exec.
   */
  #traceSuccessor(tid: number): void {
    if (this.#state !== 'running' || !existsSync(`/proc/${tid}/task/${tid}`)) return;
    this.#instance?.traceToo(tid);
    this.#options.execs?.note(tid);
  }

  get #pauseMs(): number {
    return this.#options.execs?.isBusy ? Math.min(BUSY_POLL_MS, this.#pollMs) : this.#pollMs;
  }

  #check(): void {
    this.#checkedAt = performance.now();
    if (this.#reader?.check() === false) {
      this.#scan.want();
      this.#notice('Somebody else has changed the tracing of dendro: it was switched on again, with a gap.');
    }
  }

  #end(state: 'ended' | 'failed', last: () => void): void {
    this.#state = state;
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    try {
      this.#scan.stop();
      last();
    } catch (thrown) {
      this.#notice(`The last events could not be read: ${toError(thrown).message}.`);
    }
    this.#remove();
  }

  /** The newest first, each once: what repeats must not fill memory. */
  #notice(text: string): void {
    if (!this.#notices.includes(text)) this.#notices.unshift(text);
  }

  *#missedNotice(): Generator<string> {
    const { missed = 0 } = this.#changes ?? {};
    if (missed > 0)
      yield `${missed} changes of user, group or control group were not followed: /proc was not read in time.`;
  }

  *#instanceNotices(): Generator<string> {
    const missing = this.#instance?.missing ?? [];
    yield* this.#instance?.notices ?? [];
    yield* missing.filter((events) => events !== ID_EVENTS || this.#followsIds).map(missingNotice);
    if (this.#followsIds && !missing.includes(ID_EVENTS)) yield TRACES_CALLS;
  }

  #remove(): void {
    process.off('exit', this.#onExit);
    if (this.#instance?.remove() === false) {
      this.#notice(`Somebody else reads ${this.#instance.path}: it stays until dendro starts again.`);
    }
  }
}

function missingNotice({ name, without }: OptionalEvents): string {
  return `This kernel does not trace ${name}: ${without}.`;
}
