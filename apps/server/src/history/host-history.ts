// The durable history of a host: opened before its tree begins, which goes on from it; then every batch of the tree goes
// into it, and what the tree in memory no longer holds is answered from it. That of a host which nobody has heard of before
// is opened when the first batch comes; until it is open nothing is kept, then all that its tree knows.

import { readFileSync } from 'node:fs';
import {
  HistoryClient,
  type Question as HistoryQuestion,
  type HistoryState,
  type HostStart,
  type QuestionAnswers,
  type ReadStretch,
  type Resumption,
} from '@dendro/history';
import { DendroError, type EventNs, epochOf, eventTimeOf, toError } from '@dendro/protocol';
import { HostClock } from '@dendro/sources';
import { taskRef } from '../tree-worker/answers.ts';
import type { FromWorker, TreeQuestion, TreeResumption } from '../tree-worker/messages.ts';
import type { EpochRange } from './epoch-range.ts';
import { PastAnswers } from './past-answers.ts';

export interface HistorySettings {
  readonly directory: string;
  readonly maxAgeNs?: bigint | undefined;
  readonly maxBytes?: number | undefined;
  /** Of batches on their way to the disk, in memory. Default: that of `HistoryClient`. */
  readonly maxWaitingBytes?: number | undefined;
}

type BatchMessage = Extract<FromWorker, { type: 'batch' }>;
type ChunkMessage = Extract<FromWorker, { type: 'chunk' }>;
type RequestSnapshot = (take: (chunk: ChunkMessage) => void) => void;

/** A wall clock that is this far from what was noted last was set. */
const MAX_WALL_SHIFT_MS = 250;
/** Questions that may wait at once: the answer to one is a whole tree. */
const MAX_QUESTIONS = 16;
const MS_NS = 1_000_000n;
/** Of one that is still to be opened. */
const NOTHING: HistoryState = {
  state: 'idle',
  problem: undefined,
  oldestEpochNs: undefined,
  newestEpochNs: undefined,
  writtenEpochNs: undefined,
  fileBytes: 0,
  facts: 0,
  batches: 0,
  blocks: 0,
  openLives: 0,
  pendingBatches: 0,
  pendingBytes: 0,
  droppedBatches: 0,
  refusedFacts: 0,
  damagedParts: 0,
  flushMs: { p50: 0, p99: 0, max: 0 },
};

export class HostHistory {
  readonly directory: string;
  readonly #settings: HistorySettings;
  /** Of this host; undefined for one whose times come from elsewhere. */
  readonly #clock: HostClock | undefined;
  readonly #past = new PastAnswers();
  #client: HistoryClient | undefined;
  #resumption: TreeResumption | undefined;
  #requestSnapshot: RequestSnapshot | undefined;
  /** Is told what the times count from, of one that is still to begin. */
  #onBase: ((baseEpochNs: bigint) => void) | undefined;
  #opening: Promise<void> | undefined;
  #isSnapshotOnItsWay = false;
  /** Why it could not be opened: a sentence. */
  #failure: string | undefined;
  #saidProblem: string | undefined;
  #notedShiftMs = 0;
  #asked = 0;

  private constructor(settings: HistorySettings, clock: HostClock | undefined) {
    this.directory = settings.directory;
    this.#settings = settings;
    this.#clock = clock;
  }

  /**
   * Opens the history and begins a run.
   * @param feedBaseEpochNs of a host whose times come from elsewhere: what they count from
   * @throws DendroError DENDRO_HISTORY_IN_USE, DENDRO_HISTORY_VERSION, DENDRO_HISTORY_UNREADABLE
   */
  static async open(settings: HistorySettings, feedBaseEpochNs?: bigint): Promise<HostHistory> {
    const clock = feedBaseEpochNs === undefined ? HostClock.read() : undefined;
    const history = new HostHistory(settings, clock);
    await history.#open(feedBaseEpochNs ?? 0n);
    return history;
  }

