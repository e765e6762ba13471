// The kernel's BPF ring buffer, read from its pages.
//
// One page holds the reader's position, one the writer's, then come the data,
// mapped twice in a row so that nothing ever has to be read around the end. A
// record is a word of length with two bits (busy: still being written; discard),
// a word for the kernel, and its bytes, padded to 8. The layout is part of the
// kernel's interface (kernel/bpf/ringbuf.c, linux/bpf.h).

/** The record is still being written. */
const BUSY = 0x8000_0000;
export const DISCARD = 0x4000_0000;
const LENGTH = 0x3fff_ffff;
export const RECORD_HEADER_BYTES = 8;

/** Bytes that a record of this header takes in the ring. */
export function recordSpan(header: number): number {
  return ((header & LENGTH) + RECORD_HEADER_BYTES + 7) & ~7;
}

export function recordLength(header: number): number {
  return header & LENGTH;
}

export class Ring {
  readonly #consumer: BigUint64Array;
  readonly #producer: BigUint64Array;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #sizeBytes: number;
  #position: number;

  /**
   * @param consumer page with the reader's position, which may be written
   * @param producer page with the writer's position, then twice the data
   * @param sizeBytes of the data: a power of two
   */
  constructor(consumer: ArrayBuffer, producer: ArrayBuffer, pageSize: number, sizeBytes: number) {
    this.#consumer = new BigUint64Array(consumer, 0, 1);
    this.#producer = new BigUint64Array(producer, 0, 1);
    this.#words = new Int32Array(producer, pageSize, (2 * sizeBytes) / 4);
    this.#bytes = new Uint8Array(producer, pageSize, 2 * sizeBytes);
    this.#sizeBytes = sizeBytes;
    this.#position = Number(Atomics.load(this.#consumer, 0));
  }

  /** Where the writer is now: what lies before it is to be read. */
  get end(): number {
    return Number(Atomics.load(this.#producer, 0));
  }

  /** Has everything up to there been read? */
  hasRead(end: number): boolean {
    return this.#position >= end;
  }

  /**
   * Copies whole records, with their headers, up to `end`.
   * @returns a copy of at most `maxBytes` (but one record at least); empty when there is nothing, or a record that is still being written
   */
  take(end: number, maxBytes: number): Buffer {
    const from = this.#position;
    const offset = from % this.#sizeBytes;
    let until = from;
    while (until < end) {
      const header = Atomics.load(this.#words, (offset + until - from) >> 2);
      if ((header & BUSY) !== 0) break;
      const span = recordSpan(header);
      if (until > from && until - from + span > maxBytes) break;
      until += span;
    }
    const length = until - from;
    const copy = Buffer.allocUnsafe(length);
    copy.set(this.#bytes.subarray(offset, offset + length));
    this.#position = until;
    Atomics.store(this.#consumer, 0, BigInt(until));
    return copy;
  }
}
