// A history in a thread of its own. Whoever records hands batches over and never waits: what the
// thread has not taken yet is bounded, and what is beyond is counted, and made up for by a snapshot.
//
// When the thread dies it is started again, after a pause that doubles each time. Then it goes on from what is on
// the disk, and what came meanwhile is a hole as any other.

import { DendroError, type ErrorCode, type EventNs } from '@dendro/protocol';
import { ORDER_BYTES } from './desk.ts';
import type { HistoryState, HostStart, RecordedPart, RecordedStretch, Resumption } from './history.ts';
import { HistoryThread, type ThreadOptions } from './history-thread.ts';
import type { BegunStretch, FromHistory, ReadParts, ToHistory } from './messages.ts';
import type { Question, QuestionAnswers } from './questions.ts';

const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const RESTART_MS = 1000;
const MAX_RESTART_MS = 60_000;
/** A thread that was well for so long is started again as if it had never died. */
const SOUND_MS = 120_000;
/** Of the clock, while there is no thread to tell it to. */
const MAX_READINGS = 64;

export interface HistoryClientOptions extends ThreadOptions {
  /** Bytes of batches that the thread has not taken yet, at most. Default 64 MiB. */
  readonly maxWaitingBytes?: number | undefined;
  /** The pause before a thread that has died is started again for the first time. Default 1 s. */
  readonly restartMs?: number | undefined;
  /** Called about once a second, and when the state has changed for the worse. */
  readonly onState?: ((state: HistoryState) => void) | undefined;
  /** Batches were lost, and there is room again: a snapshot of the whole tree is asked for. Called until one comes. */
  readonly onSnapshotNeeded?: (() => void) | undefined;
}

