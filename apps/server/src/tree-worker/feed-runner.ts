// Runs one feed: a source, and the tree of each host that it tells of. /proc fills
// in what the events of this host do not say, and facts leave in batches, at most
// twenty a second for each host.

import { hostname } from 'node:os';
import type { Batch } from '@dendro/engine';
import {
  DendroError,
  type ExecEvent,
  eventTimeOf,
  type HostInfo,
  type ObserveEvent,
  type SourceStatus,
  type TaskEvent,
} from '@dendro/protocol';
import { type FeedHost, HostSplit, ProgramHashes, TraceeDecoder } from '@dendro/sources';
import type { Feed } from './choose-source.ts';
import { HostTree } from './host-tree.ts';
import type { FromWorker, HostStatus, PostedTo, WorkerOptions } from './messages.ts';
import { Observations } from './observations.ts';
import { ownPids } from './own-pids.ts';
import { ProgramCount } from './program-count.ts';
import { readUsers } from './users.ts';

const MIB = 1024 * 1024;
const TICK_MS = 50;
const STATUS_MS = 1000;
/** A batch is closed early when it has this many facts: a long feed must not pile up. */
const MAX_BATCH_FACTS = 20_000;
/** Clocks are slewed all the time, by less than this in months. */
const MAX_WALL_SHIFT_MS = 1000;
const POSTED = "Events of Tracee that are posted to /api/v1/hosts/local/events, as Tracee's webhook does.";

type Post = (message: FromWorker, transfer?: ArrayBuffer[]) => void;

export class FeedRunner {
  readonly #options: WorkerOptions;
  readonly #feed: Feed;
  readonly #post: Post;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #notices: readonly string[];
  readonly #programs = new ProgramCount();
  readonly #observations = new Observations((seen) => {
    // Whoever tells of execs early tells of those of the whole host.
    if (this.#isOneTree && !this.first.host.knows(seen)) return;
    this.#programs.take(seen);
    this.first.host.apply(this.#hashed(seen));
  });
  readonly #hashes: ProgramHashes | undefined;
  /** Is it the tree of one command, and not of the whole host? */
  readonly #isOneTree: boolean;
  #hasScanned = false;
  #isComplete = false;
  /** Which host an event is of that comes from elsewhere. */
  readonly #split: HostSplit;
  readonly #trees: HostTree[] = [];
  /** Of the first host, as it was said last. */
  #toldId: string | undefined;
  #toldPids = '';
  #posted = 0;
  /** Of the body that is being taken in. */
  #posting: TraceeDecoder | undefined;
  readonly #postedRejected: Record<string, number> = {};
  /** What the history knew: told before anything else, once the source runs. */
  #resumed: Batch | undefined;

