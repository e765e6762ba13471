// What a source says: the input of ProcessTree.
//
// A source knows tids and times, not TaskIds: giving identity is the tree's
// work. Optional properties are what not every source can tell. Times are in
// the host's time base, which the source announces first (`clock`).

import type { Authority, FileInfo } from './facts.ts';
import type { EventNs } from './ids.ts';

/** Clone flags that decide what a birth is (linux/sched.h). */
export const CLONE = { parent: 0x8000, thread: 0x10000, vfork: 0x4000, vm: 0x100, untraced: 0x800000 } as const;

/** Must come before any other event: epoch time of EventNs 0. A repetition is ignored. */
export interface ClockEvent {
  readonly type: 'clock';
  readonly epochNs: bigint;
}

export interface ForkEvent {
  readonly type: 'fork';
  readonly at: EventNs;
  /** The new task. */
  readonly tid: number;
  /** Its thread group id; when undefined it is concluded from the clone flags. */
  readonly pid?: number | undefined;
  /** Start time where it is known apart from `at`. */
  readonly start?: EventNs | undefined;
  /** The thread that called fork or clone. */
  readonly creatorTid: number;
  readonly creatorPid?: number | undefined;
  readonly creatorStart?: EventNs | undefined;
  /** The parent process, where it is said outright; else concluded from creator and clone flags. */
  readonly parentPid?: number | undefined;
  readonly parentStart?: EventNs | undefined;
  /** Start of the thread group leader, for a thread. */
  readonly leaderStart?: EventNs | undefined;
  readonly cloneFlags?: number | undefined;
  readonly comm?: string | undefined;
  readonly nsTid?: number | undefined;
  readonly nsPid?: number | undefined;
  /** Inode number of its pid namespace. */
  readonly pidNs?: number | undefined;
}

export interface ExecEvent {
  readonly type: 'exec';
  readonly at: EventNs;
  /** Thread group id: after an exec the caller has the leader's tid, whichever thread it was. */
  readonly pid: number;
  /** Tid of the calling thread before the exec. */
  readonly oldTid?: number | undefined;
  readonly start?: EventNs | undefined;
  readonly authority?: Authority | undefined;
  readonly comm?: string | undefined;
  /** The file named in the call, as it was passed: perhaps relative, perhaps a script. */
  readonly filename?: string | undefined;
  readonly executable?: FileInfo | undefined;
  readonly argv?: readonly string[] | undefined;
  readonly cwd?: string | undefined;
  readonly interpreter?: FileInfo | undefined;
  readonly interp?: string | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Effective ids: whose rights it has. */
  readonly euid?: number | undefined;
  readonly egid?: number | undefined;
  readonly container?: string | undefined;
}

export interface RenameEvent {
  readonly type: 'rename';
  readonly at: EventNs;
  readonly tid: number;
  /** Thread group id, where it is known. */
  readonly pid?: number | undefined;
  readonly start?: EventNs | undefined;
  readonly authority?: Authority | undefined;
  readonly comm: string;
}

export interface ExitEvent {
  readonly type: 'exit';
  readonly at: EventNs;
  readonly tid: number;
  /** Thread group id, where it is known. */
  readonly pid?: number | undefined;
  readonly start?: EventNs | undefined;
  readonly authority?: Authority | undefined;
  /** Was this the last living thread of its group? Undefined on kernels that do not say. */
  readonly isGroupDead?: boolean | undefined;
  readonly comm?: string | undefined;
  readonly code?: number | undefined;
  readonly signal?: number | undefined;
}

/** A new parent process, said by the kernel or seen in /proc. */
export interface ReparentEvent {
  readonly type: 'reparent';
  readonly at: EventNs;
  readonly pid: number;
  readonly start?: EventNs | undefined;
  readonly parentPid: number;
  readonly authority?: Authority | undefined;
}

/** A process has changed who it runs as. */
export interface CredentialsEvent {
  readonly type: 'credentials';
  readonly at: EventNs;
  readonly pid: number;
  readonly start?: EventNs | undefined;
  readonly authority?: Authority | undefined;
  /** Real user and group, and the effective ones; undefined: unchanged. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly euid?: number | undefined;
  readonly egid?: number | undefined;
}

/** A task, and so its process, has gone to another folder. */
export interface ChdirEvent {
  readonly type: 'chdir';
  readonly at: EventNs;
  readonly tid: number;
  /** Thread group id, where it is known. */
  readonly pid?: number | undefined;
  readonly start?: EventNs | undefined;
  /** Undefined: to one that is not known. */
  readonly cwd: string | undefined;
}

/** A process was seen in passing to run this file, nobody knows since when. */
export interface ProgramSeenEvent {
  readonly type: 'program-seen';
  readonly at: EventNs;
  readonly pid: number;
  readonly start?: EventNs | undefined;
  readonly executable: FileInfo;
}

/** A task, and so its process, was moved into another control group. */
export interface ContainerEvent {
  readonly type: 'container';
  readonly at: EventNs;
  readonly tid: number;
  /** Thread group id, where it is known. */
  readonly pid?: number | undefined;
  readonly start?: EventNs | undefined;
  readonly authority?: Authority | undefined;
  /** The container that the group is of; undefined when it is of none. */
  readonly container: string | undefined;
}

/** A task seen in /proc (or named by a tracer in passing) at time `at`. */
export interface ObserveEvent {
  readonly type: 'observe';
  readonly at: EventNs;
  readonly tid: number;
  readonly pid: number;
  /** 0 for tasks without a parent (init, kthreadd) and for threads. */
  readonly ppid: number;
  readonly start: EventNs;
  /** True when `start` is a /proc tick (10 ms, rounded down), false when exact. */
  readonly startIsTick: boolean;
  readonly authority?: Authority | undefined;
  readonly isKernelThread?: boolean | undefined;
  readonly comm?: string | undefined;
  readonly executable?: FileInfo | undefined;
  readonly argv?: readonly string[] | undefined;
  readonly cwd?: string | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly euid?: number | undefined;
  readonly egid?: number | undefined;
  readonly nsTid?: number | undefined;
  readonly nsPid?: number | undefined;
  readonly pidNs?: number | undefined;
  readonly container?: string | undefined;
}

/**
 * A scan of /proc from `from` to `at` is complete: whatever lived at `from` and was not observed since is gone. `from` is
 * -Infinity where the scan was not of everything: then nothing is taken to have gone.
 */
export interface ScanEvent {
  readonly type: 'scan';
  readonly at: EventNs;
  readonly from: EventNs;
}

export interface GapEvent {
  readonly type: 'gap';
  readonly from: EventNs;
  readonly to: EventNs;
  readonly lost: number;
}

/**
 * What another tree has made of its events already: a batch of a recording, with the task ids of that tree. Whoever
 * takes it in throws when the batch is malformed.
 */
export interface FactsEvent {
  readonly type: 'facts';
  /** What the clock of that tree said. */
  readonly at: EventNs;
  readonly batch: Uint8Array;
  /** Is it a chunk of a snapshot? Then it can be of tasks that the chunks before have passed over. */
  readonly isSnapshot: boolean;
}

export type TaskEvent =
  | ClockEvent
  | ForkEvent
  | ExecEvent
  | RenameEvent
  | ExitEvent
  | ReparentEvent
  | CredentialsEvent
  | ChdirEvent
  | ProgramSeenEvent
  | ContainerEvent
  | ObserveEvent
  | ScanEvent
  | GapEvent
  | FactsEvent;
