// A history in one SQLite file: writing. What is kept where, and why it is found again:
// docs/adr/0013-the-history.md. Reading is in reader.ts.

import { type DifferenceOptions, differenceOf, rememberTree, type TaskRef, type TreeDifference } from '@dendro/engine';
import { type EventNs, epochOf, eventTimeOf, readBatch, type TaskId, type TimeBase } from '@dendro/protocol';
import type {
  ClockReading,
  FoundLives,
  GapReason,
  Histogram,
  History,
  HistoryGap,
  HistoryOptions,
  HistoryState,
  HostStart,
  LifeQuery,
  RecordedStretch,
  Resumption,
  TreeAsOf,
  TreeWindow,
} from '../history.ts';
import { type LifeEvents, OpenLives, type OpenLivesOptions } from '../lives/open-lives.ts';
import { chunksOf } from '../questions.ts';
import { BlockStore } from './block-store.ts';
import { Counters } from './counters.ts';
import { type Database, explain, openDatabase, shrinkJournal, sizesOf } from './database.ts';
import { DiskWriter } from './disk-writer.ts';
import { type Era, Eras } from './eras.ts';
import { FlushTimes } from './flush-times.ts';
import { Gaps } from './gaps.ts';
import { Keyframes } from './keyframes.ts';
import { BatchLog, type LoggedBatch } from './log.ts';
import { Reader } from './reader.ts';
import { recordedStretch } from './recorded-stretch.ts';
import { Retention } from './retention.ts';
import { Room } from './room.ts';
import { LifeSearch, type SearchedEra } from './search.ts';
import { WallClock } from './wall-clock.ts';

const MIB = 1024 * 1024;
const DEFAULT_MAX_BYTES = 10 * 1024 * MIB;
/** What waits for the disk at most; packed, so some five times as much of batches. */
const MAX_PENDING_BYTES = 32 * MIB;
/** So many facts at most are taken in again after a crash. */
const KEYFRAME_FACTS = 500_000;
const FOREVER = Number.POSITIVE_INFINITY as EventNs;
const EVER = Number.NEGATIVE_INFINITY as EventNs;

export interface SqliteHistoryOptions extends HistoryOptions, OpenLivesOptions {
  /** Default 500,000. */
  readonly keyframeFacts?: number | undefined;
  /** Of what waits for the disk. Default 32 MiB. */
  readonly maxPendingBytes?: number | undefined;
  /** Milliseconds that rise, for the pause between two attempts to write. Default: those of `performance`. */
  readonly monotonicMs?: (() => number) | undefined;
}

export class SqliteHistory implements History {
  readonly #directory: string;
  readonly #options: SqliteHistoryOptions;
  readonly #database: Database;
  readonly #eras: Eras;
  readonly #blocks: BlockStore;
  readonly #log: BatchLog;
  readonly #counters: Counters;
  readonly #wallClock: WallClock;
  readonly #search: LifeSearch;
  readonly #room: Room;
  readonly #retention: Retention;
  readonly #reader: Reader;
  readonly #flushTimes = new FlushTimes();
  readonly #writer: DiskWriter;
  readonly #gaps: Gaps;
  readonly #keyframes: Keyframes;
  /** What each of these has gathered goes into the file with each flush. */
  readonly #savedParts: readonly { save(): void; noteSaved(): void }[];
  /** Of the last era, after `begin`, or as soon as somebody asks about it. */
  #open: OpenLives | undefined;
  #era: Era | undefined;
  #isRecording = false;
  #isClosed = false;
  /** While it is not in the file that this era is recorded. */
  #unsavedBegin: Era | undefined;
  readonly #wasKilled: boolean;
  /** Batches are refused: since when, and why the first one was. */
  #hole: { readonly since: EventNs; readonly why: GapReason } | undefined;
  #refusedBatches = 0;
  #factsSinceKeyframe = 0;
  #facts: number;
  #batches: number;
  #damagedRows = 0;
  #hasNews = false;
  #writtenEpochNs: bigint | undefined;

