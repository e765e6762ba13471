// A history in a thread of its own. Whoever records hands batches over and never waits: what the
// thread has not taken yet is bounded, and what is beyond is counted, and made up for by a snapshot.

import { Worker } from 'node:worker_threads';
import { DendroError, type ErrorCode, type EventNs } from '@dendro/protocol';
import type { HistoryState, HostStart, RecordedPart, RecordedStretch, Resumption } from './history.ts';
import type { BegunStretch, FromHistory, HistoryWorkerOptions, ReadParts, ToHistory } from './messages.ts';
import type { Question, QuestionAnswers } from './questions.ts';

const MAX_WAITING_BYTES = 64 * 1024 * 1024;

export interface HistoryClientOptions extends HistoryWorkerOptions {
  /** Bytes of batches that the thread has not taken yet, at most. Default 64 MiB. */
  readonly maxWaitingBytes?: number | undefined;
  /** Called about once a second, and when the state has changed for the worse. */
  readonly onState?: ((state: HistoryState) => void) | undefined;
  /** Batches were lost, and there is room again: a snapshot of the whole tree is asked for. Called until one comes. */
  readonly onSnapshotNeeded?: (() => void) | undefined;
  /** The thread has ended though nobody has closed it: nothing is recorded any more. */
  readonly onFailed?: ((error: Error) => void) | undefined;
}

export interface ReadStretch extends Omit<RecordedStretch, 'parts'> {
  readonly parts: AsyncGenerator<RecordedPart>;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class HistoryClient {
  readonly #worker: Worker;
  readonly #options: HistoryClientOptions;
  readonly #requests = new Map<number, Waiting>();
  #nextRequest = 1;
  #waitingBytes = 0;
  #dropped = 0;
  /** Has a batch been dropped here, and no snapshot come since? */
  #hasHole = false;
  #state: HistoryState;
  #failure: Error | undefined;
  #isClosed = false;

  private constructor(worker: Worker, options: HistoryClientOptions, state: HistoryState) {
    this.#worker = worker;
    this.#options = options;
    this.#state = state;
    worker.on('message', (message: FromHistory) => this.#take(message));
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', () => this.#fail(new DendroError('DENDRO_TREE_UNAVAILABLE', 'The history has stopped.')));
  }

  /** @throws DendroError DENDRO_HISTORY_IN_USE, DENDRO_HISTORY_VERSION, DENDRO_HISTORY_UNREADABLE */
  static async open(options: HistoryClientOptions): Promise<HistoryClient> {
    const { directory, maxAgeNs, maxBytes, flushMs } = options;
    const workerData: HistoryWorkerOptions = { directory, maxAgeNs, maxBytes, flushMs };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData });
    const first = await new Promise<FromHistory>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    if (first.type === 'failed') throw new DendroError(first.code, first.message);
    if (first.type !== 'ready') throw new Error(`a history begins with "ready", not with "${first.type}"`);
    return new HistoryClient(worker, options, first.state);
  }

  /** As told last, with what was dropped on the way. */
  get state(): HistoryState {
    return { ...this.#state, droppedBatches: this.#state.droppedBatches + this.#dropped };
  }

  /** Bytes that the thread has not taken yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  begin(start: HostStart): Promise<Resumption> {
    return this.#request((request) => ({ type: 'begin', request, start })) as Promise<Resumption>;
  }

  /**
   * Hands a batch over.
   * @param bytes are copied: others send them too
   * @returns false when it was dropped, because the thread is too far behind
   */
  append(bytes: Uint8Array, at: EventNs): boolean {
    if (this.#failure !== undefined || this.#isClosed) return false;
    const isTooMuch = this.#waitingBytes + bytes.length > (this.#options.maxWaitingBytes ?? MAX_WAITING_BYTES);
    if (this.#hasHole || isTooMuch) {
      if (!this.#hasHole) this.#post({ type: 'lost', at });
      this.#hasHole = true;
      this.#dropped++;
      return false;
    }
    this.#waitingBytes += bytes.length;
    const copy = new Uint8Array(bytes);
    this.#post({ type: 'append', at, bytes: copy }, [copy.buffer]);
    return true;
  }

  /** The whole tree as batches, after `onSnapshotNeeded`. */
  appendSnapshot(chunks: readonly Uint8Array[], at: EventNs): void {
    this.#hasHole = false;
    const copies = chunks.map((chunk) => new Uint8Array(chunk));
    for (const { length } of copies) this.#waitingBytes += length;
    this.#post(
      { type: 'snapshot', at, chunks: copies },
      copies.map(({ buffer }) => buffer),
    );
  }

  tick(at: EventNs): void {
    this.#post({ type: 'tick', at });
  }

  noteClock(at: EventNs, wallNs: bigint): void {
    this.#post({ type: 'clock', at, wallNs });
  }

  /** @throws DendroError DENDRO_HISTORY_TOO_OLD, DENDRO_TREE_UNAVAILABLE */
  ask<Q extends Question>(question: Q): Promise<QuestionAnswers[Q['kind']]> {
    return this.#request((request) => ({ type: 'ask', request, question })) as Promise<QuestionAnswers[Q['kind']]>;
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
    if (this.#failure === undefined) await this.#request((request) => ({ type: 'close', request }));
    await this.#worker.terminate();
  }

  #post(message: ToHistory, transfer: ArrayBuffer[] = []): void {
    if (this.#failure === undefined) this.#worker.postMessage(message, transfer);
  }

  #request(message: (request: number) => ToHistory): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const request = this.#nextRequest++;
    return new Promise((resolve, reject) => {
      this.#requests.set(request, { resolve, reject });
      this.#post(message(request));
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

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const { reject } of this.#requests.values()) reject(error);
    this.#requests.clear();
    if (!this.#isClosed) this.#options.onFailed?.(error);
  }
}