  private constructor(options: WorkerOptions, feed: Feed, notices: readonly string[], post: Post) {
    this.#options = options;
    this.#feed = feed;
    this.#notices = notices;
    this.#post = post;
    this.#isOneTree = options.kernel?.launcherTid !== undefined;
    const { hostFrom: wanted, maxHosts } = options;
    const own = feed.source.isLive ? hostname() : feed.source.name;
    this.#split = feed.hosts ?? new HostSplit({ wanted, maxHosts, own });
    this.#split.trees = {
      baseOf: (host) => this.#trees[host.number]?.host.base,
      hasBegun: (host, tid, startEpochNs) => {
        const tree = this.#trees[host.number];
        return tree?.host.hasBegun(tid, eventTimeOf(tree.base, startEpochNs)) ?? false;
      },
    };
    // Only of this host, and of now: a file of a recording may be another one by now.
    this.#hashes =
      options.hashMaxMb === undefined || feed.procfsCounts === undefined
        ? undefined
        : new ProgramHashes({ maxBytes: options.hashMaxMb * MIB, onHashed: (seen) => this.#seeHash(seen) });
    this.#treeOf(this.#split.first);
    this.#resumed = this.first.host.commit();
  }

  /**
   * Starts the first of `feeds` that works. Why others did not is said as a notice.
   * @throws DendroError what the only feed said, or the last one
   */
  static async start(options: WorkerOptions, feeds: readonly (() => Feed)[], post: Post): Promise<FeedRunner> {
    const notices: string[] = [...(options.notices ?? [])];
    for (const [index, open] of feeds.entries()) {
      const feed = open();
      // Its thread begins while the tree takes in what the history knew; it tells of nothing before that is done.
      feed.procfs?.start((seen) => runner.#see(seen));
      const runner = new FeedRunner(options, feed, notices, post);
      try {
        runner.#hashes?.start();
        await feed.source.start((event, host) => {
          if (event.type !== 'clock' || feed.hasBase) runner.#take(event, host);
        });
        runner.#noteUnseen();
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

  /** Of the host that is there from the start. */
  get first(): HostTree {
    return this.#trees[0] as HostTree;
  }

  get trees(): readonly HostTree[] {
    return this.#trees;
  }

  statusOf(tree: HostTree): HostStatus {
    const source = this.#sourceStatus(tree);
    if (tree !== this.first) return tree.statusOf(source);
    return tree.statusOf(source, this.#feed.procfsCounts?.(), this.#hashes?.counts);
  }

  /** Says which hosts there are. */
  tellAll(): void {
    this.#tellResumed();
    this.#tellHosts();
    if (this.first.host.base === undefined) this.#tellHost(this.first); // nobody has said what its times count from
  }

  /** Commits and sends what has been collected. */
  flush(): void {
    for (const tree of this.#trees) this.#flush(tree);
  }

  /**
   * Takes in lines of Tracee, or one event on many lines, as its webhook may send it.
   * @throws DendroError DENDRO_REQUEST_INVALID
   */
  takeIn(
    body: Uint8Array,
    { number, name }: PostedTo,
  ): { readonly accepted: number; readonly rejected: Readonly<Record<string, number>> } {
    const fallback = name === undefined ? this.#split.hosts[number ?? -1] : this.#hostCalled(name);
    const decoder = new TraceeDecoder((event, host) => this.#take(event, host), {
      hosts: this.#split,
      fallback,
      latest: (host) => this.#treeOf(host).latest,
    });
    this.#posting = decoder;
    decoder.pushAll(body);
    this.#posting = undefined;
    const { decoded: accepted, rejected } = decoder;
    this.#posted += accepted;
    add(this.#postedRejected, rejected);
    this.#tellHosts();
    this.flush();
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

  #take(event: TaskEvent, host: FeedHost = this.#split.first): void {
    if (this.#resumed !== undefined) this.#tellResumed();
    const tree = this.#treeOf(host);
    if (tree === this.first) this.#takeFirst(event);
    else this.#apply(tree, event);
    if (tree.host.pending >= MAX_BATCH_FACTS) this.#flush(tree);
  }

  /** Of the one host whose /proc can be read. */
  #takeFirst(event: TaskEvent): void {
    if ('at' in event && event.at > this.#observations.nextAt) this.#observations.releaseUntil(event.at);
    this.#apply(this.first, event.type === 'observe' || event.type === 'exec' ? this.#hashed(event) : event);
    this.#programs.take(event);
    if (event.type === 'scan') this.#hasScanned = true;
  }

  #apply(tree: HostTree, event: TaskEvent): void {
    if (tree.apply(event)) this.#tellHost(tree);
  }

  /** Hosts are told of in the order of their numbers. */
  #treeOf(host: FeedHost): HostTree {
    const { maxProcesses, maxThreads, resumptions } = this.#options;
    for (const next of this.#split.hosts.slice(this.#trees.length, host.number + 1)) {
      const isFirst = next.number === 0;
      const canEnrich = isFirst && this.#feed.procfs !== undefined;
      const resumption = isFirst ? resumptions?.first : this.#furtherOf(next);
      const isRecorded = resumptions !== undefined;
      const { clock } = this.#feed;
      const beginsNow = isFirst && this.#feed.procfsCounts !== undefined && !this.#isOneTree;
      const tree = new HostTree(next, {
        ...{ maxProcesses, maxThreads, canEnrich, clock, beginsNow, isRecorded, resumption },
      });
      this.#trees.push(tree);
      if (isFirst) continue;
      this.#tellHost(tree);
      const resumed = tree.host.commit();
      if (resumed !== undefined) this.#send(tree, resumed, isWhole(tree));
    }
    return this.#trees[host.number] as HostTree;
  }

  #furtherOf({ name }: FeedHost) {
    return this.#options.resumptions?.further.find((host) => host.name === name)?.resumption;
  }

  /** Those that were recorded before are there from the start. */
  #meetKnown(): void {
    const { firstName, further = [] } = this.#options.resumptions ?? {};
    const { first } = this.#split;
    // A machine that is watched itself has its name from elsewhere.
    if (firstName !== undefined && first.name === undefined) this.#split.ensure(firstName);
    if (first.name === undefined) return;
    for (const { name } of further) {
      const host = this.#split.ensure(name);
      if (typeof host !== 'string') this.#treeOf(host);
    }
  }

  /** @throws DendroError DENDRO_REQUEST_INVALID */
  #hostCalled(name: string): FeedHost {
    const found = this.#split.ensure(name);
    if (typeof found !== 'string') return found;
    throw new DendroError('DENDRO_REQUEST_INVALID', WHY_NO_HOST[found]);
  }

  #flush(tree: HostTree): void {
    const batch = tree.host.commit();
    if (batch !== undefined) this.#send(tree, batch, false);
  }

  /** A host is told of before what there is of it. */
  #send(tree: HostTree, { from, to, bytes }: Batch, isResumption: boolean): void {
    const { number, now } = tree;
    if (tree === this.first && this.#toldId === undefined) this.#tellHost(tree);
    this.#post({ type: 'batch', number, from, to, now, bytes, isResumption }, [bytes.buffer]);
  }

  /** Between the end of the earlier run, as the history has it, and the start of the source nobody looked. */
  #noteUnseen(): void {
    const resumption = this.#options.resumptions?.first;
    if (resumption?.hasPast !== true || !this.#feed.source.isLive) return;
    this.#take({ type: 'gap', from: resumption.begun, to: this.first.now, lost: 0 });
  }

  #tellResumed(): void {
    const batch = this.#resumed;
    if (batch === undefined) return;
    this.#resumed = undefined;
    this.#tellHost(this.first);
    this.#send(this.first, batch, isWhole(this.first));
    this.#meetKnown();
  }

  /** Says which hosts there are, and what has changed of the first, as far as it has not been said. The first events may be of containers, which name none. */
  #tellHosts(): void {
    for (const host of this.#split.hosts) this.#treeOf(host);
    const { first } = this;
    if (first.host.base === undefined) return;
    if (first.id !== this.#toldId || this.#ownPids().join() !== this.#toldPids) this.#tellHost(first);
  }

  #tellHost(tree: HostTree): void {
    const { number } = tree;
    if (tree === this.first) {
      this.#toldId = tree.id;
      this.#toldPids = this.#ownPids().join();
    }
    const [host, status] = [this.#infoOf(tree), this.statusOf(tree)];
    this.#post({ type: 'host', number, host, source: this.#feed.source.name, status });
  }

  #infoOf(tree: HostTree): HostInfo {
    const { source, clock } = this.#feed;
    return {
      id: tree.id,
      name: this.#nameOf(tree),
      baseEpochNs: String(tree.base.epochNs),
      isLive: source.isLive && (clock === undefined || tree.isOfNow),
      users: source.host?.users ?? (clock === undefined || this.#isForeign(tree) ? {} : readUsers()),
      ownPids: tree === this.first ? this.#ownPids() : [],
    };
  }

  /** The user names of this machine are not those of another. */
  #isForeign({ feedHost }: HostTree): boolean {
    return feedHost !== this.#split.first || (feedHost.isNamedByFeed && feedHost.name !== hostname());
  }

  /** The tree of one command has none of them. */
  #ownPids(): readonly number[] {
    return this.#isOneTree ? [] : ownPids(this.#feed);
  }

