// Runs one host: a source feeds the ProcessTree, /proc fills in what the
// events do not say, and facts leave in batches, at most twenty a second.

import { hostname } from 'node:os';
import { ProcessTree, type ProcessTreeCounts } from '@dendro/engine';
import {
  DendroError,
  type EventNs,
  type HostInfo,
  type SourceStatus,
  type TaskEvent,
  type TimeBase,
  type TreeStats,
} from '@dendro/protocol';
import { TraceeDecoder } from '@dendro/sources';
import type { Feed } from './choose-source.ts';
import type { FromWorker, HostStatus, WorkerOptions } from './messages.ts';
import { readUsers } from './users.ts';

const TICK_MS = 50;
const STATUS_MS = 1000;
/** A batch is closed early when it has this many facts: a long feed must not pile up. */
const MAX_BATCH_FACTS = 20_000;
/** As far from its base a time is exact in a double: 104 days. */
const MAX_EXACT_NS = Number.MAX_SAFE_INTEGER;
/** Time per tick that reading /proc may take: a tenth of a core. */
const ENRICH_BUDGET_MS = 5;

export class HostRunner {
  readonly host: ProcessTree;
  readonly #feed: Feed;
  readonly #post: (message: FromWorker, transfer?: ArrayBuffer[]) => void;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #notices: readonly string[];
  /** The clock's base less the tree's, as soon as there is one. */
  #clockAheadNs = 0;
  /** From then on all living tasks are in memory; never again once a living one had to leave it. */
  #wholeSince = Number.NEGATIVE_INFINITY;
  #evicted = 0;
  #hasScanned = false;
  #isComplete = false;
  #posted = 0;
  readonly #postedRejected: Record<string, number> = {};
  #eventsBefore = 0;
  #statusBefore = performance.now();
  #eventsPerSecond = 0;

  private constructor(
    options: WorkerOptions,
    feed: Feed,
    notices: readonly string[],
    post: (message: FromWorker, transfer?: ArrayBuffer[]) => void,
  ) {
    this.#feed = feed;
    this.#notices = notices;
    this.#post = post;
    this.host = new ProcessTree({
      maxProcesses: options.maxProcesses,
      maxThreads: options.maxThreads,
      canEnrich: feed.procfs !== undefined,
    });
  }

  /**
   * Starts the first of `feeds` that works. Why others did not is said as a notice.
   * @throws DendroError what the only feed said, or the last one
   */
  static async start(
    options: WorkerOptions,
    feeds: readonly (() => Feed)[],
    post: (message: FromWorker, transfer?: ArrayBuffer[]) => void,
  ): Promise<HostRunner> {
    const notices: string[] = [];
    for (const [index, open] of feeds.entries()) {
      const feed = open();
      const runner = new HostRunner(options, feed, notices, post);
      try {
        await feed.source.start((event) => {
          if (event.type !== 'clock' || feed.hasBase) runner.#take(event);
        });
        runner.#startTimers();
        return runner;
      } catch (error) {
        await feed.source.stop();
        if (!(error instanceof DendroError) || index === feeds.length - 1) throw error;
        notices.push(error.message);
      }
    }
    throw new DendroError('DENDRO_SOURCE_UNAVAILABLE', 'No source works here.');
  }

  get info(): HostInfo {
    const { source, clock } = this.#feed;
    return {
      id: 'local',
      name: source.host?.name ?? (source.isLive ? hostname() : source.name),
      baseEpochNs: String(this.base.epochNs),
      isLive: source.isLive && (clock === undefined || this.#isOfNow),
      users: source.host?.users ?? (clock === undefined ? {} : readUsers()),
    };
  }

  /** What event times count from; provisional as long as nobody has said any. */
  get base(): TimeBase {
    return this.host.base ?? this.#feed.clock?.base ?? { epochNs: 0n };
  }

  /** Event time now: of a live host its clock, of a recording its newest event. */
  get now(): EventNs {
    const { newest } = this.host;
    const seen = (Number.isFinite(newest) ? newest : 0) as EventNs;
    const { clock } = this.#feed;
    return clock === undefined || !this.#isOfNow ? seen : (Math.max(seen, clock.now() + this.#clockAheadNs) as EventNs);
  }

  /** Can the tree be asked about this time, to the nanosecond? */
  reaches(epochNs: bigint): boolean {
    if (!Number.isFinite(this.host.newest)) return true; // nothing is known of any time
    const distance = epochNs - this.base.epochNs;
    return distance >= -MAX_EXACT_NS && distance <= this.#latest;
  }

  /** May tasks that lived then (or had lived until then) have left memory without a trace? */
  mayLack(at: EventNs, withExited: boolean): boolean {
    this.#noteEvictions();
    return withExited ? this.#evicted > 0 : at < this.#wholeSince;
  }

  // A tree that has been fed for longer than that goes on all the same, a nanosecond or two less exact.
  get #latest(): number {
    return Math.max(MAX_EXACT_NS, this.now);
  }

  /** Are the events of the time of this host's clock? Years ago they may have been, when they are posted. */
  get #isOfNow(): boolean {
    return Math.abs(this.#clockAheadNs) <= MAX_EXACT_NS;
  }