export interface ReadStretch extends Omit<RecordedStretch, 'parts'> {
  readonly parts: AsyncGenerator<RecordedPart>;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class HistoryClient {
  readonly #options: HistoryClientOptions;
  readonly #requests = new Map<number, Waiting>();
  /** Undefined while there is none: it has died and is not started again yet. */
  #thread: HistoryThread | undefined;
  #startedAt = 0;
  #restartMs: number;
  #restart: NodeJS.Timeout | undefined;
  /** Of a start that is on its way. */
  #starting: Promise<void> = Promise.resolve();
  #nextRequest = 1;
  #waitingBytes = 0;
  /** To the thread that there is now. */
  #sentBytes = 0;
  #dropped = 0;
  /** Has a batch been dropped here, and no snapshot come since? */
  #hasHole = false;
  #state: HistoryState | undefined;
  /** Why there is no thread: a sentence. */
  #problem: string | undefined;
  /** What a thread that is started again begins with. */
  #begun: HostStart | undefined;
  #newest: EventNs | undefined;
  #unsaidReadings: { readonly at: EventNs; readonly wallNs: bigint }[] = [];
  #isClosed = false;

  private constructor(options: HistoryClientOptions) {
    this.#options = options;
    this.#restartMs = options.restartMs ?? RESTART_MS;
  }

  /** @throws DendroError DENDRO_HISTORY_IN_USE, DENDRO_HISTORY_VERSION, DENDRO_HISTORY_UNREADABLE */
  static async open(options: HistoryClientOptions): Promise<HistoryClient> {
    const client = new HistoryClient(options);
    await client.#start();
    return client;
  }

  /** As told last, with what was dropped on the way. */
  get state(): HistoryState {
    if (this.#state === undefined) throw new Error('a history that is not open');
    const droppedBatches = this.#state.droppedBatches + this.#dropped;
    const told = { ...this.#state, droppedBatches };
    return this.#problem === undefined ? told : { ...told, state: 'stopped', problem: this.#problem };
  }

  /** Bytes that the thread has not taken yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  async begin(start: HostStart): Promise<Resumption> {
    const resumption = (await this.#request((request) => ({ type: 'begin', request, start }))) as Resumption;
    const { base, bootNs } = resumption;
    this.#begun = { ...start, base, bootNs };
    return resumption;
  }

  /**
   * Hands a batch over.
   * @param bytes are copied: others send them too
   * @returns false when it was dropped, because the thread is too far behind or has died
   */
  append(bytes: Uint8Array, at: EventNs): boolean {
    if (this.#isClosed) return false;
    this.#newest = at;
    const isTooMuch = this.#waitingBytes + bytes.length > (this.#options.maxWaitingBytes ?? MAX_WAITING_BYTES);
    if (this.#hasHole || isTooMuch) {
      if (!this.#hasHole) this.#post({ type: 'lost', at });
      this.#hasHole = true;
      this.#dropped++;
      return false;
    }
    this.#waitingBytes += bytes.length;
    this.#sentBytes += bytes.length;
    const copy = new Uint8Array(bytes);
    this.#post({ type: 'append', at, bytes: copy }, [copy.buffer]);
    return true;
  }

  /** The whole tree as batches, after `onSnapshotNeeded`. */
  appendSnapshot(chunks: readonly Uint8Array[], at: EventNs): void {
    if (this.#thread === undefined) return; // the next thread asks for one of its own
    this.#hasHole = false;
    const copies = chunks.map((chunk) => new Uint8Array(chunk));
    const bytes = copies.reduce((sum, { length }) => sum + length, 0);
    this.#waitingBytes += bytes;
    this.#sentBytes += bytes;
    this.#post(
      { type: 'snapshot', at, chunks: copies },
      copies.map(({ buffer }) => buffer),
    );
  }

  tick(at: EventNs): void {
    this.#newest = at;
    this.#post({ type: 'tick', at });
  }

  noteClock(at: EventNs, wallNs: bigint): void {
    if (this.#thread !== undefined) this.#post({ type: 'clock', at, wallNs });
    else if (this.#unsaidReadings.length < MAX_READINGS) this.#unsaidReadings.push({ at, wallNs });
  }

  /**
   * The answer knows what was handed over before; while very much of it is in line, not all (desk.ts).
   * @throws DendroError DENDRO_HISTORY_TOO_OLD, DENDRO_TREE_UNAVAILABLE
   */
  ask<Q extends Question>(question: Q): Promise<QuestionAnswers[Q['kind']]> {
    return this.#waitFor((request) => {
      this.#thread?.ask({ request, question, sentBytes: this.#sentBytes });
    }) as Promise<QuestionAnswers[Q['kind']]>;
  }

  /**
   * A stretch of time as `History.recording` gives it, piece by piece: nothing is made before it is asked for. Whoever does not
   * read it to its end calls `return` on its parts.
   * @throws DendroError DENDRO_HISTORY_TOO_OLD, DENDRO_BUSY, DENDRO_TREE_UNAVAILABLE
   */
  async recording(fromEpochNs: bigint, toEpochNs: bigint): Promise<ReadStretch> {
    const begun = await this.#request((request) => ({ type: 'read', request, fromEpochNs, toEpochNs }));
    const { stretch, ...about } = begun as BegunStretch;
    return { ...about, parts: this.#parts(stretch) };
  }

  async *#parts(stretch: number): AsyncGenerator<RecordedPart> {
    try {
      for (let isDone = false; !isDone; ) {
        const answer = await this.#request((request) => ({ type: 'read-on', request, stretch }));
        const read = answer as ReadParts;
        yield* read.parts;
        isDone = read.isDone;
      }
    } finally {
      this.#post({ type: 'leave', stretch });
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#restart);
    await this.#starting;
    const thread = this.#thread;
    if (thread === undefined) return;
    // One that dies now has nothing left to say.
    await this.#request((request) => ({ type: 'close', request })).catch(() => {});
    await thread.terminate();
  }

  // --- inside ---

  async #start(): Promise<void> {
    const { thread, state } = await HistoryThread.start(this.#options, {
      message: (message) => this.#take(message),
      ended: (error) => this.#fail(error),
    });
    this.#thread = thread;
    this.#state = state;
    this.#startedAt = performance.now();
  }

  #post(message: ToHistory, transfer: ArrayBuffer[] = []): void {
    if (this.#thread === undefined) return;
    this.#sentBytes += ORDER_BYTES;
    this.#thread.post(message, transfer);
  }

  #request(message: (request: number) => ToHistory): Promise<unknown> {
    return this.#waitFor((request) => this.#post(message(request)));
  }

  #waitFor(send: (request: number) => void): Promise<unknown> {
    if (this.#thread === undefined) return Promise.reject(new DendroError('DENDRO_TREE_UNAVAILABLE', this.#problem));
    const request = this.#nextRequest++;
    return new Promise((resolve, reject) => {
      this.#requests.set(request, { resolve, reject });
      send(request);
    });
  }

  #take(message: FromHistory): void {
    switch (message.type) {
      case 'taken':
        this.#waitingBytes -= message.bytes;
        return;
      case 'state': {
        this.#state = message.state;
        this.#options.onState?.(this.state);
        const hasRoom = this.#waitingBytes < (this.#options.maxWaitingBytes ?? MAX_WAITING_BYTES) / 2;
        if (message.needsSnapshot && hasRoom) this.#options.onSnapshotNeeded?.();
        return;
      }
      case 'answer':
        this.#settle(message.request)?.resolve(message.answer);
        return;
      case 'refusal': {
        const { code, details } = message;
        this.#settle(message.request)?.reject(new DendroError(code as ErrorCode, message.message, { details }));
        return;
      }
      case 'ready':
      case 'failed':
        return; // only ever the first one
    }
  }

  #settle(request: number): Waiting | undefined {
    const waiting = this.#requests.get(request);
    this.#requests.delete(request);
    return waiting;
  }

  /** The thread has died: what it was to answer is refused, what it was to take is lost. */
  #fail(error: Error): void {
    this.#thread = undefined;
    this.#waitingBytes = 0;
    this.#sentBytes = 0;
    this.#hasHole = true;
    if (performance.now() - this.#startedAt > SOUND_MS) this.#restartMs = this.#options.restartMs ?? RESTART_MS;
    this.#startLater(error);
    const failure = new DendroError('DENDRO_TREE_UNAVAILABLE', this.#problem, { cause: error });
    for (const { reject } of this.#requests.values()) reject(failure);
    this.#requests.clear();
  }

  #startLater(error: Error): void {
    if (this.#isClosed) return;
    const seconds = Math.ceil(this.#restartMs / 1000);
    const why = error.message.replace(/\.$/, '');
    this.#problem = `The history has stopped (${why}): nothing is recorded until it is started again, in ${seconds} s.`;
    this.#options.onState?.(this.state);
    this.#restart = setTimeout(() => {
      this.#starting = this.#startAgain();
    }, this.#restartMs);
    this.#restartMs = Math.min(2 * this.#restartMs, MAX_RESTART_MS);
  }

  async #startAgain(): Promise<void> {
    try {
      await this.#start();
    } catch (thrown) {
      this.#startLater(thrown as Error);
      return;
    }
    if (this.#isClosed) return;
    this.#problem = undefined;
    const start = this.#begun;
    if (start === undefined) return;
    const at = this.#newest ?? start.at;
    // One that dies of this is started again by `#fail`, which says why; one that refuses says why itself.
    this.#request((request) => ({ type: 'begin', request, start: { ...start, at, isAgain: true } })).catch(
      (error: Error) => {
        if (this.#isClosed) return;
        this.#problem = error.message;
        this.#options.onState?.(this.state);
      },
    );
    for (const reading of this.#unsaidReadings.splice(0)) this.#post({ type: 'clock', ...reading });
    this.#options.onState?.(this.state);
  }
}
