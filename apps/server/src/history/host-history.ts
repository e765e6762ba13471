// The durable history of a host: opened before its tree begins, which goes on from it; then every batch of the tree goes
// into it, and what the tree in memory no longer holds is answered from it.

import { readFileSync } from 'node:fs';
import {
  HistoryClient,
  type Question as HistoryQuestion,
  type HistoryState,
  type QuestionAnswers,
  type ReadStretch,
  type Resumption,
} from '@dendro/history';
import { DendroError, type EventNs, epochOf } from '@dendro/protocol';
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
const MAX_WALL_SHIFT_MS = 1000;
/** Questions that may wait at once: the answer to one is a whole tree. */
const MAX_QUESTIONS = 16;
const MS_NS = 1_000_000n;

export class HostHistory {
  readonly directory: string;
  readonly #clock: HostClock;
  readonly #past = new PastAnswers();
  #client: HistoryClient | undefined;
  #resumption: TreeResumption | undefined;
  #requestSnapshot: RequestSnapshot | undefined;
  #isSnapshotOnItsWay = false;
  #failure: string | undefined;
  #saidProblem: string | undefined;
  #notedShiftMs = 0;
  #asked = 0;

  private constructor(directory: string, clock: HostClock) {
    this.directory = directory;
    this.#clock = clock;
  }

  /**
   * Opens the history and begins a run.
   * @throws DendroError DENDRO_HISTORY_IN_USE, DENDRO_HISTORY_VERSION, DENDRO_HISTORY_UNREADABLE
   */
  static async open(settings: HistorySettings): Promise<HostHistory> {
    const clock = HostClock.read();
    const history = new HostHistory(settings.directory, clock);
    const client = await HistoryClient.open({
      ...settings,
      onState: (state) => history.#say(state),
      onSnapshotNeeded: () => history.#sendSnapshot(),
      onFailed: (error) => history.#fail(error),
    });
    history.#client = client;
    const hasPast = client.state.oldestEpochNs !== undefined;
    const { base, origin } = clock;
    const start = { bootId: readBootId(), base, bootNs: origin.bootNs, at: clock.now() };
    try {
      history.#goOn(await client.begin(start), hasPast);
    } catch (thrown) {
      await client.close();
      throw thrown;
    }
    return history;
  }

  /** What the tree begins with. */
  get resumption(): TreeResumption {
    if (this.#resumption === undefined) throw new Error('a history that has not begun');
    return this.#resumption;
  }

  get state(): HistoryState {
    return this.#opened.state;
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
    const { clock, begun } = this.resumption;
    return this.state.oldestEpochNs ?? epochOf(clock, begun); // of a new one it is told within a second
  }

  /** @param request asks the tree for all that it knows */
  takeSnapshots(request: RequestSnapshot): void {
    this.#requestSnapshot = request;
  }

  /** A batch of the tree. */
  take({ bytes, now }: BatchMessage): void {
    this.#opened.append(bytes, now);
  }

  /** Nothing else has happened until now. */
  tick(now: EventNs): void {
    this.#opened.tick(now);
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
      return await this.#opened.ask(question);
    } catch (cause) {
      if (this.#failure === undefined) throw cause;
      throw new DendroError('DENDRO_TREE_UNAVAILABLE', this.#failure, { cause });
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
    await Promise.all([this.#past.close(), this.#opened.close()]);
  }

  get #opened(): HistoryClient {
    if (this.#client === undefined) throw new Error('a history that is not open');
    return this.#client;
  }

  #goOn({ base, bootNs, newestTaskId, snapshot, newest }: Resumption, hasPast: boolean): void {
    const { bootAheadNs } = this.#clock.origin;
    const clock = { epochNs: base.epochNs, bootNs, bootAheadNs };
    const begun = HostClock.at(clock).now();
    const firstTaskId = newestTaskId + 1;
    this.#resumption = { clock, firstTaskId, snapshot, newest, begun, hasPast, isBounded: true };
    this.#opened.noteClock(begun, BigInt(Date.now()) * MS_NS);
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
      this.#opened.appendSnapshot(chunks, now);
    });
  }

  #say({ problem }: HistoryState): void {
    if (problem === this.#saidProblem) return;
    this.#saidProblem = problem;
    console.error(`dendro: ${problem ?? `The history in ${this.directory} is recorded again.`}`);
  }

  #fail(error: Error): void {
    this.#failure = `The history has stopped, nothing is recorded any more (${error.message}): start dendro again.`;
    console.error(`dendro: ${this.#failure}`);
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
