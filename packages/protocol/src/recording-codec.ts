// Recordings: a file of batches, the same bytes as on the live socket. Layout
// and reasons: docs/recording-format.md.
//
//   8 bytes "DNR1\r\n\x1a\n", then records, one after the other:
//
//    0  u32  bytes of the payload as it is here
//    4  u32  bytes of the payload once it is unpacked
//    8  u8   kind: 1 header, 2 snapshot chunk, 3 batch, 4 end
//    9  u8   encoding: 0 as it is, 1 deflate in zlib's format
//   10  u8   1 on the last chunk of a snapshot
//   11  u8   0
//   12  u32  CRC-32 of the payload as it is here
//   16  f64  from version (0 in a snapshot)
//   24  f64  to version
//   32  f64  event time of the recorder's clock when this was written (EventNs)
//   40  u32  CRC-32 of the 40 bytes before
//   44       payload: JSON in UTF-8 (header, end) or a batch (batch-codec.ts)
//
// Little endian. No I/O in here, and no zlib: whoever reads unpacks what is
// deflated, the server with node:zlib, a browser with `inflate` below.

import { crc32 } from './crc32.ts';
import { DendroError } from './errors.ts';
import { type EventNs, toVersion, type Version } from './ids.ts';
import { parseEnd, parseHeader, type RecordingEnd, type RecordingHeader } from './recording-info.ts';

export const RECORDING_MAGIC = Uint8Array.of(0x44, 0x4e, 0x52, 0x31, 0x0d, 0x0a, 0x1a, 0x0a);
export const RECORD_HEADER_BYTES = 44;
/** No payload is longer, packed or unpacked. A batch of a busy host has some hundred kilobytes. */
export const MAX_RECORD_BYTES = 256 * 2 ** 20;
/** Header and end are small. */
const MAX_JSON_BYTES = 2 ** 20;
/** Epoch nanoseconds fit into 64 bits, and so do differences of them. */
const MAX_EVENT_NS = 2 ** 63;

const KIND = { header: 1, snapshot: 2, batch: 3, end: 4 } as const;
const ENCODING = { plain: 0, deflate: 1 } as const;
const HEADER_CRC_AT = 40;

export interface BatchRecord {
  readonly kind: 'snapshot' | 'batch';
  /** Of the chunks of a snapshot. */
  readonly isLast: boolean;
  readonly from: Version;
  readonly to: Version;
  /** What the recorder's clock said. */
  readonly now: EventNs;
  /** The batch, to be inflated first if `isDeflated`. What a reader gives is a view: valid until its next `push`. */
  readonly bytes: Uint8Array;
  readonly isDeflated: boolean;
  /** Length of the batch; equal to that of `bytes` unless `isDeflated`. */
  readonly batchBytes: number;
}

export type RecordingRecord =
  | { readonly kind: 'header'; readonly header: RecordingHeader }
  | BatchRecord
  | { readonly kind: 'end'; readonly now: EventNs; readonly end: RecordingEnd }
  /** A record whose payload is damaged or of an encoding that is not known. What follows can be read. */
  | { readonly kind: 'damaged' };

/** What a file of recordings begins with: magic and header. */
export function encodeRecordingStart(header: RecordingHeader): Uint8Array<ArrayBuffer> {
  const record = encodeJson(KIND.header, header);
  const bytes = new Uint8Array(RECORDING_MAGIC.length + record.length);
  bytes.set(RECORDING_MAGIC);
  bytes.set(record, RECORDING_MAGIC.length);
  return bytes;
}

/** @throws DendroError DENDRO_RECORDING_UNWRITABLE when it is too long */
export function encodeBatchRecord(record: BatchRecord): Uint8Array<ArrayBuffer> {
  const { kind, isDeflated, isLast, batchBytes, bytes } = record;
  if (Math.max(batchBytes, bytes.length) > MAX_RECORD_BYTES) {
    throw new DendroError(
      'DENDRO_RECORDING_UNWRITABLE',
      `A batch of ${batchBytes} bytes is more than a record can hold (${MAX_RECORD_BYTES}).`,
    );
  }
  const encoding = isDeflated ? ENCODING.deflate : ENCODING.plain;
  return encode({ ...record, kind: KIND[kind], encoding, isLast: isLast ? 1 : 0 });
}

