// What the records of the kernel say, one by one. Most are events. Some are only
// part of what happened: a record before them or after them has the rest.

import type { EventNs, TaskEvent } from '@dendro/protocol';
import type { IdName } from './kernel-events.ts';

/** An exec of a script has come so far that it cannot fail any more: it succeeds, or its process dies. */
export interface PrepareExecRecord {
  readonly type: 'prepare-exec';
  readonly at: EventNs;
  /** The thread that called exec. */
  readonly tid: number;
  /** What will interpret it. */
  readonly interp: string;
}

/** A task was moved into another control group of one hierarchy. */
export interface MoveRecord {
  readonly type: 'move';
  readonly at: EventNs;
  readonly tid: number;
  /** As the first number of a line of /proc/PID/cgroup. */
  readonly hierarchy: number;
  /** Of the control group; undefined when it is too long for the record. */
  readonly path: string | undefined;
}

/** A thread has changed its user or group, the real one or the effective one. */
export interface IdChangeRecord {
  readonly type: 'id-change';
  readonly at: EventNs;
  readonly tid: number;
  readonly id: IdName;
}

export type KernelRecord = TaskEvent | PrepareExecRecord | MoveRecord | IdChangeRecord;
