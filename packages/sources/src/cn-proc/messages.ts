// Messages of the kernel's process connector, as records.
//
//   0   nlmsghdr    length u32, type u16, flags u16, seq u32, pid u32
//   16  cn_msg      idx u32, val u32, seq u32, ack u32, length u16, flags u16
//   36  proc_event  what u32, cpu u32, time u64 (monotonic clock), data at 52
//
// The layout is part of the kernel's interface (linux/cn_proc.h) and is the same
// everywhere; numbers are little-endian on every platform that dendro runs on.
// All ids are those of the initial namespaces. What the kernel calls pid is a
// tid here, and its tgid a pid.

import { type EventNs, isTid } from '@dendro/protocol';
import { kernelText } from '../tracefs/kernel-text.ts';

interface Stamp {
  readonly at: EventNs;
  readonly cpu: number;
  /** Counts the messages of this CPU, modulo 2^32. */
  readonly seq: number;
}

/** What a record is about. */
interface Subject extends Stamp {
  readonly tid: number;
  /** Thread group id. */
  readonly pid: number;
}

export interface ForkRecord extends Subject {
  readonly what: 'fork';
  /**
   * The real parent: of a process the thread that forked, but with CLONE_PARENT that one's own real
   * parent; of a thread the real parent of its process, whichever thread created it.
   */
  readonly parentTid: number;
  readonly parentPid: number;
}

export interface ExecRecord extends Subject {
  readonly what: 'exec';
}

/** The user or group ids of one thread, after the change. */
export interface IdsRecord extends Subject {
  readonly what: 'uid' | 'gid';
  readonly real: number;
  readonly effective: number;
}

/** A new session. */
export interface SidRecord extends Subject {
  readonly what: 'sid';
}

export interface PtraceRecord extends Subject {
  readonly what: 'ptrace';
  /** 0 when the tracer let go. */
  readonly tracerTid: number;
  readonly tracerPid: number;
}

/** A name given by prctl or through /proc; not that of an exec. */
export interface CommRecord extends Subject {
  readonly what: 'comm';
  readonly comm: string;
}

/** A signal that dumps core will end the process, whether or not a core is written. */
export interface CoredumpRecord extends Subject {
  readonly what: 'coredump';
}

export interface ExitRecord extends Subject {
  readonly what: 'exit';
  /** As wait(2) gives it, but of this one thread: see `statusOf`. */
  readonly status: number;
  /** What the parent is told with; -1 of a thread. */
  readonly exitSignal: number;
  /** The real parent at that time, 0 where the kernel does not say. */
  readonly parentTid: number;
  readonly parentPid: number;
}

/** The answer to a subscription, of whichever program. Counted among the messages of a CPU, but by old kernels. */
export interface AckRecord extends Stamp {
  readonly what: 'ack';
  /** One more than the `ack` of the request. */
  readonly ack: number;
  /** An errno, 0 for success. */
  readonly error: number;
}

export type ProcRecord =
  | ForkRecord
  | ExecRecord
  | IdsRecord
  | SidRecord
  | PtraceRecord
  | CommRecord
  | CoredumpRecord
  | ExitRecord
  | AckRecord;

const NLMSG_BYTES = 16;
const CN_MSG_BYTES = 20;
const EVENT_HEAD_BYTES = 16;
export const CN_IDX_PROC = 1;
export const CN_VAL_PROC = 1;
export const NLMSG_DONE = 3;
export const MAX_CPU = 0xffff;
const COMM_BYTES = 16;

/** Where a message alone in its datagram says what it is about. */
export const WHAT_AT = NLMSG_BYTES + CN_MSG_BYTES;
export const WHAT = {
  ack: 0,
  fork: 1,
  exec: 2,
  uid: 4,
  gid: 0x40,
  sid: 0x80,
  ptrace: 0x100,
  comm: 0x200,
  coredump: 0x4000_0000,
  exit: 0x8000_0000,
} as const;

export type MessageProblem = 'truncated-message' | 'foreign-message' | 'unknown-message' | 'malformed-message';

export interface MessageReader {
  /** Event time of a time on the kernel's monotonic clock. */
  fromMonotonicNs(high: number, low: number): EventNs;
  record(record: ProcRecord): void;
  reject(problem: MessageProblem): void;
}

/**
 * Reads all messages in the first `length` bytes of a datagram. Never throws: what is no such message is
 * rejected by reason. Hot: runs once per event.
 * @param view and `bytes` are two views on the same memory
 */
export function readMessages(view: DataView, bytes: Buffer, length: number, reader: MessageReader): void {
  const end = Math.min(length, bytes.length);
  let at = 0;
  while (end - at >= NLMSG_BYTES) {
    const size = view.getUint32(at, true);
    if (size < NLMSG_BYTES || size > end - at) break;
    readMessage(view, bytes, at, at + size, reader);
    at += (size + 3) & ~3;
  }
  if (at < end) reader.reject('truncated-message');
}

function readMessage(view: DataView, bytes: Buffer, start: number, end: number, reader: MessageReader): void {
  const problem = tryMessage(view, bytes, start, end, reader);
  if (problem !== undefined) reader.reject(problem);
}

