// What a history does: keeps what was recorded of a host through crashes and restarts, and answers
// about any instant of it as the live tree would have.

import type { DifferenceOptions, TaskRef, TreeDifference, TreeMoment } from '@dendro/engine';
import type { EventNs, TaskId, TimeBase } from '@dendro/protocol';

/** What event time is the time of. */
export interface HostStart {
  /** Of the running kernel (/proc/sys/kernel/random/boot_id); undefined for a feed from elsewhere. */
  readonly bootId: string | undefined;
  /** Epoch time of EventNs 0 as this start would choose it. */
  readonly base: TimeBase;
  /** Boot clock at EventNs 0. */
  readonly bootNs: bigint;
  /** Event time now by that base; -Infinity for a feed whose times are its own. */
  readonly at: EventNs;
  /** Has the tree gone on while nobody recorded? Then batches were lost, and a snapshot makes up for them. */
  readonly isAgain?: boolean | undefined;
}

/** What a tree begins with that goes on where an earlier run has ended. */
export interface Resumption {
  /** Event time counts from here: of an earlier run, where this one is of the same boot. */
  readonly base: TimeBase;
  readonly bootNs: bigint;
  /** Is it the boot, or the feed, of an earlier run? */
  readonly isSameEra: boolean;
  /** Ids up to here were given to others. */
  readonly newestTaskId: TaskId;
  /** A snapshot of who lived when the earlier run ended: `FactsEvent`s with `isSnapshot`, in this order. */
  readonly snapshot: readonly Uint8Array<ArrayBuffer>[];
  /** Last instant that the earlier run knows of. */
  readonly newest: EventNs | undefined;
}

export type GapReason =
  /** A source lost events. */
  | 'source'
  /** Nobody recorded: dendro was stopped, or was killed. */
  | 'stopped'
  | 'killed'
  /** What came could not be kept: the disk was full, or it came faster than it could be taken. */
  | 'disk'
  | 'overload'
  /** A part of the file is damaged. */
  | 'damaged';

export interface HistoryGap {
  readonly fromEpochNs: bigint;
  readonly toEpochNs: bigint;
  /** Events at least; 0 where nobody can tell. */
  readonly lost: number;
  readonly why: GapReason;
}

export interface ClockReading {
  /** Event time as epoch time, and what the wall clock said then. */
  readonly epochNs: bigint;
  readonly wallNs: bigint;
}

export interface Histogram {
  readonly firstEpochNs: bigint;
  readonly bucketNs: bigint;
  readonly births: readonly number[];
  readonly execs: readonly number[];
  readonly exits: readonly number[];
}

/** What has to hold of a life; all of it of one image, where it is something that can change. */
export interface LifeQuery {
  /** Somewhere in name, path, command line or container, whatever the case; or the pid, where it is a number. */
  readonly text?: string | undefined;
  /** The same of each of these too. */
  readonly andTexts?: readonly string[] | undefined;
  readonly comm?: string | undefined;
  readonly path?: string | undefined;
  readonly commandLine?: string | undefined;
  readonly container?: string | undefined;
  readonly pid?: number | undefined;
  readonly parentPid?: number | undefined;
  readonly uid?: number | undefined;
  readonly exitCode?: number | undefined;
  readonly signal?: number | undefined;
  /** Lived at some time in here. */
  readonly fromEpochNs?: bigint | undefined;
  readonly toEpochNs?: bigint | undefined;
  readonly startedAfterEpochNs?: bigint | undefined;
  readonly startedBeforeEpochNs?: bigint | undefined;
  /** Of these two one asks for lives that have ended. */
  readonly endedAfterEpochNs?: bigint | undefined;
  readonly endedBeforeEpochNs?: bigint | undefined;
  /** Default 100, 10,000 at most. */
  readonly limit?: number | undefined;
}

export interface FoundLife {
  readonly taskId: TaskId;
  readonly pid: number;
  readonly creatorTaskId: TaskId | undefined;
  readonly startEpochNs: bigint;
  /** Undefined while it had not ended. */
  readonly endEpochNs: bigint | undefined;
  readonly exitCode: number | undefined;
  readonly signal: number | undefined;
  /** Of the image that fits: since when it was so. */
  readonly sinceEpochNs: bigint;
  /** First instant of it that can be asked about: it may have begun before the history, or before its boot was recorded. */
  readonly knownFromEpochNs: bigint;
  readonly comm: string | undefined;
  readonly path: string | undefined;
  readonly argv: readonly string[] | undefined;
  readonly uid: number | undefined;
  readonly container: string | undefined;
}

export interface FoundLives {
  /** The newest first. */
  readonly lives: readonly FoundLife[];
  /** Images that fit, of all lives; one that was told of late can count twice. */
  readonly total: number;
}

/** As of an instant: a tree with everyone who mattered then, and the time as the tree counts it. Valid until the next question. */
export type TreeAsOf = TreeMoment;

export interface TreeWindow extends TreeAsOf {
  /** First instant about which it knows all: later than asked for where the history, or the boot of the last instant, begins later. */
  readonly from: EventNs;
}

/** What a tree that begins empty is to be told, in this order. */
export type RecordedPart =
  /** A chunk of a snapshot: processes before threads. */
  | {
      readonly kind: 'snapshot';
      readonly at: EventNs;
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly isLast: boolean;
    }
  /** `at` is when it was told; of what was told later it is the last instant. */
  | { readonly kind: 'batch'; readonly at: EventNs; readonly bytes: Uint8Array<ArrayBuffer> }
  /** So many processes had ended whose end is not said: there were too many to look each up. */
  | { readonly kind: 'rest'; readonly openEnds: number };

