// The main thread's side of the tree worker: starts it, asks it, and tells
// listeners of each batch.

import { Worker } from 'node:worker_threads';
import { DendroError, type HostInfo, toError } from '@dendro/protocol';
import type { FromWorker, HostStatus, Question, ToWorker, WorkerOptions } from './messages.ts';

type BatchMessage = Extract<FromWorker, { type: 'batch' }>;
type ChunkMessage = Extract<FromWorker, { type: 'chunk' }>;

export interface TreeListener {
  batch(batch: BatchMessage): void;
  status(status: HostStatus): void;
  /** What is known of the host has changed: times count from another base, if any times were known before. */
  host(host: HostInfo): void;
  /** The worker has died, or cannot do what it is there for; nothing more will come. */
  failed(error: Error): void;
}

interface Waiting {
  resolve(json: Uint8Array<ArrayBuffer>): void;
  reject(error: Error): void;
}

const STOP_MS = 3000;
/** Questions that may wait at once: the answer to one is the whole tree. */
const MAX_QUESTIONS = 16;

export class TreeClient {
  readonly #worker: Worker;
  readonly #listeners = new Set<TreeListener>();
  readonly #questions = new Map<number, Waiting>();
  readonly #snapshots = new Map<number, (chunk: ChunkMessage) => void>();
  readonly #complete = Promise.withResolvers<void>();
  #host: HostInfo;
  #status: HostStatus;
  #version: number;
  #nextRequest = 1;
  #failure: Error | undefined;
  #isStopping = false;

  private constructor(worker: Worker, first: Extract<FromWorker, { type: 'ready' }>, version: number) {
    this.#worker = worker;
    this.#host = first.host;
    this.#status = first.status;
    this.#version = version;
    this.#complete.promise.catch(() => {}); // said to those who wait for it, if any
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error) => this.#fail(toError(error)));
    worker.on('exit', () => {
      if (!this.#isStopping) this.#fail(new Error('the tree worker ended'));
    });
  }

  /**
   * Starts the worker and waits until its source runs.
   * @throws DendroError why the source cannot start
   */
  static async start(options: WorkerOptions): Promise<TreeClient> {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: options });
    let version = 0;
    return new Promise((resolve, reject) => {
      const receive = (message: FromWorker): void => {
        if (message.type === 'batch') version = message.to;
        if (message.type === 'failed') reject(new DendroError(message.code, message.message));
        if (message.type !== 'ready') return;
        worker.off('message', receive);
        worker.off('error', reject);
        resolve(new TreeClient(worker, message, version));
      };
      worker.on('message', receive);
      worker.on('error', reject);
    });
  }

  get host(): HostInfo {
    return this.#host;
  }

  get status(): HostStatus {
    return this.#status;
  }

  /** Version of the last batch that came. */
  get version(): number {
    return this.#version;
  }

  get isRunning(): boolean {
    return this.#failure === undefined && !this.#isStopping;
  }

  /** @returns takes the listener off again */
  listen(listener: TreeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `take` with each chunk of a new snapshot. @returns forgets the request */
  requestSnapshot(take: (chunk: ChunkMessage) => void): () => void {
    const request = this.#request((number) => ({ type: 'snapshot', request: number }));
    this.#snapshots.set(request, take);
    return () => this.#snapshots.delete(request);
  }

  /**
   * @returns JSON in UTF-8
   * @throws DendroError what is wrong with the question; DENDRO_BUSY, DENDRO_TREE_UNAVAILABLE
   */
  ask(question: Question): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.isRunning) return Promise.reject(new DendroError('DENDRO_TREE_UNAVAILABLE'));
    if (this.#questions.size >= MAX_QUESTIONS) return Promise.reject(new DendroError('DENDRO_BUSY'));
    return new Promise((resolve, reject) => {
      const request = this.#request((number) => ({ type: 'ask', request: number, question }));
      this.#questions.set(request, { resolve, reject });
    });
  }

  /**
   * Waits until the source has told what there is.
   * @returns false when it has not within `timeoutMs`
   * @throws DendroError DENDRO_TREE_UNAVAILABLE
   */
  async untilComplete(timeoutMs: number): Promise<boolean> {
    const timeout = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => timeout.resolve(false), timeoutMs);
    try {
      return await Promise.race([this.#complete.promise.then(() => true), timeout.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends source and worker. Whatever the worker does, it is gone within some seconds. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const stopped = new Promise<void>((resolve) => {
      this.#worker.once('exit', () => resolve());
    });
    this.#send({ type: 'stop' });
    const timer = setTimeout(() => void this.#worker.terminate(), STOP_MS);
    await stopped;
    clearTimeout(timer);
  }

  /** Ends the worker at once. Its file descriptors are closed when this resolves. */
  async kill(): Promise<void> {
    this.#isStopping = true;
    await this.#worker.terminate();
  }

  #request(message: (request: number) => ToWorker): number {
    const request = this.#nextRequest++;
    this.#send(message(request));
    return request;
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'batch':
        this.#version = message.to;
        for (const listener of this.#listeners) listener.batch(message);
        return;
      case 'status':
        this.#status = message.status;
        for (const listener of this.#listeners) listener.status(message.status);
        return;
      case 'host':
        this.#host = message.host;
        for (const listener of this.#listeners) listener.host(message.host);
        return;
      case 'chunk':
        this.#snapshots.get(message.request)?.(message);
        if (message.isLast) this.#snapshots.delete(message.request);
        return;
      case 'answer':
        this.#take(message.request)?.resolve(message.json);
        return;
      case 'refusal':
        this.#take(message.request)?.reject(
          new DendroError(message.code, message.message, { details: message.details }),
        );
        return;
      case 'complete':
        this.#complete.resolve();
        return;
      case 'failed':
        this.#fail(new DendroError(message.code, message.message));
        return;
      case 'ready':
      case 'stopped':
        return;
    }
  }

  #take(request: number): Waiting | undefined {
    const question = this.#questions.get(request);
    this.#questions.delete(request);
    return question;
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const question of this.#questions.values()) question.reject(new DendroError('DENDRO_TREE_UNAVAILABLE'));
    this.#questions.clear();
    this.#snapshots.clear();
    this.#complete.reject(new DendroError('DENDRO_TREE_UNAVAILABLE'));
    for (const listener of this.#listeners) listener.failed(error);
  }
}
