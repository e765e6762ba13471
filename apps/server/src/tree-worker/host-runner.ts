// Runs one host: a source feeds the ProcessTree, /proc fills in what the
// events do not say, and facts leave in batches, at most twenty a second.

import { hostname } from 'node:os';
import { ProcessTree, type ProcessTreeCounts } from '@dendro/engine';
import {
  DendroError,
  type EventNs,
  type ExecEvent,
  type HostInfo,
  type ObserveEvent,
  type SourceStatus,
  type TaskEvent,
  type TimeBase,
  type TreeStats,
} from '@dendro/protocol';
import { Announcements, HostFilter, NO_COUNTS, ProgramHashes, TraceeDecoder } from '@dendro/sources';
import type { Feed } from './choose-source.ts';
import type { FromWorker, HostStatus, WorkerOptions } from './messages.ts';
import { Observations } from './observations.ts';
import { ProgramCount } from './program-count.ts';
import { readUsers } from './users.ts';

const MIB = 1024 * 1024;
const TICK_MS = 50;
const STATUS_MS = 1000;
/** A batch is closed early when it has this many facts: a long feed must not pile up. */
const MAX_BATCH_FACTS = 20_000;
/** As far from its base a time is exact in a double: 104 days. */
const MAX_EXACT_NS = Number.MAX_SAFE_INTEGER;
/** Clocks are slewed all the time, by less than this in months. */
const MAX_WALL_SHIFT_MS = 1000;

export class HostRunner {
  readonly host: ProcessTree;
  readonly #feed: Feed;
  readonly #post: (message: FromWorker, transfer?: ArrayBuffer[]) => void;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #notices: readonly string[];
  readonly #programs = new ProgramCount();
  readonly #observations = new Observations((seen) => {
    // Whoever tells of execs early tells of those of the whole host.
    if (this.#isOneTree && !this.host.knows(seen)) return;
    this.#programs.take(seen);
    this.host.apply(this.#hashed(seen));
  });
  readonly #hashes: ProgramHashes | undefined;
  /** Is it the tree of one command, and not of the whole host? */
  readonly #isOneTree: boolean;
  /** The clock's base less the tree's, as soon as there is one. */
  #clockAheadNs = 0;
  /** From then on all living tasks are in memory; never again once a living one had to leave it. */
  #wholeSince = Number.NEGATIVE_INFINITY;
  #evicted = 0;
  #hasScanned = false;
  #isComplete = false;
  #posted = 0;
  /** Whose events are taken, of those that come from elsewhere. */
  readonly #hosts: HostFilter;
  #toldName: string | undefined;
  readonly #announcements = new Announcements();
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
    this.#hosts = feed.hosts ?? new HostFilter(options.hostFrom);
    this.#post = post;
    this.#isOneTree = options.kernel?.launcherTid !== undefined;
    // Only of this host, and of now: a file of a recording may be another one by now.
    this.#hashes =
      options.hashMaxMb === undefined || feed.procfsCounts === undefined
        ? undefined
        : new ProgramHashes({ maxBytes: options.hashMaxMb * MIB, onHashed: (seen) => this.#seeHash(seen) });
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
        runner.#hashes?.start();
        feed.procfs?.start((seen) => runner.#see(seen));
        await feed.source.start((event) => {
          if (event.type !== 'clock' || feed.hasBase) runner.#take(event);
        });
        runner.#startTimers();
        return runner;
      } catch (error) {
        await feed.source.stop();
        await feed.procfs?.stop();
        await runner.#hashes?.stop();
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
      name: this.#feed.hosts?.name ?? source.host?.name ?? (source.isLive ? hostname() : source.name),
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
    return {
      now: this.now,
      source: this.#sourceStatus,
      stats: this.#statsOf(counts),
      counts,
      procfs: this.#feed.procfsCounts?.() ?? NO_COUNTS,
      hashes: this.#hashes?.counts,
    };
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
    const decoder = new TraceeDecoder((event) => this.#take(event), {
      base: this.host.base,
      latest: this.#latest,
      hosts: this.#hosts,
      announcements: this.#announcements,
    });
    decoder.pushAll(body);
    this.flush();
    const { decoded: accepted, rejected } = decoder;
    this.#posted += accepted;
    for (const [reason, times] of Object.entries(rejected)) {
      this.#postedRejected[reason] = (this.#postedRejected[reason] ?? 0) + times;
    }
    return { accepted, rejected };
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#feed.source.stop();
    await this.#feed.procfs?.stop();
    await this.#hashes?.stop();
    this.#observations.releaseUntil(Number.POSITIVE_INFINITY);
    this.flush();
  }

  #take(event: TaskEvent): void {
    if ('at' in event && event.at > this.#observations.nextAt) this.#observations.releaseUntil(event.at);
    const hadBase = this.host.base !== undefined;
    this.host.apply(event.type === 'observe' || event.type === 'exec' ? this.#hashed(event) : event);
    this.#programs.take(event);
    if (!hadBase) this.#noteBase();
    if (event.type === 'scan') this.#hasScanned = true;
    if (this.host.pending >= MAX_BATCH_FACTS) this.flush();
  }

  #noteBase(): void {
    const { base } = this.host;
    if (base === undefined) return;
    if (this.#feed.clock !== undefined) this.#clockAheadNs = Number(this.#feed.clock.base.epochNs - base.epochNs);
    this.#postHost();
  }

  #postHost(): void {
    this.#toldName = this.#feed.hosts?.name;
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
    // The first events may be of containers, which do not say it.
    if (this.host.base !== undefined && this.#feed.hosts?.name !== this.#toldName) this.#postHost();
    if (!this.#isComplete) this.#noteComplete();
  }

  #noteComplete(): void {
    const { source, completeAt } = this.#feed;
    const { state, progress } = source.status();
    this.#isComplete =
      completeAt === 'start' ||
      (completeAt === 'scan' && this.#hasScanned) ||
      (completeAt === 'progress' && progress === undefined) ||
      state === 'ended' ||
      state === 'failed';
    if (!this.#isComplete) return;
    this.#postStatus(); // whoever waits for this asks next how it went
    this.#post({ type: 'complete' });
  }

  #enrich(): void {
    this.#observations.releaseOld(this.now);
    this.#ask();
  }

  /** What the thread that reads /proc has seen. It has room for further questions then. */
  #see(seen: ObserveEvent): void {
    this.#observations.add(seen);
    this.#ask();
  }

  #hashed<T extends ObserveEvent | ExecEvent>(event: T): T {
    return this.#hashes === undefined ? event : this.#hashes.complete(event);
  }

  /** The process may have left memory since its file was seen: it must not come back for that. */
  #seeHash(seen: ObserveEvent): void {
    if (this.host.knows(seen)) this.host.apply(seen);
  }

