// What the main thread knows of a host, and its way to ask about it.

import type { HostInfo } from '@dendro/protocol';
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
  ask(question: Question): Promise<Uint8Array<ArrayBuffer>>;
  requestSnapshot(take: (chunk: ChunkMessage) => void): () => void;
}

export class HostClient {
  /** In messages between the threads. */
  readonly number: number;
  readonly #worker: Worker;
  readonly #listeners = new Set<HostListener>();
  #info: HostInfo;
  #status: HostStatus;
  #version = 0;

  constructor({ number, host, status }: HostMessage, worker: Worker) {
    this.number = number;
    this.#worker = worker;
    this.#info = host;
    this.#status = status;
  }

  get info(): HostInfo {
    return this.#info;
  }

  get status(): HostStatus {
    return this.#status;
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
  ask(question: Question): Promise<Uint8Array<ArrayBuffer>> {
    return this.#worker.ask(question);
  }

  /** Calls `take` with each chunk of a new snapshot. @returns forgets the request */
  requestSnapshot(take: (chunk: ChunkMessage) => void): () => void {
    return this.#worker.requestSnapshot(take);
  }

  /** What the worker says of it. */
  receive(message: BatchMessage | StatusMessage | HostMessage): void {
    switch (message.type) {
      case 'batch':
        this.#version = message.to;
        for (const listener of this.#listeners) listener.batch?.(message);
        return;
      case 'status':
        this.#status = message.status;
        for (const listener of this.#listeners) listener.status?.(message.status);
        return;
      case 'host':
        this.#info = message.host;
        this.#status = message.status;
        for (const listener of this.#listeners) listener.host?.(message.host);
    }
  }
}