  /** Of a host that nobody has heard of before. @param onBase is told what its times count from, before it is opened */
  static toBegin(settings: HistorySettings, onBase: (baseEpochNs: bigint) => void): HostHistory {
    const history = new HostHistory(settings, undefined);
    history.#onBase = onBase;
    return history;
  }

  async #open(feedBaseEpochNs: bigint): Promise<void> {
    const client = await HistoryClient.open({
      ...this.#settings,
      onState: (state) => this.#say(state),
      onSnapshotNeeded: () => this.#sendSnapshot(),
    });
    const hasPast = client.state.oldestEpochNs !== undefined;
    try {
      this.#goOn(client, await client.begin(this.#start(feedBaseEpochNs, hasPast)), hasPast);
      this.#client = client;
    } catch (thrown) {
      await client.close();
      throw thrown;
    }
  }

  #start(feedBaseEpochNs: bigint, hasPast: boolean): HostStart {
    if (this.#clock !== undefined) {
      const { base, origin } = this.#clock;
      return { bootId: readBootId(), base, bootNs: origin.bootNs, at: this.#clock.now() };
    }
    // The times of a feed count from its first event.
    const base = { epochNs: feedBaseEpochNs };
    const at = hasPast ? eventTimeOf(base, BigInt(Date.now()) * MS_NS) : (0 as EventNs);
    return { bootId: undefined, base, bootNs: 0n, at };
  }

  /** What the tree begins with. */
  get resumption(): TreeResumption {
    if (this.#resumption === undefined) throw new Error('a history that has not begun');
    return this.#resumption;
  }

  get state(): HistoryState {
    return this.#client?.state ?? NOTHING;
  }

  /** Why it does not record, if it does not: a sentence. */
  get problem(): string | undefined {
    return this.#failure ?? this.state.problem;
  }

  get notices(): readonly string[] {
    const { problem } = this;
    return problem === undefined ? [] : [problem];
  }

  get oldestEpochNs(): bigint | undefined {
    const { oldestEpochNs } = this.state;
    if (oldestEpochNs !== undefined || this.#resumption === undefined) return oldestEpochNs;
    const { clock, begun } = this.#resumption;
    return epochOf(clock, begun); // of a new one it is told within a second
  }

  /** @param request asks the tree for all that it knows */
  takeSnapshots(request: RequestSnapshot): void {
    this.#requestSnapshot = request;
  }

  /** A batch of the tree. @param baseEpochNs what its times count from */
  take({ bytes, now }: BatchMessage, baseEpochNs: bigint): void {
    if (this.#client !== undefined) this.#client.append(bytes, now);
    else this.#opening ??= this.#begin(baseEpochNs);
  }

  async #begin(baseEpochNs: bigint): Promise<void> {
    try {
      this.#onBase?.(baseEpochNs);
      await this.#open(baseEpochNs);
      this.#sendSnapshot();
    } catch (thrown) {
      this.#failure = `Nothing is recorded of this host. ${toError(thrown).message}`;
    }
  }

  /** Nothing else has happened until now. */
  tick(now: EventNs): void {
    this.#client?.tick(now);
    if (this.#clock === undefined) return;
    const shiftMs = this.#clock.wallShiftMs();
    if (Math.abs(shiftMs - this.#notedShiftMs) < MAX_WALL_SHIFT_MS) return;
    this.#notedShiftMs = shiftMs;
    this.#opened.noteClock(now, BigInt(Date.now()) * MS_NS);
  }

  /** @throws DendroError DENDRO_HISTORY_TOO_OLD, DENDRO_BUSY, DENDRO_TREE_UNAVAILABLE */
  async ask<Q extends HistoryQuestion>(question: Q): Promise<QuestionAnswers[Q['kind']]> {
    if (this.#asked >= MAX_QUESTIONS) throw new DendroError('DENDRO_BUSY');
    this.#asked++;
    try {
      await this.#opening;
      return await this.#opened.ask(question);
    } finally {
      this.#asked--;
    }
  }

  /** As `HistoryClient.recording`. @throws DendroError DENDRO_HISTORY_TOO_OLD, DENDRO_BUSY, DENDRO_TREE_UNAVAILABLE */
  recording({ fromEpochNs, toEpochNs }: EpochRange): Promise<ReadStretch> {
    return this.#opened.recording(fromEpochNs, toEpochNs);
  }

  /**
   * Answers as the live tree would have.
   * @param question with whatever time: the instant is `epochNs`
   * @param host id and version that the answer names
   * @returns JSON in UTF-8
   * @throws DendroError what is wrong with the question; DENDRO_HISTORY_TOO_OLD, DENDRO_BUSY, DENDRO_TREE_UNAVAILABLE
   */
  async answer(
    question: TreeQuestion,
    epochNs: bigint,
    host: { readonly id: string; readonly version: number },
  ): Promise<Uint8Array<ArrayBuffer>> {
    const at = String(epochNs);
    if (!('id' in question)) {
      const [facts, gaps] = await Promise.all([this.#windowAt(epochNs), this.#gapsAt(epochNs)]);
      return this.#past.ask({ question: { ...question, at }, host, facts: [facts], gaps });
    }
    const found = await this.ask({ kind: 'task', ref: taskRef(question.id), epochNs });
    if (found.taskId === undefined) throw new DendroError('DENDRO_TASK_UNKNOWN');
    // Children and threads are in no answer about one task.
    const around = question.kind === 'process' ? [await this.#windowAt(epochNs)] : [];
    const id = String(found.taskId);
    return this.#past.ask({ question: { ...question, id, at }, host, facts: [found, ...around], gaps: [] });
  }

  /** Writes down what is left. */
  async close(): Promise<void> {
    await this.#opening;
    await Promise.all([this.#past.close(), this.#client?.close()]);
  }

  get #opened(): HistoryClient {
    if (this.#client === undefined) {
      throw new DendroError('DENDRO_TREE_UNAVAILABLE', this.#failure ?? 'Nothing is recorded of this host yet.');
    }
    return this.#client;
  }

  #goOn(client: HistoryClient, resumption: Resumption, hasPast: boolean): void {
    const { base, bootNs, newestTaskId, snapshot, newest } = resumption;
    const own = this.#clock?.origin;
    const clock = { epochNs: base.epochNs, bootNs, bootAheadNs: own?.bootAheadNs ?? 0n };
    const begun = own === undefined ? (newest ?? (0 as EventNs)) : HostClock.at(clock).now();
    const firstTaskId = newestTaskId + 1;
    this.#resumption = { clock, firstTaskId, snapshot, newest, begun, hasPast, isBounded: true };
    if (own !== undefined) client.noteClock(begun, BigInt(Date.now()) * MS_NS);
  }

  #windowAt(epochNs: bigint) {
    return this.ask({ kind: 'window', fromEpochNs: epochNs, toEpochNs: epochNs });
  }

  #gapsAt(epochNs: bigint) {
    return this.ask({ kind: 'gaps', fromEpochNs: epochNs, toEpochNs: epochNs });
  }

  #sendSnapshot(): void {
    if (this.#isSnapshotOnItsWay || this.#requestSnapshot === undefined) return;
    this.#isSnapshotOnItsWay = true;
    const chunks: Uint8Array[] = [];
    this.#requestSnapshot(({ bytes, isLast, now }) => {
      chunks.push(bytes);
      if (!isLast) return;
      this.#isSnapshotOnItsWay = false;
      this.#client?.appendSnapshot(chunks, now);
    });
  }

  #say({ problem }: HistoryState): void {
    if (problem === this.#saidProblem) return;
    this.#saidProblem = problem;
    console.error(`dendro: ${problem ?? `The history in ${this.directory} is recorded again.`}`);
  }
}

/** Undefined where it cannot be read: then every run is a stretch of its own. */
function readBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}