  get status(): HostStatus {
    const { counts } = this.host;
    return { now: this.now, source: this.#sourceStatus, stats: this.#statsOf(counts), counts };
  }

  /** Commits and sends what has been collected. */
  flush(): void {
    const batch = this.host.commit();
    if (batch === undefined) return;
    this.#post({ type: 'batch', from: batch.from, to: batch.to, now: this.now, bytes: batch.bytes }, [
      batch.bytes.buffer,
    ]);
  }

  /** Takes in lines of Tracee, or one event on many lines, as its webhook may send it. */
  takeIn(body: Uint8Array): { readonly accepted: number; readonly rejected: Readonly<Record<string, number>> } {
    const latest = this.#latest;
    let tooFar = 0;
    let tooFarLine = 0;
    const decoder = new TraceeDecoder(
      (event) => {
        // Only its own time: the start of an old daemon is further away, and nobody would want to miss what it does.
        if (!('at' in event) || (event.at >= -MAX_EXACT_NS && event.at <= latest)) this.#take(event);
        else if (decoder.decoded !== tooFarLine) {
          tooFarLine = decoder.decoded; // a line can give two events
          tooFar++;
        }
      },
      { base: this.host.base },
    );
    decoder.pushAll(withoutByteOrderMark(body));
    this.flush();
    const accepted = decoder.decoded - tooFar;
    const rejected = tooFar === 0 ? decoder.rejected : { ...decoder.rejected, 'time-out-of-range': tooFar };
    this.#posted += accepted;
    for (const [reason, times] of Object.entries(rejected)) {
      this.#postedRejected[reason] = (this.#postedRejected[reason] ?? 0) + times;
    }
    return { accepted, rejected };
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#feed.source.stop();
    this.flush();
  }

  #take(event: TaskEvent): void {
    const hadBase = this.host.base !== undefined;
    this.host.apply(event);
    if (!hadBase) this.#noteBase();
    if (event.type === 'scan') this.#hasScanned = true;
    if (this.host.pending >= MAX_BATCH_FACTS) this.flush();
  }

  #noteBase(): void {
    const { base } = this.host;
    if (base === undefined) return;
    if (this.#feed.clock !== undefined) this.#clockAheadNs = Number(this.#feed.clock.base.epochNs - base.epochNs);
    this.#post({ type: 'host', host: this.info, source: this.#feed.source.name });
  }

  #startTimers(): void {
    this.#timers.push(
      setInterval(() => this.#tick(), TICK_MS),
      setInterval(() => this.#postStatus(), STATUS_MS),
    );
  }

  #tick(): void {
    this.#enrich();
    this.flush();
    if (!this.#isComplete) this.#noteComplete();
  }

  #noteComplete(): void {
    const { source, completeAt } = this.#feed;
    const { state } = source.status();
    this.#isComplete =
      completeAt === 'start' || (completeAt === 'scan' && this.#hasScanned) || state === 'ended' || state === 'failed';
    if (!this.#isComplete) return;
    this.#postStatus(); // whoever waits for this asks next how it went
    this.#post({ type: 'complete' });
  }

  #enrich(): void {
    const { procfs } = this.#feed;
    if (procfs === undefined) return;
    const until = performance.now() + ENRICH_BUDGET_MS;
    while (performance.now() < until) {
      const requests = this.host.takeEnrichmentRequests(8);
      if (requests.length === 0) return;
      for (const { pid } of requests) {
        const seen = procfs.readProcess(pid);
        if (seen !== undefined) this.host.apply(seen);
      }
    }
  }

  // The ended leave first: while there is room for more than the living, none of these has left.
  #noteEvictions(): void {
    const { evictedProcesses, evictedThreads, processes, threads, maxProcesses, maxThreads } = this.host.counts;
    const evicted = evictedProcesses + evictedThreads;
    if (evicted === this.#evicted) return;
    this.#evicted = evicted;
    const isFull = processes >= maxProcesses || threads - processes >= maxThreads;
    if (isFull) this.#wholeSince = Number.POSITIVE_INFINITY;
    else this.#wholeSince = Math.max(this.#wholeSince, this.host.newest);
  }

  #postStatus(): void {
    this.#noteEvictions();
    const { events } = this.#sourceStatus;
    const now = performance.now();
    this.#eventsPerSecond = Math.round(((events - this.#eventsBefore) * 1000) / (now - this.#statusBefore));
    this.#eventsBefore = events;
    this.#statusBefore = now;
    this.#post({ type: 'status', status: this.status });
  }

  get #sourceStatus(): SourceStatus {
    const status = this.#feed.source.status();
    const rejected = { ...status.rejected };
    for (const [reason, times] of Object.entries(this.#postedRejected))
      rejected[reason] = (rejected[reason] ?? 0) + times;
    const { factsRefused } = this.host;
    if (factsRefused > 0) rejected['impossible-fact'] = factsRefused;
    return {
      ...status,
      notices: [...this.#notices, ...status.notices],
      events: status.events + this.#posted,
      rejected,
    };
  }

  #statsOf(counts: ProcessTreeCounts): TreeStats {
    const { processes, threads, tasks, gaps, ringsRefused, enrichmentsDropped } = counts;
    return {
      processes,
      threads,
      tasks,
      evicted: counts.evictedProcesses + counts.evictedThreads,
      gaps,
      ringsRefused,
      enrichmentsDropped,
      eventsPerSecond: this.#eventsPerSecond,
      memoryBytes: process.memoryUsage.rss(),
    };
  }
}

/** What some editors put before a text in UTF-8. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

function withoutByteOrderMark(body: Uint8Array): Uint8Array {
  return BYTE_ORDER_MARK.every((byte, i) => body[i] === byte) ? body.subarray(BYTE_ORDER_MARK.length) : body;
}
