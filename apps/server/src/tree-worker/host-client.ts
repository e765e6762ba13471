// What the main thread knows of a host, and its way to ask about it.

import { epochOf, type HostInfo } from '@dendro/protocol';
import type { HostHistory } from '../history/host-history.ts';
import type { FromWorker, HostStatus, Question } from './messages.ts';

type BatchMessage = Extract<FromWorker, { type: 'batch' }>;
type ChunkMessage = Extract<FromWorker, { type: 'chunk' }>;
type HostMessage = Extract<FromWorker, { type: 'host' }>;
type StatusMessage = Extract<FromWorker, { type: 'status' }>;

export interface HostListener {
  batch?(batch: BatchMessage): void;
  status?(status: HostStatus): void;
  /** What is known of the host has changed: its name, or its times count from another base, if any were known before. */
  host?(info: HostInfo): void;
}

interface Worker {
  ask(question: Question): Promise<Uint8Array<ArrayBuffer> | bigint>;
  requestSnapshot(isWhole: boolean, take: (chunk: ChunkMessage) => void): () => void;
}

export class HostClient {
  /** In messages between the threads. */
  readonly number: number;
  /** What is recorded of it. */
  readonly history: HostHistory | undefined;
  /** Is it the tree of one command alone? */
  readonly isOfCommand: boolean;
  readonly #worker: Worker;
  readonly #listeners = new Set<HostListener>();
  #info: HostInfo;
  #status: HostStatus;
  #statusAt = performance.now();
  #version = 0;

  constructor(
    { number, host, status }: HostMessage,
    worker: Worker,
    history: HostHistory | undefined,
    isOfCommand: boolean,
  ) {
    this.number = number;
    this.history = history;
    this.isOfCommand = isOfCommand;
    this.#worker = worker;
    this.#info = host;
    this.#status = status;
    history?.takeSnapshots((take) => worker.requestSnapshot(true, take));
  }

  get info(): HostInfo {
    const oldest = this.history?.oldestEpochNs;
    return oldest === undefined ? this.#info : { ...this.#info, oldestEpochNs: String(oldest) };
  }

  /** With what is to be said of the history. */
  get status(): HostStatus {
    const notices = this.history?.notices ?? [];
    if (notices.length === 0) return this.#status;
    const { source } = this.#status;
    return { ...this.#status, source: { ...source, notices: [...notices, ...source.notices] } };
  }

  /** What the host's clock says, or, of a recording, its newest event. */
  get epochNow(): bigint {
    const { now } = this.#status;
    const sinceMs = this.#info.isLive ? performance.now() - this.#statusAt : 0;
    return epochOf({ epochNs: BigInt(this.#info.baseEpochNs) }, now) + BigInt(Math.round(sinceMs * 1e6));
  }

  /** Version of the last batch that came. */
  get version(): number {
    return this.#version;
  }

  /** @returns takes the listener off again */
  listen(listener: HostListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * @returns JSON in UTF-8
   * @throws DendroError what is wrong with the question; DENDRO_BUSY, DENDRO_TREE_UNAVAILABLE
   */
  async ask(question: Question): Promise<Uint8Array<ArrayBuffer>> {
    const answer = await this.#worker.ask(question);
    if (typeof answer !== 'bigint') return answer;
    if (this.history === undefined || !('at' in question)) throw new Error('the past of a host that has none');
    return this.history.answer(question, answer, { id: this.info.id, version: this.#version });
  }

  /**
   * Calls `take` with each chunk of a new snapshot. Where no history can be asked for what ended some time ago, all of
   * that is in it.
   * @returns forgets the request
   */
  requestSnapshot(take: (chunk: ChunkMessage) => void): () => void {
    return this.#worker.requestSnapshot(this.history === undefined, take);
  }

  /** What the worker says of it. */
  receive(message: BatchMessage | StatusMessage | HostMessage): void {
    switch (message.type) {
      case 'batch':
        this.#version = message.to;
        if (!message.isResumption) this.history?.take(message, BigInt(this.#info.baseEpochNs));
        for (const listener of this.#listeners) listener.batch?.(message);
        return;
      case 'status':
        this.#note(message.status);
        for (const listener of this.#listeners) listener.status?.(this.status);
        return;
      case 'host':
        this.#info = message.host;
        this.#note(message.status);
        for (const listener of this.#listeners) listener.host?.(this.info);
    }
  }

  #note(status: HostStatus): void {
    this.#status = status;
    this.#statusAt = performance.now();
    this.history?.tick(status.now);
  }
}
