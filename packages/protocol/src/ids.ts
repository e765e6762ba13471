// Branded identifiers shared by every package.
//
// A pid is reused by the kernel and means something only inside one pid
// namespace; a TaskId is what the tree is keyed by. Branding keeps the two
// from being swapped silently. The constructors below are the only casts.

declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** One life of one process or thread on one host: a positive integer, assigned once, never reused. */
export type TaskId = Brand<number, 'TaskId'>;
/** Tracee's 32-bit hash of (tid, start). An alias that can collide, never a key. */
export type EntityId = Brand<number, 'EntityId'>;
/** Thread id in the host's first pid namespace. A process' pid is the tid of its thread group leader. */
export type Tid = Brand<number, 'Tid'>;
/** Event time: nanoseconds since the host's time base. A double holds 104 days of these exactly. */
export type EventNs = Brand<number, 'EventNs'>;
/** Count of committed batches. Every batch goes from one version to a later one. */
export type Version = Brand<number, 'Version'>;

/** Stands where a TaskId is unknown: in columns, on the wire. */
export const NO_TASK_ID = 0 as TaskId;

/** The largest tid Linux can be configured to give out (PID_MAX_LIMIT on 64-bit, linux/threads.h). */
export const MAX_TID = 4_194_304;

export function toTaskId(value: number): TaskId {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`task id must be a positive safe integer, got ${value}`);
  }
  return value as TaskId;
}

export function toVersion(value: number): Version {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`version must be a non-negative safe integer, got ${value}`);
  }
  return value as Version;
}

export function toTid(value: number): Tid {
  if (!isTid(value)) throw new RangeError(`tid must be an integer in [0, ${MAX_TID}], got ${value}`);
  return value as Tid;
}

export function isTid(value: unknown): value is Tid {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_TID;
}

export function toEventNs(value: number): EventNs {
  if (!Number.isFinite(value)) throw new RangeError(`event time must be finite, got ${value}`);
  return value as EventNs;
}
