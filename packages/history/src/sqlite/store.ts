// A history in one SQLite file: writing. What is kept where, and why it is found again:
// docs/adr/0013-the-history.md. Reading is in reader.ts.

import { type DifferenceOptions, differenceOf, rememberTree, type TaskRef, type TreeDifference } from '@dendro/engine';
import { type EventNs, epochOf, eventTimeOf, readBatch, type TaskId, type TimeBase } from '@dendro/protocol';
import { PackedBlock, packBlock } from '../codec/packed-block.ts';
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
import { TreeLoader } from '../lives/tree-loader.ts';
import { chunksOf } from '../questions.ts';
import { BlockStore } from './block-store.ts';
import { Counters } from './counters.ts';
import {
  type Database,
  explain,
  isDiskFailure,
  MAX_JOURNAL_BYTES,
  openDatabase,
  shrinkJournal,
  sizesOf,
} from './database.ts';
import { type Era, Eras } from './eras.ts';
import { FlushTimes } from './flush-times.ts';
import { BatchLog, type LoggedBatch } from './log.ts';
import { Reader } from './reader.ts';
import { recordedStretch } from './recorded-stretch.ts';
import { Retention } from './retention.ts';
import { LifeSearch } from './search.ts';

const MIB = 1024 * 1024;
const DEFAULT_MAX_BYTES = 10 * 1024 * MIB;
/** What waits for the disk at most; packed, so some five times as much of batches. */
const MAX_PENDING_BYTES = 32 * MIB;
/** So many facts at most are taken in again after a crash. */
const KEYFRAME_FACTS = 500_000;
const KEPT_KEYFRAMES = 2;
const RETRY_MS = 1000;
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

interface KeyframeRow {
  readonly id: number;
  readonly era: number;
  readonly log: number;
  readonly block: number;
  readonly at: number;
  readonly newest_id: number;
  readonly data: Uint8Array;
}

interface PendingGap {
  readonly era: number;
  readonly from: EventNs;
  readonly to: EventNs;
  readonly lost: number;
  readonly why: GapReason;
}

export class SqliteHistory implements History {
  readonly #directory: string;
  readonly #options: SqliteHistoryOptions;
  readonly #database: Database;
  readonly #eras: Eras;
  readonly #blocks: BlockStore;
  readonly #log: BatchLog;
  readonly #counters: Counters;
  readonly #search: LifeSearch;
  readonly #retention: Retention;
  readonly #reader: Reader;
  readonly #flushTimes = new FlushTimes();
  readonly #now: () => number;
  readonly #insertGap;
  /** Of the last era, after `begin`, or as soon as somebody asks about it. */
  #open: OpenLives | undefined;
  #era: Era | undefined;
  #isRecording = false;
  #isClosed = false;
  /** While it is not in the file that this era is recorded. */
  #unsavedBegin: Era | undefined;
  readonly #wasKilled: boolean;
  #problem: string | undefined;
  #hadProblem = false;
  #retryAt = 0;
  #pendingGaps: PendingGap[] = [];
  /** Since when batches are refused. */
  #refusedSince: EventNs | undefined;
  #holeWhy: GapReason | undefined;
  #refusedBatches = 0;
  #factsSinceKeyframe = 0;
  /** Rows of the log up to here are needed for no start. */
  #oldestKeyframeLog = 0;
  #facts: number;
  #batches: number;
  #damagedRows = 0;
  #hasNews = false;
  #writtenEpochNs: bigint | undefined;

