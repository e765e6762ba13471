// Fields of a line from outside: each is of the type that it should be, or the
// line is left out with a reason. Nothing is converted on a guess.

import { isTid, parseRfc3339Ns } from '@dendro/protocol';

/** Why a line was left out. */
export type RejectReason =
  | 'not-json'
  | 'not-an-object'
  | 'not-a-tracee-event'
  | 'not-a-lifecycle-event'
  | 'missing-field'
  | 'wrong-type'
  | 'bad-timestamp'
  | 'time-out-of-range'
  | 'line-too-long'
  | 'truncated'
  /** Of a host that was not asked for. */
  | 'other-host'
  | 'too-many-hosts'
  /** Of one of several hosts, and nobody knows which. */
  | 'host-unknown'
  | 'bad-host-name';

/** Thrown where a field is wrong, and caught where the line is counted. */
export class Rejection extends Error {
  readonly reason: RejectReason;

  constructor(reason: RejectReason) {
    super(reason);
    this.reason = reason;
  }
}

export type Json = Record<string, unknown>;

const MAX_U32 = 0xffff_ffff;
const MAX_U64 = '18446744073709551615';

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function object(value: unknown): Json {
  return isObject(value) ? value : refuse(value);
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(value);
}

export function string(value: unknown): string {
  return typeof value === 'string' ? value : refuse(value);
}

export function boolean(value: unknown): boolean {
  return typeof value === 'boolean' ? value : refuse(value);
}

export function integer(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : refuse(value);
}

/** A user id, a device, a mode, the inode of a namespace. */
export function uint32(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_U32 ? value : refuse(value);
}

/** A tid or pid. 0 is the idle task. */
export function taskNumber(value: unknown): number {
  return isTid(value) ? value : refuse(value);
}

/** An unsigned 64-bit number in decimal; a bare long one has become text by now (exact-json.ts). */
export function uint64Text(value: unknown): string {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return String(value);
  if (typeof value !== 'string' || !/^\d{1,20}$/.test(value)) return refuse(value);
  return value.length < MAX_U64.length || value <= MAX_U64 ? value : refuse(value);
}

/** Epoch nanoseconds: a number, the same as text, or RFC 3339. */
export function epochNs(value: unknown): bigint {
  if (value === undefined || value === null) throw new Rejection('missing-field');
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value === 'string') {
    if (/^\d{1,19}$/.test(value)) return BigInt(value);
    const time = parseRfc3339Ns(value);
    if (time !== undefined) return time;
  }
  throw new Rejection('bad-timestamp');
}

/** A time that need not be known. Tracee writes 0 for that, or, of a missing protobuf timestamp, the text "null". */
export function optionalEpochNs(value: unknown): bigint | undefined {
  if (value === undefined || value === null || value === 'null') return undefined;
  return epochNs(value) || undefined;
}

/** `null` stands for a value that is not there. */
export function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value);
}

function refuse(value: unknown): never {
  throw new Rejection(value === undefined ? 'missing-field' : 'wrong-type');
}