/** The last record of a recording that was not cut off. */
export function encodeRecordingEnd(now: EventNs, end: RecordingEnd): Uint8Array<ArrayBuffer> {
  return encodeJson(KIND.end, end, now);
}

function encodeJson(kind: number, value: object, now = 0): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return encode({ kind, encoding: ENCODING.plain, isLast: 0, batchBytes: bytes.length, from: 0, to: 0, now, bytes });
}

interface RecordFields {
  readonly kind: number;
  readonly encoding: number;
  readonly isLast: number;
  readonly batchBytes: number;
  readonly from: number;
  readonly to: number;
  readonly now: number;
  readonly bytes: Uint8Array;
}

function encode(fields: RecordFields): Uint8Array<ArrayBuffer> {
  const { bytes } = fields;
  const record = new Uint8Array(RECORD_HEADER_BYTES + bytes.length);
  const view = new DataView(record.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint32(4, fields.batchBytes, true);
  record.set([fields.kind, fields.encoding, fields.isLast], 8);
  view.setUint32(12, crc32(bytes), true);
  view.setFloat64(16, fields.from, true);
  view.setFloat64(24, fields.to, true);
  view.setFloat64(32, fields.now, true);
  view.setUint32(HEADER_CRC_AT, crc32(record.subarray(0, HEADER_CRC_AT)), true);
  record.set(bytes, RECORD_HEADER_BYTES);
  return record;
}

/** Takes a recording in pieces of any size and gives its records. Keeps no more than one record that is not yet whole. */
export class RecordingReader {
  #buffer = new Uint8Array(0);
  #from = 0;
  #to = 0;
  /** Bytes of whole records so far. */
  #wholeBytes = 0;
  #hasMagic = false;
  #hasHeader = false;
  #isEnded = false;
  #isBroken = false;

  /** Has it come to its end record? A recording without one was cut off, or is still being written. */
  get isWhole(): boolean {
    return this.#isEnded;
  }

  /** Is what follows `wholeBytes` no record? Nothing after it can be read then. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Bytes up to the end of the last record that was given. */
  get wholeBytes(): number {
    return this.#wholeBytes;
  }

  push(bytes: Uint8Array): void {
    if (this.#isEnded || this.#isBroken) return;
    const waiting = this.#to - this.#from;
    if (this.#to + bytes.length > this.#buffer.length) {
      const room = Math.max(waiting + bytes.length, Math.min(2 * waiting, MAX_RECORD_BYTES));
      const grown = room > this.#buffer.length ? new Uint8Array(room) : this.#buffer;
      grown.set(this.#buffer.subarray(this.#from, this.#to));
      this.#buffer = grown;
      this.#from = 0;
      this.#to = waiting;
    }
    this.#buffer.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  /**
   * The next record; undefined when it has not come as a whole yet, and after the end.
   * @throws DendroError DENDRO_SOURCE_UNREADABLE when this is no recording
   */
  next(): RecordingRecord | undefined {
    if (!this.#hasMagic && !this.#readMagic()) return undefined;
    while (!this.#isEnded && !this.#isBroken) {
      const head = this.#buffer.subarray(this.#from, Math.min(this.#to, this.#from + RECORD_HEADER_BYTES));
      if (head.length < RECORD_HEADER_BYTES) return undefined;
      const fields = readFields(head);
      if (fields === undefined) {
        if (!this.#hasHeader) throw notRecording('its header is damaged');
        this.#isBroken = true;
        return undefined;
      }
      const end = this.#from + RECORD_HEADER_BYTES + fields.length;
      if (end > this.#to) return undefined;
      const payload = this.#buffer.subarray(end - fields.length, end);
      this.#from = end;
      this.#wholeBytes += RECORD_HEADER_BYTES + fields.length;
      const record = this.#toRecord(fields, payload);
      if (record !== undefined) return record;
    }
    return undefined;
  }

  #readMagic(): boolean {
    const { length } = RECORDING_MAGIC;
    const start = this.#buffer.subarray(this.#from, Math.min(this.#to, this.#from + length));
    if (start.some((byte, i) => byte !== RECORDING_MAGIC[i])) throw notRecording('it does not begin like one');
    if (start.length < length) return false;
    this.#from += length;
    this.#wholeBytes += length;
    this.#hasMagic = true;
    return true;
  }

  /** Undefined for a kind of a later version: it is passed over. */
  #toRecord(fields: RecordHead, payload: Uint8Array): RecordingRecord | undefined {
    const { kind, encoding, from, to, now, isLast, batchBytes } = fields;
    const isSound = crc32(payload) === fields.crc && (encoding === ENCODING.plain || encoding === ENCODING.deflate);
    if (!this.#hasHeader) {
      if (kind !== KIND.header || !isSound) throw notRecording('its header is damaged or missing');
      this.#hasHeader = true;
      return { kind: 'header', header: parseHeader(payload) };
    }
    if (!isSound) return { kind: 'damaged' };
    if (kind === KIND.end) {
      this.#isEnded = true;
      return { kind: 'end', now, end: parseEnd(payload) };
    }
    if (kind !== KIND.batch && kind !== KIND.snapshot) return undefined;
    const isDeflated = encoding === ENCODING.deflate;
    const name = kind === KIND.batch ? 'batch' : 'snapshot';
    return { kind: name, isLast, from, to, now, bytes: payload, isDeflated, batchBytes };
  }
}

interface RecordHead {
  readonly length: number;
  readonly batchBytes: number;
  readonly kind: number;
  readonly encoding: number;
  readonly isLast: boolean;
  readonly crc: number;
  readonly from: Version;
  readonly to: Version;
  readonly now: EventNs;
}

/** Undefined when this is not the header of a record. */
function readFields(head: Uint8Array): RecordHead | undefined {
  const view = new DataView(head.buffer, head.byteOffset, RECORD_HEADER_BYTES);
  if (view.getUint32(HEADER_CRC_AT, true) !== crc32(head.subarray(0, HEADER_CRC_AT))) return undefined;
  const [length, batchBytes] = [view.getUint32(0, true), view.getUint32(4, true)];
  const [kind = 0, encoding = 0, isLast] = head.subarray(8);
  const most = kind === KIND.header || kind === KIND.end ? MAX_JSON_BYTES : MAX_RECORD_BYTES;
  if (length > most || batchBytes > most || (encoding === ENCODING.plain && batchBytes !== length)) return undefined;
  const [from, to, now] = [view.getFloat64(16, true), view.getFloat64(24, true), view.getFloat64(32, true)];
  if (!isVersion(from) || !isVersion(to) || !(Math.abs(now) <= MAX_EVENT_NS)) return undefined;
  return {
    length,
    batchBytes,
    kind,
    encoding,
    isLast: isLast === 1,
    crc: view.getUint32(12, true),
    from: toVersion(from),
    to: toVersion(to),
    now: now as EventNs,
  };
}

function isVersion(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/**
 * Inflates the batch of a record, where there is no zlib.
 * @throws DendroError DENDRO_BATCH_MALFORMED when it is damaged or not as long as the record says; it never grows longer
 */
export async function inflate({ bytes, batchBytes }: BatchRecord): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream('deflate'));
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    for await (const part of stream) {
      length += part.length;
      if (length > batchBytes) throw new RangeError('it is longer than its record says');
      parts.push(part);
    }
  } catch (cause) {
    throw new DendroError('DENDRO_BATCH_MALFORMED', 'A deflated batch cannot be inflated.', { cause });
  }
  if (length < batchBytes) {
    throw new DendroError('DENDRO_BATCH_MALFORMED', 'A deflated batch is shorter than its record says.');
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function notRecording(why: string): DendroError {
  return new DendroError('DENDRO_SOURCE_UNREADABLE', `This is not a recording of dendro: ${why}.`);
}