  /** Not about those that have been read since they are to be. */
  #ask(): void {
    const { procfs } = this.#feed;
    if (procfs === undefined || procfs.room === 0 || this.host.enrichmentsWaiting === 0) return;
    const requests = this.host.takeEnrichmentRequests(procfs.room);
    procfs.ask(requests.filter(({ pid, since }) => !this.#observations.holds(pid, since)).map(({ pid }) => pid));
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
    for (const [reason, times] of Object.entries(this.#feed.procfs?.rejected ?? {}))
      rejected[reason] = (rejected[reason] ?? 0) + times;
    const { factsRefused } = this.host;
    if (factsRefused > 0) rejected['impossible-fact'] = factsRefused;
    return {
      ...status,
      notices: [
        ...this.#notices,
        ...this.#procfsNotices(),
        ...this.#clockNotice(),
        ...this.#feedNotices(status),
        ...(this.#feed.procfs === undefined ? [] : this.#programs.notices()),
      ],
      events: status.events + this.#posted,
      rejected,
    };
  }

  /** Times follow the boot clock: whoever compares them with other logs has to know when the wall clock was set. */
  *#clockNotice(): Generator<string> {
    const { clock, source } = this.#feed;
    const shiftMs = clock === undefined || !source.isLive ? 0 : clock.wallShiftMs();
    if (Math.abs(shiftMs) < MAX_WALL_SHIFT_MS) return;
    const [by, way] = [Math.abs(shiftMs / 1000).toFixed(1), shiftMs > 0 ? 'forward' : 'back'];
    yield `The wall clock was set ${way} by ${by} s since dendro started: times go on from what it said then. Start dendro again to follow it.`;
  }

  *#procfsNotices(): Generator<string> {
    const failure = this.#feed.procfs?.failure;
    if (failure !== undefined) yield failure;
    if (this.#hashes?.failure !== undefined) yield this.#hashes.failure;
  }

  /** A source of Tracee's says itself which hosts there are, and what is posted may say it too. */
  #feedNotices({ notices }: SourceStatus): string[] {
    return [...new Set([...notices, ...this.#hosts.notices, ...this.#announcements.notices])];
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
