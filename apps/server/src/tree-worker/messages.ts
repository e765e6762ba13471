// What the main thread and the worker that owns the tree say to each other.

import type { DifferenceOptions, ProcessTreeCounts } from '@dendro/engine';
import type { ErrorCode, EventNs, HostInfo, SourceStatus, TreeStats, Version } from '@dendro/protocol';
import type { ClockOrigin, HashCounts, ProcfsCounts } from '@dendro/sources';
import type { TreeFormat } from '../export/tree-export.ts';

/** What the worker begins with. */
export interface WorkerOptions {
  /** As given by `--source`; undefined chooses the best one that works here. */
  readonly source: string | undefined;
  /** The hosts whose events are taken out of a feed, as given by `--host-from`; otherwise all. */
  readonly hostFrom?: readonly string[] | undefined;
  /** Hosts of a feed that get a tree. */
  readonly maxHosts?: number | undefined;
  /** Policies of Tracee whose events are asked for over gRPC; otherwise all events. */
  readonly policies?: readonly string[] | undefined;
  /** Is a file read on as it is written? */
  readonly follow?: boolean | undefined;
  readonly maxProcesses: number;
  readonly maxThreads: number;
  /** Milliseconds of each second that reading /proc may take. */
  readonly procfsBudgetMs?: number | undefined;
  /** Binaries up to this size are hashed; undefined: none. */
  readonly hashMaxMb?: number | undefined;
  /** How kernel events are read; for sources of them only. */
  readonly kernel?: KernelOptions | undefined;
  /** Of a recording: 10 is ten times as fast as it was; undefined as fast as it can be read. */
  readonly speed?: number | undefined;
  /** Where to record what the tree is told. */
  readonly recording?: RecordingTarget | undefined;
  /** What the trees go on from, where what becomes of them is recorded. */
  readonly resumptions?: TreeResumptions | undefined;
  /** What is to be said of the first host from the start. */
  readonly notices?: readonly string[] | undefined;
}

export interface TreeResumptions {
  /** As a feed has said it in an earlier run. */
  readonly firstName: string | undefined;
  readonly first: TreeResumption;
  /** Of hosts that a feed has told of in earlier runs. */
  readonly further: readonly { readonly name: string; readonly resumption: TreeResumption }[];
}

/** Where an earlier run has ended. */
export interface TreeResumption {
  /** Event time counts from here, as in the earlier run of the same boot. */
  readonly clock: ClockOrigin;
  readonly firstTaskId: number;
  /** Who lived then: facts in batches, as of `newest`. */
  readonly snapshot: readonly Uint8Array<ArrayBuffer>[];
  readonly newest: EventNs | undefined;
  /** When the history began this run: until then it knows that nobody looked. */
  readonly begun: EventNs;
  /** Does the history know of a time before this run? */
  readonly hasPast: boolean;
  /** Is there a first instant that the history can be asked about? What is before is left to it, to be answered or refused. */
  readonly isBounded: boolean;
}

export interface RecordingTarget {
  readonly file: string;
  /** May it overwrite a file? */
  readonly isForced: boolean;
}

export interface KernelOptions {
  /** KiB of the kernel's memory for each CPU; undefined: what fits. */
  readonly bufferKb?: number | undefined;
  readonly pollMs?: number | undefined;
  /** Only what this thread starts from now on, and what descends from that. */
  readonly launcherTid?: number | undefined;
}

/** What can be known of them before a history is open: a child process can begin to load then. */
export type EarlyOptions = Pick<WorkerOptions, 'source' | 'kernel'>;

export type ToWorker =
  /** Said first, once. */
  | { readonly type: 'begin'; readonly options: WorkerOptions }
  | { readonly type: 'stop' }
  /** All facts about the present and the near past, or all there are, in chunks. `number` says of which host, here and below. */
  | { readonly type: 'snapshot'; readonly request: number; readonly number: number; readonly isWhole: boolean }
  | { readonly type: 'ask'; readonly request: number; readonly number: number; readonly question: Question };

/** A question about the tree as of an instant: a history can be asked it too. */
export type TreeQuestion = Extract<Question, { at: string }>;

/** What is answered with JSON. Times, and which task is meant, are as a user wrote them. */
export type Question =
  | { readonly kind: 'tree'; readonly at: string; readonly withExited: boolean }
  /** The same as a file; the answer is text. */
  | {
      readonly kind: 'export';
      readonly at: string;
      readonly withExited: boolean;
      readonly format: TreeFormat;
      /** Version of dendro. */
      readonly dendro: string;
    }
  /** The tree for a terminal; the answer is text. */
  | { readonly kind: 'text'; readonly at: string }
  | { readonly kind: 'process' | 'thread'; readonly id: string; readonly at: string }
  | { readonly kind: 'lineage'; readonly id: string; readonly at: string; readonly depth: number }
  /** What the tree in memory knows of a stretch of time. */
  | { readonly kind: 'counts'; readonly fromEpochNs: bigint; readonly toEpochNs: bigint; readonly buckets: number }
  | ({ readonly kind: 'difference' } & DifferenceQuestion)
  | { readonly kind: 'gaps'; readonly fromEpochNs: bigint; readonly toEpochNs: bigint }
  /** Lines of Tracee to take in. */
  | { readonly kind: 'events'; readonly ndjson: Uint8Array<ArrayBuffer>; readonly to: PostedTo };

export interface DifferenceQuestion {
  readonly firstEpochNs: bigint;
  readonly secondEpochNs: bigint;
  readonly options: DifferenceOptions;
}

/** Whose those events are that do not say it: those of a host that is known, or of one of this name. */
export interface PostedTo {
  readonly number?: number | undefined;
  readonly name?: string | undefined;
}

export type FromWorker =
  /** The source runs. Said after the first host, which is number 0. */
  | { readonly type: 'ready' }
  /** A host has appeared, or what is known of it has changed: what its times count from, or its name. */
  | {
      readonly type: 'host';
      readonly number: number;
      readonly host: HostInfo;
      readonly source: string;
      readonly status: HostStatus;
    }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'stopped' }
  /** The source has told what there is: its first scan, or its recording, is at an end. Said once. */
  | { readonly type: 'complete' }
  | {
      readonly type: 'batch';
      readonly number: number;
      readonly from: Version;
      readonly to: Version;
      readonly now: EventNs;
      readonly bytes: Uint8Array<ArrayBuffer>;
      /** Is it what the history knew when the run began? */
      readonly isResumption: boolean;
    }
  | { readonly type: 'status'; readonly number: number; readonly status: HostStatus }
  | {
      readonly type: 'chunk';
      readonly request: number;
      readonly isLast: boolean;
      readonly version: Version;
      readonly now: EventNs;
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  | { readonly type: 'answer'; readonly request: number; readonly json: Uint8Array<ArrayBuffer> }
  /** The tree in memory does not hold all of that instant, and there is a history that may. */
  | { readonly type: 'past'; readonly request: number; readonly epochNs: bigint }
  | {
      readonly type: 'refusal';
      readonly request: number;
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };

export interface HostStatus {
  readonly now: EventNs;
  /** Time of the newest event; undefined before any. */
  readonly newest: EventNs | undefined;
  readonly source: SourceStatus;
  /** What a browser is told of `counts`. */
  readonly stats: TreeStats;
  readonly counts: ProcessTreeCounts;
  readonly procfs: ProcfsCounts;
  /** Undefined where no binary is hashed. */
  readonly hashes: HashCounts | undefined;
}