/** @returns why there is no record in it */
function tryMessage(
  view: DataView,
  bytes: Buffer,
  start: number,
  end: number,
  reader: MessageReader,
): MessageProblem | undefined {
  const cn = start + NLMSG_BYTES;
  const event = cn + CN_MSG_BYTES;
  const data = event + EVENT_HEAD_BYTES;
  if (end - data < 4) return 'truncated-message';
  const isOurs =
    view.getUint16(start + 4, true) === NLMSG_DONE &&
    view.getUint32(cn, true) === CN_IDX_PROC &&
    view.getUint32(cn + 4, true) === CN_VAL_PROC;
  if (!isOurs) return 'foreign-message';
  const what = view.getUint32(event, true);
  const needed = dataBytes(what);
  if (needed === 0) return 'unknown-message';
  const room = Math.min(end - event, view.getUint16(cn + 16, true)) - EVENT_HEAD_BYTES;
  if (room < needed) return 'truncated-message';
  const seq = view.getUint32(cn + 8, true);
  const cpu = view.getUint32(event + 4, true);
  const at = reader.fromMonotonicNs(view.getUint32(event + 12, true), view.getUint32(event + 8, true));
  if (what === WHAT.ack) {
    const [ack, error] = [view.getUint32(cn + 12, true), view.getUint32(data, true)];
    reader.record({ what: 'ack', at, cpu, seq, ack, error });
    return undefined;
  }
  const record = readEvent(view, bytes, what, data, at, cpu, seq);
  if (cpu > MAX_CPU || !hasTids(record)) return 'malformed-message';
  reader.record(record);
  return undefined;
}

function hasTids(record: EventRecord): boolean {
  if (record.tid === 0 || record.pid === 0 || !isTid(record.tid) || !isTid(record.pid)) return false;
  return !('parentTid' in record) || (isTid(record.parentTid) && isTid(record.parentPid));
}

/** Bytes of the data of an event, 0 of an unknown one. */
function dataBytes(what: number): number {
  switch (what) {
    case WHAT.ack:
      return 4;
    case WHAT.exec:
    case WHAT.sid:
    case WHAT.coredump:
      return 8;
    case WHAT.fork:
    case WHAT.uid:
    case WHAT.gid:
    case WHAT.ptrace:
      return 16;
    case WHAT.comm:
    case WHAT.exit:
      return 24;
    default:
      return 0;
  }
}

type EventRecord = Exclude<ProcRecord, AckRecord>;

function readEvent(
  view: DataView,
  bytes: Buffer,
  what: number,
  data: number,
  at: EventNs,
  cpu: number,
  seq: number,
): EventRecord {
  const first = view.getUint32(data, true);
  const second = view.getUint32(data + 4, true);
  switch (what) {
    case WHAT.fork: {
      const [tid, pid] = [view.getUint32(data + 8, true), view.getUint32(data + 12, true)];
      return { what: 'fork', at, cpu, seq, tid, pid, parentTid: first, parentPid: second };
    }
    case WHAT.uid:
    case WHAT.gid: {
      const [real, effective] = [view.getUint32(data + 8, true), view.getUint32(data + 12, true)];
      return { what: what === WHAT.uid ? 'uid' : 'gid', at, cpu, seq, tid: first, pid: second, real, effective };
    }
    case WHAT.ptrace: {
      const [tracerTid, tracerPid] = [view.getUint32(data + 8, true), view.getUint32(data + 12, true)];
      return { what: 'ptrace', at, cpu, seq, tid: first, pid: second, tracerTid, tracerPid };
    }
    case WHAT.comm: {
      const comm = kernelText(bytes, data + 8, data + 8 + COMM_BYTES);
      return { what: 'comm', at, cpu, seq, tid: first, pid: second, comm };
    }
    case WHAT.exit: {
      const [status, exitSignal] = [view.getUint32(data + 8, true), view.getInt32(data + 12, true)];
      const [parentTid, parentPid] = [view.getUint32(data + 16, true), view.getUint32(data + 20, true)];
      return { what: 'exit', at, cpu, seq, tid: first, pid: second, status, exitSignal, parentTid, parentPid };
    }
    case WHAT.exec:
      return { what: 'exec', at, cpu, seq, tid: first, pid: second };
    case WHAT.sid:
      return { what: 'sid', at, cpu, seq, tid: first, pid: second };
    default:
      return { what: 'coredump', at, cpu, seq, tid: first, pid: second };
  }
}

const MAX_SIGNAL = 64;

/**
 * What a status word says: either the low byte of what was given to exit(2), or the signal that ended the
 * task; whether it left a core is bit 7. Neither of a word that is no status, which kernel threads can have.
 */
export function statusOf(status: number): { readonly code: number | undefined; readonly signal: number | undefined } {
  const signal = status & 0x7f;
  if (status > 0xffff || signal > MAX_SIGNAL) return { code: undefined, signal: undefined };
  return signal === 0 ? { code: status >>> 8, signal: undefined } : { code: undefined, signal };
}
