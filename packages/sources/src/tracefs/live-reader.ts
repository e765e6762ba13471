// Reads all CPUs of a live instance, a bounded portion at a time, into one
// order of time.

import type { EventNs, TaskEvent } from '@dendro/protocol';
import type { HostClock } from '../host-clock.ts';
import { ownHierarchies } from '../procfs/hierarchies.ts';
import type { EventSink } from '../source.ts';
import type { Changes } from './changes.ts';
import { CpuStream, type FeedCounters, PageBuffer } from './cpu-stream.ts';
import { RecordDecoder } from './decode.ts';
import type { ExecReader } from './exec-reader.ts';
import { type InstanceCpu, onlineCpus, type TracefsInstance } from './instance.ts';
import type { KernelRecord } from './kernel-record.ts';
import { EventMerge } from './merge.ts';
import { PageDecoder } from './page.ts';
import { RecordJoin } from './record-join.ts';

export interface LiveReaderOptions {
  readonly instance: TracefsInstance;
  readonly clock: HostClock;
  readonly sink: EventSink;
  readonly counters: FeedCounters;
  /** How much later than its time an event may still be committed, or seen by a scan. */
  readonly holdMs: number;
  readonly execs?: ExecReader | undefined;
  readonly changes?: Changes | undefined;
}

interface LiveCpu {
  readonly cpu: InstanceCpu;
  readonly stream: CpuStream;
  /** Was it ever on since we began? */
  isRead: boolean;
}

/** Pages in one poll, all CPUs together: 512 KiB or some 11,000 events, so that the event loop gets its turn. */
const PAGES_PER_POLL = 128;
const MIN_PAGES_PER_CPU = 4;

export class LiveReader {
  readonly #instance: TracefsInstance;
  readonly #clock: HostClock;
  readonly #merge: EventMerge<KernelRecord>;
  readonly #page: PageBuffer;
  readonly #cpus: readonly LiveCpu[];
  readonly #holdNs: number;
  readonly #changes: Changes | undefined;
  /** Every event up to this time has been passed on, but for one that comes late. */
  passedUntil = Number.NEGATIVE_INFINITY as EventNs;
  /** When it was last certain that nobody had switched anything. */
  #intactAt: EventNs;

  constructor({ instance, clock, sink, counters, holdMs, execs, changes }: LiveReaderOptions) {
    this.#instance = instance;
    this.#clock = clock;
    this.#changes = changes;
    const join = new RecordJoin(sink, { changes, hierarchies: ownHierarchies() });
    this.#merge = new EventMerge((record) => join.take(record));
    this.#page = new PageBuffer(instance.layout.sizeBytes);
    this.#holdNs = holdMs * 1e6;
    const now = clock.now();
    this.#intactAt = now;
    const pages = new PageDecoder(instance.layout, clock);
    const records = new RecordDecoder(instance.formats);
    this.#cpus = instance.cpus.map((cpu) => ({
      cpu,
      stream: new CpuStream(pages, records, this.#merge, counters, this.#page, now, execs),
      isRead: false,
    }));
    this.#noticeCpus();
  }

  /** CPUs that are read. */
  get cpuCount(): number {
    return this.#cpus.filter(({ isRead }) => isRead).length;
  }

  /** Takes an event from elsewhere, which gets its place by its time. */
  add(event: TaskEvent): void {
    this.#merge.push(event);
  }

  /**
   * Reads what there is now.
   * @returns false when that was more than one poll takes
   */
  poll(): boolean {
    const began = this.#clock.now();
    const portion = Math.max(MIN_PAGES_PER_CPU, Math.floor(PAGES_PER_POLL / this.#cpus.length));
    let isDrained = true;
    // Everything earlier has been read: an event is committed right after its time.
    let until = began - this.#holdNs;
    for (const live of this.#cpus) {
      if (!live.isRead || this.#drain(live, began, portion)) continue;
      isDrained = false;
      until = Math.min(until, live.stream.lastAt);
    }
    this.#merge.release(until);
    this.passedUntil = until as EventNs;
    this.#changes?.settle(this.passedUntil);
    return isDrained;
  }

  /**
   * Looks for what polling does not show: losses, new CPUs, and whether somebody has switched our instance.
   * To be called after a poll that read everything.
   * @returns false when somebody had; it is switched back then, and that time is a gap
   */
  check(): boolean {
    this.#noticeCpus();
    const now = this.#clock.now();
    if (this.#instance.isIntact()) {
      this.#intactAt = now;
      for (const { cpu, stream, isRead } of this.#cpus) {
        if (isRead) stream.compareLost(this.#instance.lostOn(cpu), now);
      }
      return true;
    }
    this.#instance.arm();
    for (const { stream } of this.#cpus) stream.restart();
    // Nobody knows how many events there would have been.
    this.#merge.push({ type: 'gap', from: this.#intactAt, to: this.#clock.now(), lost: 0 });
    this.#intactAt = this.#clock.now();
    return false;
  }

  /** Ends tracing, reads what is left and holds nothing back. */
  finish(): void {
    this.#instance.disarm();
    while (!this.poll());
    this.#merge.flush();
  }

  /** Passes on what waits, when there is nothing more to read. */
  flush(): void {
    this.#merge.flush();
  }

  /** @returns false when there is more than this portion */
  #drain({ cpu, stream }: LiveCpu, began: EventNs, portion: number): boolean {
    for (let pages = 0; pages < portion; pages++) {
      const length = this.#instance.readPage(cpu, this.#page.bytes);
      if (length === 0) return true;
      stream.take(length);
      // A busy CPU always has one event more: what is newer than this poll is for the next.
      if (stream.lastAt >= began) return true;
    }
    return false;
  }

  /** A CPU that was switched off again is read on: it may have left something. */
  #noticeCpus(): void {
    const online = onlineCpus();
    for (const live of this.#cpus) live.isRead ||= online.has(live.cpu.id);
  }
}
