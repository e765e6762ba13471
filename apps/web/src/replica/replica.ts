// The browser's copy of the tree, kept current from the live socket. Mutable,
// and not React's business: views read it as of an instant and are told when
// it has changed.

import { BatchSequence, NO_TASK, type SequencedBatch, TemporalTree } from '@dendro/engine';
import {
  decodeFrame,
  type EventNs,
  type HostInfo,
  type ServerMessage,
  type TaskId,
  type Version,
} from '@dendro/protocol';

export type HostStats = Omit<Extract<ServerMessage, { type: 'stats' }>, 'type'>;

/** A batch, and the event time when it was sent. */
interface LiveBatch extends SequencedBatch {
  readonly now: EventNs;
}

/** Word comes every second while a host is connected. */
const MAX_UNHEARD_MS = 3000;
/** Less than half a second's batches: on one socket nothing overtakes, so what is missing will hardly come. */
const MAX_WAITING = 8;

/** Evicted tasks are missing from the past too: it notes until when. */
class LiveTree extends TemporalTree {
  forgottenUntil = Number.NEGATIVE_INFINITY;

  override evict(task: TaskId, isCut: boolean): void {
    const index = this.indexOf(task);
    const exit = index === NO_TASK ? Number.NaN : this.exitOf(index);
    if (Number.isFinite(exit)) this.forgottenUntil = Math.max(this.forgottenUntil, exit);
    super.evict(task, isCut);
  }
}

export class Replica {
  readonly #clock: () => number;
  readonly #listeners = new Set<() => void>();
  readonly #followers = new Set<TemporalTree>();
  #tree: TemporalTree = new LiveTree();
  /** A newer tree that a snapshot is building; shown once it is whole, or at once when there is nothing to show yet. */
  #arriving: LiveTree | undefined;
  #batches = this.#newSequence();
  #host: HostInfo | undefined;
  #stats: HostStats | undefined;
  #now = 0 as EventNs;
  #nowReadAt = 0;
  #latestNow = 0 as EventNs;
  #changes = 0;
  #facts = 0;
  #wholeFrom = Number.POSITIVE_INFINITY as EventNs;

  /** @param clock milliseconds that only rise */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  get tree(): TemporalTree {
    return this.#tree;
  }

  /** Undefined until a first snapshot has come whole. */
  get version(): Version | undefined {
    return this.#batches.version;
  }

  get host(): HostInfo | undefined {
    return this.#host;
  }

  /** From this instant on everything is here: before it what had ended may not have been told, or may have been evicted. */
  get wholeFrom(): EventNs {
    // A server without a history sends all that it has.
    const isAll = this.#host?.oldestEpochNs === undefined && this.#stats?.stats.evicted === 0;
    if (isAll) return Number.NEGATIVE_INFINITY as EventNs;
    const forgotten = this.#tree instanceof LiveTree ? this.#tree.forgottenUntil : Number.NEGATIVE_INFINITY;
    return Math.max(this.#wholeFrom, forgotten) as EventNs;
  }

  get stats(): HostStats | undefined {
    return this.#stats;
  }

  /** Rises with whatever is new: batches, chunks, stats. */
  get changes(): number {
    return this.#changes;
  }

  /** Rises whenever the tree has changed, late facts about the past included. */
  get facts(): number {
    return this.#facts;
  }

  /**
   * Event time now: of a live host it runs on between messages. It never goes back, or a row that has just been
   * born would vanish again; where this page's clock is ahead of the host's, it waits. It does not run on for long
   * without a word from the host: nobody knows what was then.
   */
  now(): EventNs {
    const sinceMs = this.#host?.isLive ? Math.min(MAX_UNHEARD_MS, this.#clock() - this.#nowReadAt) : 0;
    const since = sinceMs * 1e6;
    this.#latestNow = Math.max(this.#latestNow, this.#now + since) as EventNs;
    return this.#latestNow;
  }

  /** @returns takes the listener off again */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * From now on another tree takes in every batch too; it is that of a snapshot that counts, so it is to be made anew when
   * `tree` is another one.
   * @returns ends it
   */
  follow(tree: TemporalTree): () => void {
    this.#followers.add(tree);
    return () => this.#followers.delete(tree);
  }

  /** A server greets. Versions and task ids of another run of it mean nothing: what is here is forgotten then. */
  greet(host: HostInfo): void {
    const isSameRun = this.#host?.id === host.id && this.#host.baseEpochNs === host.baseEpochNs;
    this.#host = host;
    if (!isSameRun) {
      this.#tree = new LiveTree();
      this.#batches = this.#newSequence();
      this.#stats = undefined;
      this.#latestNow = 0 as EventNs;
      this.#readNow(0 as EventNs);
      this.#facts++;
    }
    this.#arriving = undefined;
    this.#tell();
  }

  /** Shows a tree that did not come over the socket, until a server greets. */
  show(host: HostInfo, tree: TemporalTree, stats: HostStats): void {
    this.#host = host;
    this.#tree = tree;
    this.#arriving = undefined;
    this.#batches = this.#newSequence();
    this.#batches.reset(0 as Version); // it is whole
    this.#stats = stats;
    this.#wholeFrom = Number.NEGATIVE_INFINITY as EventNs;
    this.#latestNow = 0 as EventNs;
    this.#readNow(stats.now);
    this.#facts++;
    this.#tell();
  }

  /** A snapshot follows. */
  resync(): void {
    this.#arriving = new LiveTree();
    if (this.version === undefined) {
      this.#tree = this.#arriving;
      this.#facts++;
    }
    this.#tell();
  }

  takeStats(stats: HostStats): void {
    this.#stats = stats;
    this.#readNow(stats.now);
    this.#tell();
  }

  /**
   * Merges a frame. A batch that comes early waits for those before it, one that comes again is passed over [FA9].
   * @returns false when what is missing will not come, or the frame leads nowhere: a snapshot is needed
   * @throws DendroError DENDRO_BATCH_MALFORMED
   */
  takeFrame(bytes: Uint8Array): boolean {
    const frame = decodeFrame(bytes);
    if (frame.kind === 'batch') {
      const { from, to, now, batch } = frame;
      const outcome = this.#batches.take({ from, to, now, bytes: batch });
      if (outcome === 'merged') this.#tell();
      return !this.#batches.needsSnapshot || this.#arriving !== undefined;
    }
    if (this.#arriving === undefined) return false;
    this.#arriving.apply(frame.batch);
    this.#facts++;
    this.#readNow(frame.now);
    if (frame.isLast) {
      this.#tree = this.#arriving;
      this.#arriving = undefined;
      this.#wholeFrom = frame.now;
      this.#batches.reset(frame.to);
    }
    this.#tell();
    return true;
  }

  #newSequence(): BatchSequence<LiveBatch> {
    const merge = ({ bytes, now }: LiveBatch): void => {
      this.#tree.apply(bytes);
      for (const follower of this.#followers) follower.apply(bytes);
      this.#facts++;
      this.#readNow(now);
    };
    return new BatchSequence(merge, { maxWaiting: MAX_WAITING });
  }

  #readNow(now: EventNs): void {
    this.#now = now;
    this.#nowReadAt = this.#clock();
  }

  #tell(): void {
    this.#changes++;
    for (const listener of this.#listeners) listener();
  }
}
