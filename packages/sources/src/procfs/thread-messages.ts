// What the thread that reads /proc and the one that asks it say to each other.

import type { ObserveEvent, ScanEvent } from '@dendro/protocol';
import type { ClockOrigin } from '../host-clock.ts';
import type { ProcfsCounts } from './counts.ts';

/** `workerData` of the thread. */
export interface ReadingOptions {
  readonly clock: ClockOrigin;
  /** Milliseconds of each second that reading may take. */
  readonly budgetMs: number;
  /** Shall it hear of execs by itself? */
  readonly watchesExecs: boolean;
}

export type ToReading =
  /** To be read when there is time: the most urgent first. */
  | { readonly type: 'read'; readonly pids: readonly number[] }
  /** These have just called exec, the newest last. */
  | { readonly type: 'exec'; readonly pids: readonly number[] }
  /** To read everything, or only the processes of these threads, and this one with its ancestors; a scan that runs is given up. */
  | { readonly type: 'scan'; readonly scan: number; readonly tids: readonly number[] | undefined }
  | { readonly type: 'stop' };

export interface FromReading {
  /** Processes that were asked about, or that had just called exec. */
  readonly seen: readonly ObserveEvent[];
  /** The requests that have been dealt with. */
  readonly answered: readonly number[];
  readonly scan: number;
  readonly scanned: readonly (ObserveEvent | ScanEvent)[];
  readonly isScanDone: boolean;
  /** Why a scan broke off. */
  readonly failure: string | undefined;
  /** Does the thread hear of execs by itself? */
  readonly isWatching: boolean;
  /** Is there time to read more? */
  readonly isPaused: boolean;
  readonly counts: ProcfsCounts;
  readonly rejected: Readonly<Record<string, number>>;
}