/** Of a stretch of time: where it really begins and ends, by the base that its times count from, and what was told of it. */
export interface RecordedStretch {
  readonly baseEpochNs: bigint;
  /** Later than asked for where the history, or the boot of the last instant, begins later. */
  readonly from: EventNs;
  readonly to: EventNs;
  readonly fromEpochNs: bigint;
  readonly toEpochNs: bigint;
  readonly parts: Iterator<RecordedPart>;
}

export interface HistoryState {
  readonly state: 'idle' | 'recording' | 'stopped' | 'closed';
  /** One sentence for people, when recording has stopped though it should not. */
  readonly problem: string | undefined;
  /** First and last instant that can be asked about. */
  readonly oldestEpochNs: bigint | undefined;
  readonly newestEpochNs: bigint | undefined;
  /** What was told until this instant is on the disk. */
  readonly writtenEpochNs: bigint | undefined;
  /** On the disk, the journal included. */
  readonly fileBytes: number;
  readonly facts: number;
  readonly batches: number;
  readonly blocks: number;
  readonly openLives: number;
  /** Batches and bytes that are not on the disk yet. */
  readonly pendingBatches: number;
  readonly pendingBytes: number;
  /** Batches that could not be kept. */
  readonly droppedBatches: number;
  /** Facts about tasks that nobody has announced, or that are no longer in the history. */
  readonly refusedFacts: number;
  /** Parts of the file that cannot be read. */
  readonly damagedParts: number;
  /** How long writing has taken, of the last thousand times. */
  readonly flushMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

export interface HistoryOptions {
  /** What is older is dropped. Default: nothing is. */
  readonly maxAgeNs?: bigint | undefined;
  /** Of all that is on the disk. Default 10 GiB. */
  readonly maxBytes?: number | undefined;
  /** What is recorded is on the disk after so long at most. Default 250. */
  readonly flushMs?: number | undefined;
}

/**
 * All of it in one thread: times of `append` rise, but facts in a batch can be of any time. Whoever needs it in a thread of its
 * own takes `HistoryClient`.
 */
export interface History {
  /** Before anything is recorded. @returns what to go on from */
  begin(start: HostStart): Resumption;
  /**
   * Takes a batch of a tree, in the order of its versions.
   * @returns false when it could not be kept: from then on none is, until there is room and a snapshot has come
   * @throws DendroError DENDRO_BATCH_MALFORMED
   */
  append(batch: Uint8Array, at: EventNs): boolean;
  /** A batch was lost on the way here. */
  noteLost(at: EventNs): void;
  /** Were batches lost, and is there room again? */
  readonly needsSnapshot: boolean;
  /** Takes all that a tree knows, after batches were lost: who is not in it and lived has ended. */
  appendSnapshot(chunks: readonly Uint8Array[], at: EventNs): void;
  /** Nothing was told until now: without it a kill would seem to have come at the last batch. */
  tick(at: EventNs): void;
  noteClock(at: EventNs, wallNs: bigint): void;
  /** Writes down what has come. Called by itself every so often; never throws because of the disk, see `state`. */
  flush(): void;
  readonly state: HistoryState;

  /** Everyone who mattered at an instant. @throws DendroError DENDRO_HISTORY_TOO_OLD */
  asOf(epochNs: bigint): TreeAsOf;
  /** As `asOf`, for every instant in `[from, to]` that is of the boot of `to`: what a slider moves in. `at` is the last. */
  window(fromEpochNs: bigint, toEpochNs: bigint): TreeWindow;
  /** Who lives at one of two instants alone, and what has changed of the others. @throws DendroError DENDRO_HISTORY_TOO_OLD */
  difference(firstEpochNs: bigint, secondEpochNs: bigint, options: DifferenceOptions): TreeDifference;
  /**
   * One task and those through whom it is read, ancestors too: no children, and no threads.
   * @throws DendroError DENDRO_HISTORY_TOO_OLD, DENDRO_TASK_AMBIGUOUS
   */
  taskAsOf(ref: TaskRef, epochNs: bigint): TreeAsOf & { readonly taskId: TaskId | undefined };
  search(query: LifeQuery): FoundLives;
  histogram(fromEpochNs: bigint, toEpochNs: bigint, buckets: number): Histogram;
  gaps(fromEpochNs: bigint, toEpochNs: bigint): HistoryGap[];
  clock(): ClockReading[];
  /**
   * The instants, as epoch time, at which the wall clock said this, the oldest first: none of a time that it has passed over
   * when it was set, two of one to which it was set back.
   */
  instantsAtWall(wallNs: bigint): bigint[];
  /** The batches of a stretch of time, as they came. */
  batches(
    fromEpochNs: bigint,
    toEpochNs: bigint,
  ): Generator<{ readonly at: EventNs; readonly bytes: Uint8Array<ArrayBuffer> }>;
  /**
   * A stretch of time as a tree was told of it: who mattered at its beginning, the batches as they came, and the gaps. It is made
   * as it is read; recording can go on meanwhile.
   * @throws DendroError DENDRO_HISTORY_TOO_OLD
   */
  recording(fromEpochNs: bigint, toEpochNs: bigint): RecordedStretch;
  close(): void;
}
