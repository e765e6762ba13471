// What is said between a history in a thread of its own and whoever records into it.

import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode, EventNs } from '@dendro/protocol';
import type { HistoryOptions, HistoryState, HostStart, RecordedPart, RecordedStretch } from './history.ts';
import type { Question } from './questions.ts';

export interface HistoryWorkerOptions extends HistoryOptions {
  readonly directory: string;
}

export interface HistoryWorkerData extends HistoryWorkerOptions {
  /** Where questions come in: a line of their own, because they need not wait for all batches that came before. */
  readonly questions: MessagePort;
}

export interface AskHistory {
  readonly request: number;
  readonly question: Question;
  /** Of batches, that were handed over before. */
  readonly sentBytes: number;
}

export type ToHistory =
  | { readonly type: 'begin'; readonly request: number; readonly start: HostStart }
  | { readonly type: 'append'; readonly at: EventNs; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'snapshot'; readonly at: EventNs; readonly chunks: readonly Uint8Array<ArrayBuffer>[] }
  | { readonly type: 'lost'; readonly at: EventNs }
  | { readonly type: 'tick'; readonly at: EventNs }
  | { readonly type: 'clock'; readonly at: EventNs; readonly wallNs: bigint }
  /** A recording is begun, read on, and done with, whether it was read to its end or not. */
  | { readonly type: 'read'; readonly request: number; readonly fromEpochNs: bigint; readonly toEpochNs: bigint }
  | { readonly type: 'read-on'; readonly request: number; readonly stretch: number }
  | { readonly type: 'leave'; readonly stretch: number }
  | { readonly type: 'close'; readonly request: number };

export interface BegunStretch extends Omit<RecordedStretch, 'parts'> {
  /** In messages. */
  readonly stretch: number;
}

export interface ReadParts {
  readonly parts: readonly RecordedPart[];
  readonly isDone: boolean;
}

export type FromHistory =
  | { readonly type: 'ready'; readonly state: HistoryState }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string }
  /** So many bytes of batches have been taken in since the last time. */
  | { readonly type: 'taken'; readonly bytes: number }
  | { readonly type: 'state'; readonly state: HistoryState; readonly needsSnapshot: boolean }
  | { readonly type: 'answer'; readonly request: number; readonly answer: unknown }
  | {
      readonly type: 'refusal';
      readonly request: number;
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };
