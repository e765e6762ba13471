// The main thread's side of the tree worker: starts it, asks it about its hosts,
// and tells listeners of what becomes of them.

import { Worker } from 'node:worker_threads';
import { DendroError, toError } from '@dendro/protocol';
import type { Histories } from '../history/histories.ts';
import { HostClient } from './host-client.ts';
import { FIRST_ID } from './host-id.ts';
import type { EarlyOptions, FromWorker, Question, ToWorker, WorkerOptions } from './messages.ts';

type ChunkMessage = Extract<FromWorker, { type: 'chunk' }>;

export interface TreeListener {
  /** There is one more. */
  appeared?(host: HostClient): void;
  /** The worker has died, or cannot do what it is there for; nothing more will come. */
  failed?(error: Error): void;
}

interface Waiting {
  /** With JSON, or with an instant that only a history knows. */
  resolve(answer: Uint8Array<ArrayBuffer> | bigint): void;
  reject(error: Error): void;
}

const STOP_MS = 3000;
/** Questions that may wait at once: the answer to one is the whole tree. */
const MAX_QUESTIONS = 16;

function treeWorker(early?: EarlyOptions): Worker {
  return new Worker(new URL('./begin.ts', import.meta.url), { workerData: early });
}

export class TreeClient {
  readonly #worker: Worker;
  readonly #listeners = new Set<TreeListener>();
  readonly #questions = new Map<number, Waiting>();
  readonly #snapshots = new Map<number, (chunk: ChunkMessage) => void>();
  readonly #complete = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #hosts: HostClient[] = [];
  #histories: Histories | undefined;
  #isOfCommand = false;
  #nextRequest = 1;
  #failure: Error | undefined;
  #isStopping = false;

  private constructor(worker: Worker) {
    this.#worker = worker;
    for (const { promise } of [this.#complete, this.#ready]) promise.catch(() => {}); // said to those who wait for it, if any
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error) => this.#fail(toError(error)));
    this.#worker.on('exit', () => {
      if (!this.#isStopping) this.#fail(new Error('the tree worker ended'));
    });
  }

  /**
   * Starts the worker and waits until its source runs.
   * @param histories that the trees go on from, and that what becomes of them goes into
   * @throws DendroError why the source cannot start
   */
  static async start(options: WorkerOptions, histories?: Histories): Promise<TreeClient> {
    const client = new TreeClient(treeWorker());
    await client.begin(options, histories);
    return client;
  }

  /** Starts the worker, which reads its code and loads what takes long. It knows no host before it is told to `begin`. */
  static ahead(early: EarlyOptions): TreeClient {
    return new TreeClient(treeWorker(early));
  }

  /**
   * Waits until its source runs. To be called once.
   * @param histories as for `start`
   * @throws DendroError why the source cannot start
   */
  async begin(options: WorkerOptions, histories?: Histories): Promise<void> {
    this.#histories = histories;
    this.#isOfCommand = options.kernel?.launcherTid !== undefined;
    this.#send({ type: 'begin', options: { ...options, resumptions: histories?.resumptions } });
    await this.#ready.promise;
  }

  /** In the order in which they appeared. */
  get hosts(): readonly HostClient[] {
    return this.#hosts;
  }

  /** The one that is there from the start. */
  get first(): HostClient {
    return this.#hosts[0] as HostClient;
  }

  /** @param id as in addresses; `local` is always the first @throws DendroError DENDRO_HOST_UNKNOWN */
  host(id: string): HostClient {
    const host = this.#hosts.find(({ info }) => info.id === id) ?? (id === FIRST_ID ? this.first : undefined);
    if (host !== undefined) return host;
    throw new DendroError('DENDRO_HOST_UNKNOWN', `There is no host "${id.slice(0, 64)}".`);
  }

  get isRunning(): boolean {
    return this.#failure === undefined && !this.#isStopping;
  }

  /** @returns takes the listener off again */
  listen(listener: TreeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #requestSnapshot(number: number, isWhole: boolean, take: (chunk: ChunkMessage) => void): () => void {
    const request = this.#request((request) => ({ type: 'snapshot', request, number, isWhole }));
    this.#snapshots.set(request, take);
    return () => this.#snapshots.delete(request);
  }

  #ask(number: number, question: Question): Promise<Uint8Array<ArrayBuffer> | bigint> {
    if (!this.isRunning) return Promise.reject(new DendroError('DENDRO_TREE_UNAVAILABLE'));
    if (this.#questions.size >= MAX_QUESTIONS) return Promise.reject(new DendroError('DENDRO_BUSY'));
    return new Promise((resolve, reject) => {
      const request = this.#request((request) => ({ type: 'ask', request, number, question }));
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
      case 'status': {
        const host = this.#hosts[message.number];
        if (host === undefined) this.#fail(new Error(`${message.type} of a host that was not told of`));
        host?.receive(message);
        return;
      }
      case 'host':
        this.#meet(message);
        return;
      case 'chunk':
        this.#snapshots.get(message.request)?.(message);
        if (message.isLast) this.#snapshots.delete(message.request);
        return;
      case 'answer':
        this.#take(message.request)?.resolve(message.json);
        return;
      case 'past':
        this.#take(message.request)?.resolve(message.epochNs);
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
        this.#ready.resolve();
        return;
      case 'stopped':
        return;
    }
  }

  #meet(message: Extract<FromWorker, { type: 'host' }>): void {
    const { number, host: info } = message;
    if (number === 0 && info.id !== FIRST_ID) this.#histories?.noteFirstName(info.name);
    const known = this.#hosts[number];
    if (known !== undefined) {
      known.receive(message);
      return;
    }
    const worker = {
      ask: (question: Question) => this.#ask(number, question),
      requestSnapshot: (isWhole: boolean, take: (chunk: ChunkMessage) => void) =>
        this.#requestSnapshot(number, isWhole, take),
    };
    const host = new HostClient(message, worker, this.#histories?.of(message), this.#isOfCommand);
    this.#hosts[number] = host;
    for (const listener of this.#listeners) listener.appeared?.(host);
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
    this.#ready.reject(error);
    for (const listener of this.#listeners) listener.failed?.(error);
  }
}
