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
/** Time per tick that reading /proc may take: a tenth of a core. */
const ENRICH_BUDGET_MS = 5;

export class HostRunner {
  readonly host: ProcessTree;
  readonly #feed: Feed;
  readonly #post: (message: FromWorker, transfer?: ArrayBuffer[]) => void;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #notices: readonly string[];
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
        await feed.source.start((event) => runner.#take(event));
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
    const { source } = this.#feed;
    return {
      id: 'local',
      name: source.isLive ? hostname() : source.name,
      baseEpochNs: String(this.host.base?.epochNs ?? 0n),
      isLive: source.isLive,
      users: this.#feed.clock === undefined ? {} : readUsers(),
    };
  }

  /** Event time now: of a live host its clock, of a recording its newest event. */
  get now(): EventNs {
    const { newest } = this.host;
    const seen = (Number.isFinite(newest) ? newest : 0) as EventNs;
    const clock = this.#feed.clock?.now();
    return clock !== undefined && clock > seen ? clock : seen;
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
  takeIn(ndjson: Uint8Array): { readonly accepted: number; readonly rejected: Readonly<Record<string, number>> } {
    const decoder = new TraceeDecoder((event) => this.#take(event), { base: this.host.base });
    decoder.pushAll(ndjson);
    this.flush();
    this.#posted += decoder.decoded;
    for (const [reason, times] of Object.entries(decoder.rejected)) {
      this.#postedRejected[reason] = (this.#postedRejected[reason] ?? 0) + times;
    }
    return { accepted: decoder.decoded, rejected: decoder.rejected };
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#feed.source.stop();
    this.flush();
  }

  #take(event: TaskEvent): void {
    this.host.apply(event);
    if (event.type === 'scan') this.#hasScanned = true;
    if (this.host.pending >= MAX_BATCH_FACTS) this.flush();
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

  #postStatus(): void {
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