  /** @throws DendroError DENDRO_HISTORY_IN_USE, DENDRO_HISTORY_VERSION, DENDRO_HISTORY_UNREADABLE */
  constructor(directory: string, options: SqliteHistoryOptions = {}) {
    this.#directory = directory;
    this.#options = options;
    const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    const database = openDatabase(directory, undefined, maxBytes);
    this.#database = database;
    this.#eras = new Eras(database);
    this.#blocks = new BlockStore(database);
    this.#log = new BatchLog(database);
    this.#counters = new Counters(database, this.#eras.last?.base ?? { epochNs: 0n });
    this.#wallClock = new WallClock(database, this.#eras);
    this.#search = new LifeSearch(this.#blocks);
    const now = options.monotonicMs ?? (() => performance.now());
    this.#room = new Room(database, directory, maxBytes, now);
    this.#retention = new Retention(database, this.#blocks, this.#eras, this.#counters, this.#wallClock, {
      maxAgeNs: options.maxAgeNs,
      excessWith: (bytes) => this.#room.excessWith(bytes),
    });
    this.#writtenEpochNs = this.#eras.newestEpochNs;
    this.#reader = new Reader(this.#blocks, this.#eras, (era) => this.#openOf(era));
    this.#writer = new DiskWriter(database, directory, now);
    this.#gaps = new Gaps(database, this.#eras);
    this.#keyframes = new Keyframes(database);
    this.#wasKilled = database.prepare('SELECT is_open FROM state').pluck().get() === 1;
    const [facts, batches] = database.prepare('SELECT total(facts), total(batches) FROM log').raw().get() as [
      number,
      number,
    ];
    this.#facts = facts;
    this.#batches = batches;
    this.#savedParts = [this.#log, this.#blocks, this.#counters, this.#gaps, this.#wallClock];
    try {
      this.#resume();
    } catch (thrown) {
      database.close();
      throw explain(thrown, directory);
    }
  }

  begin(start: HostStart): Resumption {
    const { last } = this.#eras;
    const isSameEra = this.#eras.continues(start);
    const newest = last?.newest;
    const newestTaskId = this.#newestTaskId;
    if (!isSameEra && last !== undefined && this.#open !== undefined) {
      // What lived then has ended with the host.
      this.#open.endAll(newest ?? (0 as EventNs));
      this.#takeSealed(last);
      this.#open = undefined;
    }
    const era = isSameEra && last !== undefined ? last : this.#eras.add(start);
    this.#era = era;
    if (start.isAgain) this.#hole = { since: (isSameEra ? newest : undefined) ?? start.at, why: 'killed' };
    else this.#noteAbsence(start, last, isSameEra);
    this.#open ??= this.#newOpen(era.base, newestTaskId);
    this.#log.begin(era.id, era.base);
    this.#counters.begin(era.base, isSameEra ? ((newest ?? start.at) as EventNs) : start.at);
    this.#isRecording = true;
    this.#unsavedBegin = era;
    this.#hasNews = true;
    this.#save();
    return {
      base: era.base,
      bootNs: era.bootNs,
      isSameEra,
      newestTaskId,
      snapshot: isSameEra ? this.#snapshot(this.#open) : [],
      newest: isSameEra ? newest : undefined,
    };
  }

  append(batch: Uint8Array, at: EventNs): boolean {
    const [open, era] = this.#recording();
    if (this.pendingBytes > this.#maxPendingBytes) this.#openHole(era, at);
    if (this.#hole !== undefined) {
      // After one that is missing no other can be taken: who builds on what is not there says the wrong thing.
      this.#refusedBatches++;
      this.#note(era, at);
      return false;
    }
    this.#take(open, era, batch, at);
    return true;
  }

  #openHole(era: Era, at: EventNs): void {
    const why = this.#writer.problem === undefined ? 'overload' : 'disk';
    this.#hole ??= { since: era.newest ?? at, why };
  }

  #take(open: OpenLives, era: Era, batch: Uint8Array, at: EventNs): void {
    open.take(batch, at);
    const facts = factCount(batch);
    this.#log.append(batch, facts, at);
    this.#facts += facts;
    this.#batches++;
    this.#factsSinceKeyframe += facts;
    this.#note(era, at);
    if (open.hasSealed) this.#takeSealed(era);
  }

  noteLost(at: EventNs): void {
    const [, era] = this.#recording();
    this.#openHole(era, at);
    this.#note(era, at);
  }

  get needsSnapshot(): boolean {
    const hasRoom = this.#writer.problem === undefined && this.pendingBytes < this.#maxPendingBytes / 2;
    return this.#hole !== undefined && hasRoom;
  }

  appendSnapshot(chunks: readonly Uint8Array[], at: EventNs): void {
    const [open, era] = this.#recording();
    const told = new Set<TaskId>();
    const { since, why } = this.#hole ?? { since: at, why: undefined };
    for (const chunk of chunks) {
      readBatch(chunk, { ...IGNORED, task: (id) => told.add(id) });
      this.#take(open, era, chunk, at);
    }
    open.endUntold(told, since);
    this.#takeSealed(era);
    if (why !== undefined && Number.isFinite(since)) this.#gaps.note(era, since, at, why);
    this.#hole = undefined;
    // What was concluded is in no batch.
    this.#factsSinceKeyframe = Number.POSITIVE_INFINITY;
    this.flush();
  }

  tick(at: EventNs): void {
    const [, era] = this.#recording();
    this.#note(era, at);
  }

  noteClock(at: EventNs, wallNs: bigint): void {
    const [, era] = this.#recording();
    this.#wallClock.note(era, at, wallNs);
    this.#hasNews = true;
  }

  flush(): void {
    if (this.#isRecording && this.#hasNews && this.#writer.mayTry) this.#save();
  }

  #save(): void {
    if (this.#isClosed) return;
    const [open, era] = this.#recording();
    const began = performance.now();
    const isKeyframeDue = this.#factsSinceKeyframe >= (this.#options.keyframeFacts ?? KEYFRAME_FACTS);
    this.#makeRoom(era, this.pendingBytes + (isKeyframeDue ? this.#keyframes.bytes : 0));
    const isDone = this.#writer.write(() => {
      this.#saveBegin();
      for (const part of this.#savedParts) part.save();
      this.#eras.save(era);
      this.#database.prepare('UPDATE state SET newest_id = ?').run(open.newestId);
      if (isKeyframeDue) this.#saveKeyframe(open, era);
      this.#log.compact(this.#keyframes.oldestLog);
    });
    if (!isDone) return;
    this.#unsavedBegin = undefined;
    for (const part of this.#savedParts) part.noteSaved();
    if (isKeyframeDue) this.#factsSinceKeyframe = 0;
    this.#hasNews = false;
    this.#writtenEpochNs = this.#eras.newestEpochNs;
    this.#room.shrinkJournal();
    this.#flushTimes.add(performance.now() - began);
  }

  /** In transactions of their own: where there is no room for what is to be written, there may be for this. */
  #makeRoom(era: Era, bytes: number): void {
    const isTight = this.#writer.problem !== undefined;
    // What is in the journal is room as well.
    if (isTight) shrinkJournal(this.#database);
    if (this.#writer.attempt(() => this.#retention.step(era, bytes, isTight))) this.#retention.noteSaved();
    else this.#retention.noteFailed();
    this.#room.giveBack(bytes, this.#retention.isSettled);
    // Only with what is in the journal the file becomes shorter.
    if (isTight) shrinkJournal(this.#database);
  }

  get state(): HistoryState {
    const pendingBatches = this.#log.pendingBatches;
    const { file, journal } = sizesOf(this.#directory);
    return {
      state: this.#isClosed
        ? 'closed'
        : this.#writer.problem !== undefined
          ? 'stopped'
          : this.#isRecording
            ? 'recording'
            : 'idle',
      problem: this.#writer.problem,
      oldestEpochNs: this.#eras.oldestEpochNs,
      newestEpochNs: this.#eras.newestEpochNs,
      writtenEpochNs: this.#writtenEpochNs,
      fileBytes: file + journal,
      facts: this.#facts,
      batches: this.#batches,
      blocks: this.#blocks.entries.length,
      openLives: this.#open?.counts.open ?? 0,
      pendingBatches,
      pendingBytes: this.pendingBytes,
      droppedBatches: this.#refusedBatches,
      refusedFacts: this.#open?.refused ?? 0,
      damagedParts: this.#blocks.damagedCount + this.#damagedRows,
      flushMs: this.#flushTimes.summary,
    };
  }

  /** Packed bytes that are not on the disk yet. */
  get pendingBytes(): number {
    return this.#log.pendingBytes + this.#blocks.unsavedBytes;
  }

  /** How many lives are where. */
  get counts(): OpenLives['counts'] & { readonly sealedBlocks: number } {
    const none = { open: 0, waiting: 0, pinned: 0, ready: 0 };
    return { ...(this.#open?.counts ?? none), sealedBlocks: this.#blocks.entries.length };
  }

  get logRows(): number {
    return this.#database.prepare('SELECT count(*) FROM log').pluck().get() as number;
  }

  /** Bytes that hold something, and the journal; the rest of the file is there to be filled again. */
  get usedBytes(): number {
    return this.#room.usedBytes;
  }

  asOf(epochNs: bigint): TreeAsOf {
    return this.#reader.window(epochNs, epochNs);
  }

  window(fromEpochNs: bigint, toEpochNs: bigint): TreeWindow {
    return this.#reader.window(fromEpochNs, toEpochNs);
  }

  difference(firstEpochNs: bigint, secondEpochNs: bigint, options: DifferenceOptions): TreeDifference {
    const first = rememberTree(this.asOf(firstEpochNs), options);
    const second = rememberTree(this.asOf(secondEpochNs), options);
    return differenceOf(first, second, secondEpochNs, options);
  }

  taskAsOf(ref: TaskRef, epochNs: bigint): TreeAsOf & { readonly taskId: TaskId | undefined } {
    return this.#reader.taskAsOf(ref, epochNs);
  }

  search(query: LifeQuery): FoundLives {
    return this.#search.search(query, this.#searchedEras);
  }

  /**
   * Reads ahead for the next search, while there is nothing else to do.
   * @param ms so long at most, and longer by one block
   * @returns whether there is more to read
   */
  warm(ms: number): boolean {
    const until = performance.now() + ms;
    return this.#search.warm(this.#searchedEras, () => performance.now() < until);
  }

  histogram(fromEpochNs: bigint, toEpochNs: bigint, buckets: number): Histogram {
    this.flush();
    return this.#counters.histogram(fromEpochNs, toEpochNs, buckets);
  }

  gaps(fromEpochNs: bigint, toEpochNs: bigint): HistoryGap[] {
    return this.#gaps.between(fromEpochNs, toEpochNs);
  }

  clock(): ClockReading[] {
    return this.#wallClock.readings();
  }

  instantsAtWall(wallNs: bigint): bigint[] {
    return this.#wallClock.instantsAt(wallNs);
  }

  *batches(fromEpochNs: bigint, toEpochNs: bigint): Generator<LoggedBatch> {
    this.flush();
    for (const { id, base } of this.#eras.all) {
      const [from, to] = [eventTimeOf(base, fromEpochNs), eventTimeOf(base, toEpochNs)];
      yield* this.#log.between(id, base, from, to, () => this.#damagedRows++);
    }
  }

  recording(fromEpochNs: bigint, toEpochNs: bigint): RecordedStretch {
    this.flush();
    const sources = {
      reader: this.#reader,
      log: this.#log,
      gaps: (from: bigint, to: bigint) => this.gaps(from, to),
      noteDamaged: () => this.#damagedRows++,
    };
    return recordedStretch(sources, fromEpochNs, toEpochNs);
  }

  close(): void {
    if (this.#isClosed) return;
    if (this.#isRecording) {
      const [open, era] = this.#recording();
      this.#save();
      this.#writer.write(() => {
        this.#saveKeyframe(open, era);
        this.#database.prepare('UPDATE state SET is_open = 0').run();
      });
    }
    this.#isClosed = true;
    this.#database.close();
  }

  // --- inside ---

  /** The newest first. */
  get #searchedEras(): SearchedEra[] {
    const eras = this.#eras.all.map((era) => ({
      id: era.id,
      base: era.base,
      beganEpochNs: era.began === undefined ? 0n : epochOf(era.base, era.began),
      open: this.#openOf(era),
    }));
    return eras.reverse();
  }

  #recording(): [OpenLives, Era] {
    if (!this.#isRecording || this.#open === undefined || this.#era === undefined) {
      throw new Error('a history is recorded from begin() on');
    }
    return [this.#open, this.#era];
  }

  get #newestTaskId(): TaskId {
    const saved = this.#database.prepare('SELECT newest_id FROM state').pluck().get() as number;
    return Math.max(saved, this.#open?.newestId ?? 0) as TaskId;
  }

  get #maxPendingBytes(): number {
    return this.#options.maxPendingBytes ?? MAX_PENDING_BYTES;
  }

  #note(era: Era, at: EventNs): void {
    if (!Number.isFinite(at)) return;
    if (era.newest === undefined || at > era.newest) era.newest = at;
    this.#hasNews = true;
  }

  #openOf(era: Era): OpenLives | undefined {
    return era === this.#eras.last ? this.#open : undefined;
  }

  #newOpen(base: TimeBase, newestTaskId: number): OpenLives {
    const events: LifeEvents = {
      birth: (at) => this.#counters.birth(at),
      exec: (at) => this.#counters.exec(at),
      exit: (at) => this.#counters.exit(at),
      gap: (from, to, lost) => {
        if (this.#era !== undefined) this.#gaps.note(this.#era, from, to, 'source', lost);
      },
    };
    const closed = {
      bringBack: (id: TaskId, tree: OpenLives['tree']) => {
        const era = this.#era ?? this.#eras.last;
        if (era === undefined) return undefined;
        if (this.#open?.hasSealed) this.#takeSealed(era);
        return this.#blocks.loadLife(tree, id, era.id, base, [EVER, EVER]);
      },
    };
    const open = new OpenLives(base, closed, events, this.#options);
    open.noteNewestId(newestTaskId);
    return open;
  }

  #takeSealed(era: Era): void {
    const open = this.#open;
    if (open === undefined) return;
    for (const sealed of open.takeSealed()) this.#search.noteSealed(this.#blocks.add(sealed, era.id), sealed, open);
  }

  /** Inside of a transaction: somebody records now, and what of an earlier boot is open stays so no more. */
  #saveBegin(): void {
    const era = this.#unsavedBegin;
    if (era === undefined) return;
    this.#eras.insert(era);
    this.#keyframes.dropOthersThan(era);
    this.#database.prepare('UPDATE state SET is_open = 1').run();
  }

  /** From the last instant of the run before to the first of this one nobody looked. */
  #noteAbsence(start: HostStart, last: Era | undefined, isSameEra: boolean): void {
    const era = this.#era;
    if (era === undefined || last?.newest === undefined || !Number.isFinite(start.at)) return;
    const before = epochOf(last.base, last.newest);
    // Of the same boot the clock of the earlier run counts, whatever the wall clock says by now.
    const shift = isSameEra && start.bootId !== undefined ? Number(start.bootNs - era.bootNs) : 0;
    const now = epochOf(era.base, (start.at + shift) as EventNs);
    if (now <= before) return;
    const why = this.#wasKilled ? 'killed' : 'stopped';
    this.#gaps.note(era, eventTimeOf(era.base, before), eventTimeOf(era.base, now), why);
  }

  #saveKeyframe(open: OpenLives, era: Era): void {
    this.#keyframes.save(open, era, { log: this.#log.newestId, block: this.#blocks.newestId });
  }

  /** Who lived when the last run ended: from the last keyframe and the batches since. */
  #resume(): void {
    const era = this.#eras.last;
    if (era === undefined) return;
    const newestId = this.#newestTaskId;
    this.#era = era;
    const newOpen = (id: number) => this.#newOpen(era.base, Math.max(newestId, id));
    const keyframe = this.#keyframes.load(era, newOpen, () => this.#damagedRows++);
    const open = keyframe?.open ?? newOpen(newestId);
    this.#open = open;
    this.#log.begin(era.id, era.base);
    // What was sealed since then is sealed again.
    const hasBatches = this.#log.newestId > (keyframe?.log ?? 0);
    if (hasBatches || keyframe === undefined) this.#blocks.dropAfter(keyframe?.block ?? this.#oldBlocks(era));
    for (const { at, bytes } of this.#log.after(keyframe?.log ?? 0, era.id, era.base, (at0, at1) =>
      this.#noteDamaged(era, at0, at1),
    )) {
      open.take(bytes, at);
      this.#takeSealed(era);
    }
    // It is in the file already.
    this.#counters.discard();
    this.#gaps.forgetTold();
    this.#era = undefined;
    if (!hasBatches && keyframe !== undefined) return;
    const isDone = this.#writer.write(() => {
      this.#blocks.save();
      if (hasBatches) this.#saveKeyframe(open, era);
      this.#gaps.save();
    });
    if (isDone) {
      this.#blocks.noteSaved();
      this.#gaps.noteSaved();
    } else this.#factsSinceKeyframe = Number.POSITIVE_INFINITY; // with the first flush that succeeds
  }

  /** The last block that is of an earlier era: without any keyframe, all of this one are made again. */
  #oldBlocks(era: Era): number {
    const last = this.#blocks.entries.findLast((entry) => entry.era < era.id);
    return last?.id ?? 0;
  }

  #noteDamaged(era: Era, from: EventNs, to: EventNs): void {
    this.#damagedRows++;
    this.#gaps.note(era, from, to, 'damaged');
  }

  #snapshot(open: OpenLives): Uint8Array<ArrayBuffer>[] {
    return chunksOf(open.tree, open.mattering(open.newest, FOREVER));
  }
}

const IGNORED = { strings() {}, task() {}, set() {}, exit() {}, gap() {}, evict() {} };

/** From the header of a batch that was read already. */
function factCount(batch: Uint8Array): number {
  const view = new DataView(batch.buffer, batch.byteOffset, 32);
  let count = 0;
  for (let at = 12; at < 32; at += 4) count += view.getUint32(at, true);
  return count;
}
