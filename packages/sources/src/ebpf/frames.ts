// What the child process says to the server, over a pipe:
//
//   word   kind
//   word   length of the body
//   body   `ready` and `failed`: JSON; `records`: see below
//
//   records: boot time up to which everything has been read, boot time of the
//   counts, records seen and lost so far, processes of the one tree that found
//   no room (u64 each), then records as they lie in the ring, each with its header.

import { isTid } from '@dendro/protocol';
import { DISCARD, RECORD_HEADER_BYTES, recordLength, recordSpan } from './ring.ts';

export const FRAME = { ready: 1, failed: 2, records: 3 } as const;

export interface ReadyFrame {
  readonly ringBytes: number;
  readonly cpus: number;
  readonly notices: readonly string[];
  /** Processes of the one tree that is meant, when it was there before. */
  readonly traced: readonly number[];
}

export interface FailedFrame {
  readonly step: string;
  readonly errno: number;
  readonly message: string;
  readonly log: string;
}

export interface RecordsFrame {
  /** Everything that happened up to this boot time has been passed on, but for records still being written then. */
  readonly through: bigint;
  /** Boot time of the counts. */
  readonly at: bigint;
  readonly seen: bigint;
  readonly lost: bigint;
  /** Processes of the one tree that is meant whose children and end are not told of: there were too many. */
  readonly untracked: bigint;
}

export interface FrameVisitor {
  ready(frame: ReadyFrame): void;
  failed(frame: FailedFrame): void;
  /** The records of the frame follow. */
  records(frame: RecordsFrame): void;
  /** A record: `[start, end)` of the bytes. */
  record(view: DataView, bytes: Buffer, start: number, end: number): void;
  /** All records of the frame have been told. */
  recordsEnd(frame: RecordsFrame): void;
}

const HEAD_BYTES = 8;
const COUNTS_BYTES = 40;
/** The child cuts what it sends into less. */
export const MAX_RECORD_BYTES = 256 * 1024;
const MAX_BODY_BYTES = 1024 * 1024;

export function jsonFrame(kind: typeof FRAME.ready | typeof FRAME.failed, body: ReadyFrame | FailedFrame): Buffer {
  const json = Buffer.from(JSON.stringify(body));
  return Buffer.concat([headOf(kind, json.length), json]);
}

export function recordsFrame({ through, at, seen, lost, untracked }: RecordsFrame, records: Buffer): Buffer {
  const counts = Buffer.alloc(COUNTS_BYTES);
  counts.writeBigUInt64LE(through, 0);
  counts.writeBigUInt64LE(at, 8);
  counts.writeBigUInt64LE(seen, 16);
  counts.writeBigUInt64LE(lost, 24);
  counts.writeBigUInt64LE(untracked, 32);
  return Buffer.concat([headOf(FRAME.records, COUNTS_BYTES + records.length), counts, records]);
}

function headOf(kind: number, length: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(kind, 0);
  head.writeUInt32LE(length, 4);
  return head;
}

/** Puts frames together again from whatever portions the pipe gives. */
export class FrameReader {
  readonly #visitor: FrameVisitor;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0; // that have come
  /** Of a frame that began in a portion before; one that is whole is read where it lies. */
  #body: Buffer | undefined;
  #bodyBytes = 0;

  constructor(visitor: FrameVisitor) {
    this.#visitor = visitor;
  }

  /** @throws Error when this is no frame: nothing behind it can be understood */
  push(portion: Buffer): void {
    for (let at = 0; at < portion.length; ) {
      if (this.#headBytes < HEAD_BYTES) {
        const end = Math.min(portion.length, at + HEAD_BYTES - this.#headBytes);
        this.#headBytes += portion.copy(this.#head, this.#headBytes, at, end);
        at = end;
        if (this.#headBytes < HEAD_BYTES) return;
        const length = this.#head.readUInt32LE(4);
        if (length > MAX_BODY_BYTES) throw new Error(`a frame of ${length} bytes`);
        if (at + length <= portion.length) {
          this.#take(portion.subarray(at, at + length));
          at += length;
          continue;
        }
        this.#body = Buffer.allocUnsafe(length);
        this.#bodyBytes = 0;
      }
      const body = this.#body as Buffer;
      const end = Math.min(portion.length, at + body.length - this.#bodyBytes);
      this.#bodyBytes += portion.copy(body, this.#bodyBytes, at, end);
      at = end;
      if (this.#bodyBytes === body.length) this.#take(body);
    }
  }

  #take(body: Buffer): void {
    this.#headBytes = 0;
    this.#body = undefined;
    const kind = this.#head.readUInt32LE(0);
    if (kind === FRAME.records) this.#takeRecords(body);
    else if (kind === FRAME.ready) this.#visitor.ready(parseReady(body));
    else if (kind === FRAME.failed) this.#visitor.failed(parseFailed(body));
    else throw new Error(`a frame of kind ${kind}`);
  }

  #takeRecords(body: Buffer): void {
    if (body.length < COUNTS_BYTES) throw new Error('a frame without counts');
    const frame: RecordsFrame = {
      through: body.readBigUInt64LE(0),
      at: body.readBigUInt64LE(8),
      seen: body.readBigUInt64LE(16),
      lost: body.readBigUInt64LE(24),
      untracked: body.readBigUInt64LE(32),
    };
    if (frame.lost > frame.seen) throw new Error(`${frame.lost} records lost of ${frame.seen}`);
    const view = new DataView(body.buffer, body.byteOffset, body.length);
    this.#visitor.records(frame);
    for (let at = COUNTS_BYTES; at < body.length; ) {
      if (at + RECORD_HEADER_BYTES > body.length) throw new Error('a record that is cut off');
      const header = view.getUint32(at, true);
      const start = at + RECORD_HEADER_BYTES;
      const end = start + recordLength(header);
      if (end > body.length) throw new Error('a record that is cut off');
      if ((header & DISCARD) === 0) this.#visitor.record(view, body, start, end);
      at += recordSpan(header);
    }
    this.#visitor.recordsEnd(frame);
  }
}

function parseReady(body: Buffer): ReadyFrame {
  const { ringBytes, cpus, notices, traced } = parseObject(body);
  if (typeof ringBytes !== 'number' || typeof cpus !== 'number' || !isTexts(notices)) throw notUnderstood();
  if (!Array.isArray(traced) || !traced.every(isTid)) throw notUnderstood();
  return { ringBytes, cpus, notices, traced };
}

function parseFailed(body: Buffer): FailedFrame {
  const { step, errno, message, log } = parseObject(body);
  if (typeof errno !== 'number' || !isTexts([step, message, log])) throw notUnderstood();
  return { step: String(step), errno, message: String(message), log: String(log) };
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // no JSON: the same as JSON of something else
  }
  throw notUnderstood();
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function notUnderstood(): Error {
  return new Error('a message without its parts');
}
