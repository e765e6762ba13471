// The tree of one host, what it is called, and what can be said of it at any time.

import { ProcessTree } from '@dendro/engine';
import {
  type EventNs,
  epochOf,
  formatRfc3339Ns,
  type SourceStatus,
  type TaskEvent,
  type TimeBase,
  type TreeStats,
} from '@dendro/protocol';
import { type FeedHost, type HashCounts, type HostClock, NO_COUNTS, type ProcfsCounts } from '@dendro/sources';
import { FIRST_ID, hostIdOf } from './host-id.ts';
import type { HostStatus, TreeResumption, WorkerOptions } from './messages.ts';
import { EVICTED, gapLack, type Lack, LOST } from './tree-json.ts';

/** As far from its base a time is exact in a double: 104 days. */
const MAX_EXACT_NS = Number.MAX_SAFE_INTEGER;

export interface HostTreeOptions extends Pick<WorkerOptions, 'maxProcesses' | 'maxThreads'> {
  /** Can /proc be asked about its tasks? */
  readonly canEnrich: boolean;
  /** The clock of the machine that the events come from, as far as it is known. */
  readonly clock: HostClock | undefined;
  /** Does its source tell of all that runs here, from now on, and nobody of what was before? */
  readonly beginsNow?: boolean | undefined;
  /** Is there a history of it, that knows what has left memory? */
  readonly isRecorded: boolean;
  /** Of an earlier run that this one goes on from. */
  readonly resumption?: TreeResumption | undefined;
}

export class HostTree {
  /** Whose events of the feed these are. */
  readonly feedHost: FeedHost;
  readonly host: ProcessTree;
  /** Is there a history that knows what has left memory? */
  readonly hasHistory: boolean;
  readonly #clock: HostClock | undefined;
  /** The clock's base less the tree's, as soon as there is one. */
  #clockAheadNs = 0;
  /** From then on all living tasks are in memory; never again once a living one had to leave it. */
  #wholeSince = Number.NEGATIVE_INFINITY;
  /** Who had ended by then is not known, and no history can be asked. */
  #watchesSince: EventNs | undefined;
  #evicted = 0;
  #eventsBefore = 0;
  #countedAt = performance.now();
  #eventsPerSecond = 0;

  constructor(feedHost: FeedHost, options: HostTreeOptions) {
    const { maxProcesses, maxThreads, canEnrich, clock, resumption, beginsNow } = options;
    this.feedHost = feedHost;
    this.#clock = clock;
    this.hasHistory = options.isRecorded;
    this.host = new ProcessTree({ maxProcesses, maxThreads, canEnrich, firstTaskId: resumption?.firstTaskId });
    if (resumption !== undefined) this.#resume(resumption);
    else if (beginsNow === true) this.#watchesSince = clock?.now();
  }

  get version(): number {
    return this.host.version;
  }

  #resume({ clock: { epochNs }, snapshot, newest, isBounded }: TreeResumption): void {
    this.apply({ type: 'clock', epochNs });
    for (const batch of snapshot) {
      if (newest !== undefined) this.host.apply({ type: 'facts', at: newest, batch, isSnapshot: true });
    }
    if (isBounded) this.#wholeSince = this.now;
  }

  /** In messages between the threads. */
  get number(): number {
    return this.feedHost.number;
  }

  /** In addresses. It changes once, when a feed names the host that is there from the start. */
  get id(): string {
    const { name, isNamedByFeed } = this.feedHost;
    return isNamedByFeed && name !== undefined ? hostIdOf(name) : FIRST_ID;
  }

  /** What event times count from; provisional as long as nobody has said any. */
  get base(): TimeBase {
    return this.host.base ?? this.#clock?.base ?? { epochNs: 0n };
  }

  /** Event time now: of a live host its clock, of a recording its newest event. */
  get now(): EventNs {
    const { newest } = this.host;
    const seen = (Number.isFinite(newest) ? newest : 0) as EventNs;
    const clock = this.#clock;
    return clock === undefined || !this.isOfNow ? seen : (Math.max(seen, clock.now() + this.#clockAheadNs) as EventNs);
  }

  // A tree that has been fed for longer than that goes on all the same, a nanosecond or two less exact.
  get latest(): number {
    return Math.max(MAX_EXACT_NS, this.now);
  }

  /** Are the events of the time of the clock? Years ago they may have been, when they are posted. */
  get isOfNow(): boolean {
    return Math.abs(this.#clockAheadNs) <= MAX_EXACT_NS;
  }

  /** @returns whether it is known now, and was not before, what times count from */
  apply(event: TaskEvent): boolean {
    const hadBase = this.host.base !== undefined;
    this.host.apply(event);
    const { base } = this.host;
    if (hadBase || base === undefined) return false;
    if (this.#clock !== undefined) this.#clockAheadNs = Number(this.#clock.base.epochNs - base.epochNs);
    return true;
  }

  /** Can the tree be asked about this time, to the nanosecond? */
  reaches(epochNs: bigint): boolean {
    if (!Number.isFinite(this.host.newest)) return true; // nothing is known of any time
    const distance = epochNs - this.base.epochNs;
    return distance >= -MAX_EXACT_NS && distance <= this.latest;
  }

  /** Are all tasks in memory that lived then, as far as anybody has told of them? */
  isWholeAt(at: EventNs): boolean {
    this.#noteEvictions();
    return at >= this.#wholeSince;
  }

  /** Why tasks that lived then, or had lived until then, may be missing. */
  lacks(at: EventNs, withExited: boolean): readonly Lack[] {
    const { base } = this;
    const atNs = epochOf(base, at);
    const lacks: Lack[] = this.host.tree
      .gaps()
      .filter(({ from, to }) => from <= at && at <= to)
      .map(({ from, to }) => gapLack('source', LOST, [epochOf(base, from), epochOf(base, to)], atNs));
    const isWhole = this.isWholeAt(at);
    if (withExited ? this.#evicted > 0 : !isWhole) {
      const since = this.#wholeSince;
      const nearestNs = isWhole || !Number.isFinite(since) ? undefined : epochOf(base, since as EventNs);
      lacks.push({ why: 'evicted', sentence: EVICTED, nearestNs });
    }
    const began = this.#watchesSince;
    if (began !== undefined && at < began) {
      const nearestNs = epochOf(base, began);
      const sentence = `Dendro has watched since ${formatRfc3339Ns(nearestNs)}: who had ended by then is not known.`;
      lacks.push({ why: 'before', sentence, nearestNs });
    }
    return lacks;
  }

  /** From then on the tree in memory is whole. */
  get wholeSince(): number {
    this.#noteEvictions();
    return this.#wholeSince;
  }

  /** Called once a second. */
  countSecond(events: number): void {
    this.#noteEvictions();
    const now = performance.now();
    this.#eventsPerSecond = Math.round(((events - this.#eventsBefore) * 1000) / (now - this.#countedAt));
    this.#eventsBefore = events;
    this.#countedAt = now;
  }

  statusOf(source: SourceStatus, procfs: ProcfsCounts = NO_COUNTS, hashes?: HashCounts | undefined): HostStatus {
    const { counts } = this.host;
    const newest = Number.isFinite(this.host.newest) ? this.host.newest : undefined;
    return { now: this.now, newest, source, stats: this.#stats, counts, procfs, hashes };
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

  get #stats(): TreeStats {
    const { counts } = this.host;
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
