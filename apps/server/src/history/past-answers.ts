// The thread that makes answers about the past of the facts that a history has found: neither the live tree nor the
// gateway waits for it. It is started with the first question.

import { Worker } from 'node:worker_threads';
import type { FactsAnswer, HistoryGap } from '@dendro/history';
import { DendroError, type ErrorCode, toError } from '@dendro/protocol';
import type { TreeQuestion } from '../tree-worker/messages.ts';

export interface PastQuestion {
  readonly question: TreeQuestion;
  readonly host: { readonly id: string; readonly version: number };
  /** Of one boot, and as of one instant. */
  readonly facts: readonly FactsAnswer[];
  /** Why something of that instant is missing. */
  readonly gaps: readonly HistoryGap[];
}

export interface ToPast extends PastQuestion {
  readonly request: number;
}

export type FromPast =
  | { readonly request: number; readonly json: Uint8Array<ArrayBuffer> }
  | {
      readonly request: number;
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };

interface Waiting {
  readonly resolve: (json: Uint8Array<ArrayBuffer>) => void;
  readonly reject: (error: Error) => void;
}

export class PastAnswers {
  #worker: Worker | undefined;
  readonly #requests = new Map<number, Waiting>();
  #nextRequest = 1;

  /** @returns JSON in UTF-8 @throws DendroError what is wrong with the question; DENDRO_TREE_UNAVAILABLE */
  ask(question: PastQuestion): Promise<Uint8Array<ArrayBuffer>> {
    const worker = this.#worker ?? this.#start();
    return new Promise((resolve, reject) => {
      const request = this.#nextRequest++;
      this.#requests.set(request, { resolve, reject });
      const chunks = question.facts.flatMap((facts) => facts.chunks.map(({ buffer }) => buffer));
      worker.postMessage({ ...question, request } satisfies ToPast, chunks);
    });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./past-worker.ts', import.meta.url));
    worker.on('message', (message: FromPast) => this.#take(message));
    worker.on('error', (error) => this.#end(toError(error)));
    worker.on('exit', () => this.#end(new DendroError('DENDRO_TREE_UNAVAILABLE')));
    this.#worker = worker;
    return worker;
  }

  #take(message: FromPast): void {
    const waiting = this.#requests.get(message.request);
    this.#requests.delete(message.request);
    if ('json' in message) waiting?.resolve(message.json);
    else waiting?.reject(new DendroError(message.code, message.message, { details: message.details }));
  }

  /** The next question starts another. */
  #end(error: Error): void {
    this.#worker = undefined;
    for (const { reject } of this.#requests.values()) reject(error);
    this.#requests.clear();
  }
}