  #nameOf({ feedHost: { name, number, isNamedByFeed } }: HostTree): string {
    const { source, hostName } = this.#feed;
    if (name !== undefined && (isNamedByFeed || number > 0)) return name;
    return hostName?.() ?? source.host?.name ?? (source.isLive ? hostname() : source.name);
  }

  #startTimers(): void {
    this.#timers.push(
      setInterval(() => this.#tick(), TICK_MS),
      setInterval(() => this.#postStatus(), STATUS_MS),
    );
  }

  #tick(): void {
    this.#observations.releaseOld(this.first.now);
    this.#ask();
    this.#tellHosts();
    this.flush();
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
    if (this.first.host.knows(seen)) this.first.host.apply(seen);
  }

  /** Not about those that have been read since they are to be. */
  #ask(): void {
    const { procfs } = this.#feed;
    const { host } = this.first;
    if (procfs === undefined || procfs.room === 0 || host.enrichmentsWaiting === 0) return;
    const requests = host.takeEnrichmentRequests(procfs.room);
    procfs.ask(requests.filter(({ pid, since }) => !this.#observations.holds(pid, since)).map(({ pid }) => pid));
  }

  #postStatus(): void {
    for (const tree of this.#trees) {
      tree.countSecond(this.#sourceStatus(tree).events);
      this.#post({ type: 'status', number: tree.number, status: this.statusOf(tree) });
    }
  }

  #sourceStatus(tree: HostTree): SourceStatus {
    const status = this.#feed.source.status();
    const { accepted, rejected, announcements } = tree.feedHost;
    const notices = [...new Set([...status.notices, ...this.#split.notices, ...announcements.notices])];
    if (tree === this.first) return this.#firstStatus({ ...status, notices });
    const own = { events: accepted, lost: 0, rejected: withRefused(rejected, tree), notices };
    // What is read here is of the first host, where no feed says otherwise.
    if (this.#feed.hosts !== undefined) return { ...status, ...own };
    return { name: 'posted', state: 'running', detail: POSTED, ...own };
  }

  /** What is of no host in particular is counted here too. */
  #firstStatus(status: SourceStatus): SourceStatus {
    const rejected = { ...status.rejected };
    add(rejected, this.#postedRejected);
    add(rejected, this.#posting?.rejected ?? {});
    let events = status.events + this.#posted + (this.#posting?.decoded ?? 0);
    for (const { feedHost } of this.#trees.slice(1)) {
      events -= feedHost.accepted;
      add(rejected, feedHost.rejected, -1);
    }
    add(rejected, this.#feed.procfs?.rejected ?? {});
    return {
      ...status,
      notices: [
        ...this.#notices,
        ...this.#procfsNotices(),
        ...this.#clockNotice(),
        ...status.notices,
        ...(this.#feed.procfs === undefined ? [] : this.#programs.notices()),
      ],
      events,
      rejected: withRefused(rejected, this.first),
    };
  }

  /** Times follow the boot clock: whoever compares them with other logs has to know when the wall clock was set. */
  *#clockNotice(): Generator<string> {
    const { clock, source } = this.#feed;
    const shiftMs = clock === undefined || !source.isLive ? 0 : clock.wallShiftMs();
    if (Math.abs(shiftMs) < MAX_WALL_SHIFT_MS) return;
    const [by, way] = [Math.abs(shiftMs / 1000).toFixed(1), shiftMs > 0 ? 'forward' : 'back'];
    yield `The wall clock was set ${way} by ${by} s since ${this.#options.resumptions === undefined ? 'dendro started' : 'recording of this boot began'}: times go on from what it said then. ${this.#options.resumptions === undefined ? 'Start dendro again to follow it.' : 'They follow it from the next boot on.'}`;
  }

  *#procfsNotices(): Generator<string> {
    const failure = this.#feed.procfs?.failure;
    if (failure !== undefined) yield failure;
    if (this.#hashes?.failure !== undefined) yield this.#hashes.failure;
  }
}

/** That some did not fit into memory the history does not know. */
function isWhole({ host: { counts } }: HostTree): boolean {
  return counts.evictedProcesses + counts.evictedThreads === 0;
}

const WHY_NO_HOST = {
  'bad-host-name': 'The name of a host has 1 to 64 characters.',
  'too-many-hosts': 'There are as many hosts as --max-hosts allows.',
  'other-host': 'Events of that host were not asked for with --host-from.',
} as const;

function add(counts: Record<string, number>, more: Readonly<Record<string, number>>, sign = 1): void {
  for (const [reason, times] of Object.entries(more)) {
    const sum = (counts[reason] ?? 0) + sign * times;
    if (sum === 0) delete counts[reason];
    else counts[reason] = sum;
  }
}

function withRefused(rejected: Readonly<Record<string, number>>, { host }: HostTree): Record<string, number> {
  const { factsRefused } = host;
  return factsRefused > 0 ? { ...rejected, 'impossible-fact': factsRefused } : { ...rejected };
}
