// One life of the thread of a history: from when it says that it is ready to its end, whatever ends it.

import { Worker } from 'node:worker_threads';
import { DendroError } from '@dendro/protocol';
import type { HistoryState } from './history.ts';
import type { FromHistory, HistoryWorkerOptions, ToHistory } from './messages.ts';

export interface ThreadOptions extends HistoryWorkerOptions {
  /** Of its JavaScript heap, at most. Default: that of Node.js. */
  readonly maxHeapMb?: number | undefined;
}

export interface ThreadListener {
  message(message: FromHistory): void;
  /** Called once. What it held is closed by then: another can be started. */
  ended(error: Error): void;
}

export class HistoryThread {
  readonly #worker: Worker;
  #hasEnded = false;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** @throws DendroError DENDRO_HISTORY_IN_USE, DENDRO_HISTORY_VERSION, DENDRO_HISTORY_UNREADABLE; or why it has died at once */
  static async start(
    options: ThreadOptions,
    listener: ThreadListener,
  ): Promise<{ readonly thread: HistoryThread; readonly state: HistoryState }> {
    const { directory, maxAgeNs, maxBytes, flushMs, maxHeapMb } = options;
    const workerData: HistoryWorkerOptions = { directory, maxAgeNs, maxBytes, flushMs };
    const resourceLimits = maxHeapMb === undefined ? {} : { maxOldGenerationSizeMb: maxHeapMb };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData, resourceLimits });
    let cause: Error | undefined;
    worker.on('error', (error) => {
      cause ??= error;
    });
    const ended = new Promise<never>((_, reject) => {
      worker.once('exit', (code) => reject(cause ?? new Error(`its thread has ended with ${code}`)));
    });
    const first = await Promise.race([new Promise<FromHistory>((resolve) => worker.once('message', resolve)), ended]);
    if (first.type === 'failed') throw new DendroError(first.code, first.message);
    if (first.type !== 'ready') throw new Error(`a history begins with "ready", not with "${first.type}"`);
    const thread = new HistoryThread(worker);
    worker.on('message', (message: FromHistory) => listener.message(message));
    ended.catch((error: Error) => {
      thread.#hasEnded = true;
      listener.ended(error);
    });
    return { thread, state: first.state };
  }

  post(message: ToHistory, transfer: ArrayBuffer[] = []): void {
    if (!this.#hasEnded) this.#worker.postMessage(message, transfer);
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}
