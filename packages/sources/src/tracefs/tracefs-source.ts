// The live source of a root user: reads the kernel's own event buffers without
// blocking, a page at a time, and brings the events of all CPUs into order.

import { type EventNs, type SourceStatus, type TaskEvent, toError } from '@dendro/protocol';
import { HostClock } from '../host-clock.ts';
import type { EventSink, Source } from '../source.ts';
import { CpuStream, FeedCounters, PageBuffer } from './cpu-stream.ts';
import { RecordDecoder } from './decode.ts';
import { type InstanceCpu, TracefsInstance } from './instance.ts';
import { EventMerge } from './merge.ts';
import { PageDecoder } from './page.ts';

export interface TracefsSourceOptions {
  readonly clock?: HostClock | undefined;
  /** KiB for each CPU. */
  readonly bufferKb?: number | undefined;
  /** Default 20. */
  readonly pollMs?: number | undefined;
  /** Reads what already runs. Called once tracing is on, and again after events were lost. */
  readonly scan?: (() => Iterable<TaskEvent>) | undefined;
}

interface LiveCpu {
  readonly cpu: InstanceCpu;
  readonly stream: CpuStream;
  /** Loss that the kernel counts and no page has told of yet, as of the last check. */
  unexplained: number;
}

const POLL_MS = 20;
/** Pages per CPU and poll, 1 MiB: after that the event loop gets a turn. */
const PAGES_PER_POLL = 256;
const CHECK_LOSS_MS = 1000;
/** A scan after a loss costs what reading all of /proc costs. */
const SCAN_AGAIN_MS = 2000;

export class TracefsSource implements Source {
  readonly name = 'tracefs';
  readonly isLive = true;
  readonly #clock: HostClock;
  readonly #options: TracefsSourceOptions;
  readonly #counters = new FeedCounters();
  readonly #notices: string[] = [
    'Arguments, users and folders come from /proc: a process that ends within some milliseconds may have none.',
  ];
  #state: SourceStatus['state'] = 'starting';
  #instance: TracefsInstance | undefined;
  #reader: LiveReader | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #lossCheck: NodeJS.Timeout | undefined;
  #lostAtScan = 0;
  #scannedAt = 0;

  constructor(options: TracefsSourceOptions = {}) {
    this.#clock = options.clock ?? HostClock.read();
    this.#options = options;
  }

  async start(sink: EventSink): Promise<void> {
    try {
      this.#instance = TracefsInstance.open({ bufferKb: this.#options.bufferKb });
    } catch (thrown) {
      this.#state = 'failed';
      throw thrown;
    }
    this.#notices.unshift(...this.#instance.notices);
    sink({ type: 'clock', epochNs: this.#clock.base.epochNs });
    this.#reader = new LiveReader(this.#instance, this.#clock, sink, this.#counters);
    this.#state = 'running';
    this.#scan();
    this.#lossCheck = setInterval(() => this.#guarded(() => this.#checkLoss()), CHECK_LOSS_MS);
    this.#poll();
  }

  status(): SourceStatus {
    return {
      name: this.name,
      state: this.#state,
      detail: `Kernel events of births, programs, names and ends, on ${this.#instance?.cpus.length ?? 0} CPUs.`,
      notices: [...this.#notices],
      events: this.#counters.records,
      lost: this.#counters.lost,
      rejected: { ...this.#counters.rejected },
    };
  }

  async stop(): Promise<void> {
    this.#stopTimers();
    if (this.#state === 'running') {
      this.#guarded(() => this.#reader?.finish());
      this.#state = 'ended';
    }
    this.#instance?.remove();
  }

  #poll(): void {
    let isDrained = true;
    this.#guarded(() => {
      isDrained = this.#reader?.poll() ?? true;
    });
    if (this.#state !== 'running') return;
    if (isDrained) this.#timer = setTimeout(() => this.#poll(), this.#options.pollMs ?? POLL_MS);
    else this.#turn = setImmediate(() => this.#poll());
  }

  #checkLoss(): void {
    this.#reader?.checkLoss();
    const isStale = performance.now() - this.#scannedAt > SCAN_AGAIN_MS;
    if (this.#counters.lost > this.#lostAtScan && isStale) this.#scan();
  }

  #scan(): void {
    this.#lostAtScan = this.#counters.lost;
    for (const event of this.#options.scan?.() ?? []) this.#reader?.add(event);
    this.#scannedAt = performance.now();
  }

  // Somebody can take the instance away under us.
  #guarded(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      this.#state = 'failed';
      this.#stopTimers();
      this.#notices.unshift(`Tracing broke off: ${toError(thrown).message}. Start dendro again to go on.`);
    }
  }

  #stopTimers(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    clearInterval(this.#lossCheck);
  }
}

/** Drains all CPUs of an instance into one order of time. */
class LiveReader {
  readonly #instance: TracefsInstance;
  readonly #clock: HostClock;
  readonly #merge: EventMerge;
  readonly #page: PageBuffer;
  readonly #cpus: readonly LiveCpu[];
  /** When the last poll that drained everything began. */
  #drainedAt: EventNs;

  constructor(instance: TracefsInstance, clock: HostClock, sink: EventSink, counters: FeedCounters) {
    this.#instance = instance;
    this.#clock = clock;
    this.#merge = new EventMerge(sink);
    this.#page = new PageBuffer(instance.layout.sizeBytes);
    this.#drainedAt = clock.now();
    const pages = new PageDecoder(instance.layout, clock);
    const records = new RecordDecoder(instance.formats);
    this.#cpus = instance.cpus.map((cpu) => ({
      cpu,
      stream: new CpuStream(pages, records, this.#merge, counters, this.#page, this.#drainedAt),
      unexplained: 0,
    }));
  }

  /** An event from elsewhere: it takes its place by its time. */
  add(event: TaskEvent): void {
    this.#merge.push(event);
  }

  /** @returns false when there was more than one poll takes */
  poll(): boolean {
    const began = this.#clock.now();
    let behind = Number.POSITIVE_INFINITY; // newest time of the CPU that is furthest behind
    for (const { cpu, stream } of this.#cpus) {
      if (!this.#drain(cpu, stream)) behind = Math.min(behind, stream.lastAt);
    }
    const isDrained = behind === Number.POSITIVE_INFINITY;
    // What happened before the last draining began has been read by now: an event is committed right after its time.
    this.#merge.release(Math.min(this.#drainedAt, behind));
    if (isDrained) this.#drainedAt = began;
    return isDrained;
  }

  /** Reads what is left and holds nothing back. */
  finish(): void {
    while (!this.poll());
    this.#merge.flush();
  }

  /** Pages tell of losses, but only the pages that come after one; the kernel's own count knows at once. */
  checkLoss(): void {
    for (const live of this.#cpus) {
      const missing = this.#instance.lostOn(live.cpu) - live.stream.lost;
      // One check later no page has told of it still: none will.
      if (missing > 0 && missing === live.unexplained) live.stream.reportLost(missing, this.#clock.now());
      live.unexplained = Math.max(0, this.#instance.lostOn(live.cpu) - live.stream.lost);
    }
  }

  #drain(cpu: InstanceCpu, stream: CpuStream): boolean {
    for (let pages = 0; pages < PAGES_PER_POLL; pages++) {
      const length = this.#instance.readPage(cpu, this.#page.bytes);
      if (length === 0) return true;
      stream.take(length);
    }
    return false;
  }
}