  /** @throws DendroError DENDRO_HISTORY_IN_USE, DENDRO_HISTORY_VERSION, DENDRO_HISTORY_UNREADABLE */
  constructor(directory: string, options: SqliteHistoryOptions = {}) {
    this.#directory = directory;
    this.#options = options;
    this.#now = options.monotonicMs ?? (() => performance.now());
    const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    const database = openDatabase(directory, undefined, maxBytes);
    this.#database = database;
    this.#eras = new Eras(database);
    this.#blocks = new BlockStore(database);
    this.#log = new BatchLog(database);
    this.#counters = new Counters(database, this.#eras.last?.base ?? { epochNs: 0n });
    this.#search = new LifeSearch(this.#blocks);
    this.#retention = new Retention(database, this.#blocks, this.#eras, this.#counters, {
      maxAgeNs: options.maxAgeNs,
      maxBytes,
      journalBytes: () => sizesOf(directory).journal,
    });
    this.#writtenEpochNs = this.#eras.newestEpochNs;
    this.#reader = new Reader(this.#blocks, this.#eras, (era) => this.#openOf(era));
    this.#insertGap = database.prepare('INSERT INTO gap (era, t0, t1, lost, why) VALUES (?, ?, ?, ?, ?)');
    this.#wasKilled = database.prepare('SELECT is_open FROM state').pluck().get() === 1;
    const [facts, batches] = database.prepare('SELECT total(facts), total(batches) FROM log').raw().get() as [
      number,
      number,
    ];
    this.#facts = facts;
    this.#batches = batches;
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
    if (start.isAgain) {
      this.#refusedSince = (isSameEra ? newest : undefined) ?? start.at;
      this.#holeWhy = 'killed';
    } else this.#noteAbsence(start, last, isSameEra);
    this.#open ??= this.#newOpen(era.base, newestTaskId);
    this.#log.begin(era.id, era.base);
    this.#counters.begin(era.base, isSameEra ? ((newest ?? start.at) as EventNs) : start.at);
    this.#isRecording = true;
    this.#unsavedBegin = era;
    this.#hasNews = true;
    this.#retryAt = 0;
    this.flush();
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
    if (this.pendingBytes > this.#maxPendingBytes) this.#refusedSince ??= era.newest ?? at;
    if (this.#refusedSince !== undefined) {
      // After one that is missing no other can be taken: who builds on what is not there says the wrong thing.
      this.#refusedBatches++;
      this.#note(era, at);
      return false;
    }
    this.#take(open, era, batch, at);
    return true;
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
    this.#refusedSince ??= era.newest ?? at;
    this.#note(era, at);
  }

  get needsSnapshot(): boolean {
    const hasRoom = this.#problem === undefined && this.pendingBytes < this.#maxPendingBytes / 2;
    return this.#refusedSince !== undefined && hasRoom;
  }

  appendSnapshot(chunks: readonly Uint8Array[], at: EventNs): void {
    const [open, era] = this.#recording();
    const told = new Set<TaskId>();
    const since = this.#refusedSince ?? at;
    for (const chunk of chunks) {
      readBatch(chunk, { ...IGNORED, task: (id) => told.add(id) });
      this.#take(open, era, chunk, at);
    }
    open.endUntold(told, since);
    this.#takeSealed(era);
    if (this.#refusedSince !== undefined) {
      const why = this.#holeWhy ?? (this.#hadProblem ? 'disk' : 'overload');
      if (Number.isFinite(this.#refusedSince)) {
        this.#pendingGaps.push({ era: era.id, from: this.#refusedSince, to: at, lost: 0, why });
      }
      this.#refusedSince = undefined;
      this.#holeWhy = undefined;
      this.#hadProblem = false;
    }
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
    this.#write(() => {
      this.#database
        .prepare('INSERT INTO clock (era, at, wall_ns) VALUES (?, ?, ?)')
        .run(era.id, Math.round(at), String(wallNs));
    });
  }

  flush(): void {
    if (this.#isClosed || !this.#isRecording || !this.#hasNews) return;
    if (this.#problem !== undefined && this.#now() < this.#retryAt) return;
    const [open, era] = this.#recording();
    const began = performance.now();
    const isDone = this.#write(() => {
      this.#saveBegin();
      this.#log.save();
      this.#blocks.save();
      this.#counters.save();
      this.#saveGaps();
      this.#eras.save(era);
      this.#database.prepare('UPDATE state SET newest_id = ?').run(open.newestId);
      if (this.#factsSinceKeyframe >= (this.#options.keyframeFacts ?? KEYFRAME_FACTS)) this.#saveKeyframe(open, era);
      this.#retention.step(era);
      this.#log.compact(this.#oldestKeyframeLog);
    });
    if (!isDone) return;
    this.#unsavedBegin = undefined;
    this.#log.noteSaved();
    this.#blocks.noteSaved();
    this.#counters.noteSaved();
    this.#retention.noteSaved();
    this.#pendingGaps = [];
    if (this.#factsSinceKeyframe >= (this.#options.keyframeFacts ?? KEYFRAME_FACTS)) this.#factsSinceKeyframe = 0;
    this.#hasNews = false;
    this.#writtenEpochNs = this.#eras.newestEpochNs;
    if (sizesOf(this.#directory).journal > MAX_JOURNAL_BYTES) shrinkJournal(this.#database);
    this.#flushTimes.add(performance.now() - began);
  }

  get state(): HistoryState {
    const pendingBatches = this.#log.pendingBatches;
    const { file, journal } = sizesOf(this.#directory);
    return {
      state: this.#isClosed
        ? 'closed'
        : this.#problem !== undefined
          ? 'stopped'
          : this.#isRecording
            ? 'recording'
            : 'idle',
      problem: this.#problem,
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
    return this.#retention.usedBytes;
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
    const eras = this.#eras.all.map((era) => ({ id: era.id, base: era.base, open: this.#openOf(era) }));
    return this.#search.search(query, eras.reverse());
  }

  histogram(fromEpochNs: bigint, toEpochNs: bigint, buckets: number): Histogram {
    this.flush();
    return this.#counters.histogram(fromEpochNs, toEpochNs, buckets);
  }

  gaps(fromEpochNs: bigint, toEpochNs: bigint): HistoryGap[] {
    const found: HistoryGap[] = [];
    const select = this.#database.prepare('SELECT t0, t1, lost, why FROM gap WHERE era = ? AND t1 >= ? AND t0 <= ?');
    for (const { id, base } of this.#eras.all) {
      const [from, to] = [eventTimeOf(base, fromEpochNs), eventTimeOf(base, toEpochNs)];
      const saved = select.raw().all(id, from, to) as [EventNs, EventNs, number, GapReason][];
      const pending = this.#pendingGaps.filter((gap) => gap.era === id && gap.to >= from && gap.from <= to);
      for (const [t0, t1, lost, why] of [
        ...saved,
        ...pending.map((gap) => [gap.from, gap.to, gap.lost, gap.why] as const),
      ]) {
        found.push({ fromEpochNs: epochOf(base, t0), toEpochNs: epochOf(base, t1), lost, why });
      }
    }
    return found.sort((a, b) => (a.fromEpochNs < b.fromEpochNs ? -1 : a.fromEpochNs > b.fromEpochNs ? 1 : 0));
  }

  clock(): ClockReading[] {
    const rows = this.#database.prepare('SELECT era, at, wall_ns FROM clock ORDER BY id').raw().all() as [
      number,
      EventNs,
      string,
    ][];
    const bases = new Map(this.#eras.all.map(({ id, base }) => [id, base]));
    return rows.flatMap(([era, at, wallNs]) => {
      const base = bases.get(era);
      return base === undefined ? [] : [{ epochNs: epochOf(base, at), wallNs: BigInt(wallNs) }];
    });
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
      this.#retryAt = 0;
      this.#hasNews = true;
      this.flush();
      this.#write(() => {
        this.#saveKeyframe(open, era);
        this.#database.prepare('UPDATE state SET is_open = 0').run();
      });
    }
    this.#isClosed = true;
    this.#database.close();
  }

  // --- inside ---

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
        if (this.#era !== undefined) this.#pendingGaps.push({ era: this.#era.id, from, to, lost, why: 'source' });
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
    for (const sealed of this.#open?.takeSealed() ?? []) this.#blocks.add(sealed, era.id);
  }

  /** A write that waits for better times when the disk does not take it. */
  #write(work: () => void): boolean {
    try {
      this.#inTransaction(work);
      this.#problem = undefined;
      return true;
    } catch (thrown) {
      if (!isDiskFailure(thrown)) throw thrown;
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      this.#problem = `The history in ${this.#directory} cannot be written (${why}): recording has stopped, and goes on as soon as there is room.`;
      this.#hadProblem = true;
      this.#retryAt = this.#now() + RETRY_MS;
      return false;
    }
  }

  #inTransaction(work: () => void): void {
    this.#database.transaction(work)();
  }

  /** Inside of a transaction: somebody records now, and what of an earlier boot is open stays so no more. */
  #saveBegin(): void {
    const era = this.#unsavedBegin;
    if (era === undefined) return;
    this.#eras.insert(era);
    this.#database.prepare('DELETE FROM keyframe WHERE era <> ?').run(era.id);
    this.#database.prepare('UPDATE state SET is_open = 1').run();
  }

  #saveGaps(): void {
    for (const { era, from, to, lost, why } of this.#pendingGaps) {
      this.#insertGap.run(era, Math.floor(from), Math.ceil(to), Math.round(lost), why);
    }
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
    this.#pendingGaps.push({
      era: era.id,
      from: eventTimeOf(era.base, before),
      to: eventTimeOf(era.base, now),
      lost: 0,
      why,
    });
  }

  #saveKeyframe(open: OpenLives, era: Era): void {
    open.sweep();
    const block = open.encodeAll();
    this.#database
      .prepare('INSERT INTO keyframe (era, log, block, at, newest_id, lives, data) VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(
        era.id,
        this.#log.newestId,
        this.#blocks.newestId,
        wholeOf(open.newest),
        open.newestId,
        block.lives,
        packBlock(block),
      );
    this.#database
      .prepare('DELETE FROM keyframe WHERE id <= (SELECT id FROM keyframe ORDER BY id DESC LIMIT 1 OFFSET ?)')
      .run(KEPT_KEYFRAMES);
    this.#oldestKeyframeLog =
      (this.#database.prepare('SELECT min(log) FROM keyframe WHERE era = ?').pluck().get(era.id) as number | null) ?? 0;
  }

  /** Who lived when the last run ended: from the last keyframe and the batches since. */
  #resume(): void {
    const era = this.#eras.last;
    if (era === undefined) return;
    const newestId = this.#newestTaskId;
    const rows = this.#database
      .prepare('SELECT * FROM keyframe WHERE era = ? ORDER BY id DESC')
      .all(era.id) as KeyframeRow[];
    this.#era = era;
    const keyframe = rows.find((row) => this.#loadKeyframe(row, era, newestId));
    if (keyframe === undefined) this.#open = this.#newOpen(era.base, newestId);
    const open = this.#open as unknown as OpenLives;
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
    this.#pendingGaps = this.#pendingGaps.filter(({ why }) => why === 'damaged');
    this.#era = undefined;
    if (!hasBatches && keyframe !== undefined) return;
    const isDone = this.#write(() => {
      this.#blocks.save();
      if (hasBatches) this.#saveKeyframe(open, era);
      this.#saveGaps();
    });
    if (isDone) {
      this.#blocks.noteSaved();
      this.#pendingGaps = [];
    } else this.#factsSinceKeyframe = Number.POSITIVE_INFINITY; // with the first flush that succeeds
  }

  /** The last block that is of an earlier era: without any keyframe, all of this one are made again. */
  #oldBlocks(era: Era): number {
    const last = this.#blocks.entries.findLast((entry) => entry.era < era.id);
    return last?.id ?? 0;
  }

  #loadKeyframe(row: KeyframeRow, era: Era, newestId: number): boolean {
    try {
      const open = this.#newOpen(era.base, Math.max(newestId, row.newest_id));
      const block = new PackedBlock(row.data, era.base);
      new TreeLoader(open.tree).load(block, EVER, FOREVER);
      const { rows } = block;
      open.noteNewest(row.at as EventNs);
      for (let life = 0; life < rows.lives; life++) {
        const [from, to] = [rows.from[life] as EventNs, rows.to[life] as EventNs];
        open.resume(rows.id[life] as TaskId, from, to, rows.isPart[life] === 1);
      }
      this.#open = open;
      return true;
    } catch {
      this.#damagedRows++; // an earlier one, or the batches from the beginning, will do
      return false;
    }
  }

  #noteDamaged(era: Era, from: EventNs, to: EventNs): void {
    this.#damagedRows++;
    this.#pendingGaps.push({ era: era.id, from, to, lost: 0, why: 'damaged' });
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

function wholeOf(at: number): number {
  return Number.isFinite(at) ? Math.ceil(at) : 0;
}
