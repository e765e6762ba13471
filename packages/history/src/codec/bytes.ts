// Numbers as bytes, small ones in few. Everything that history packs is built of
// these; what is read is checked, as a disk can give back anything.

import { DendroError } from '@dendro/protocol';

/** Integers beyond do not go through `delta` as differences: their doubled value would not be exact. */
const MAX_DELTA = 2 ** 50;

export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** A whole number from 0 to 2^53, seven bits to the byte. */
  uint(value: number): void {
    if (this.#length + 8 > this.#bytes.length) this.#reserve(8);
    const bytes = this.#bytes;
    let rest = value;
    while (rest > 0x7fff_ffff) {
      bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      bytes[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[this.#length++] = rest;
  }

  /** A whole number up to 2^52 on either side of zero. */
  int(value: number): void {
    this.uint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  f64(value: number): void {
    this.#reserve(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /**
   * Any double, bit for bit but for the payload of a NaN: as its difference from the one before where both are whole.
   * @returns what the next one is told as `before`
   */
  delta(value: number, before: number): number {
    if (!isDelta(value)) {
      this.uint(0);
      this.f64(value);
      return before;
    }
    const difference = value - (isDelta(before) ? before : 0);
    this.uint(difference < 0 ? -2 * difference : 2 * difference + 1);
    return value;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Length, then the bytes. */
  block(bytes: Uint8Array): void {
    this.uint(bytes.length);
    this.raw(bytes);
  }

  /** A view of what was written: gone with the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#length + more, 2 * this.#bytes.length));
    grown.set(this.view());
    this.#bytes = grown;
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  u8(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw damaged();
    return byte;
  }

  uint(): number {
    const bytes = this.#bytes;
    const first = bytes[this.#at++];
    if (first === undefined) throw damaged();
    if (first < 128) return first;
    let value = first & 127;
    let scale = 128;
    for (;;) {
      const byte = bytes[this.#at++];
      if (byte === undefined || scale > 2 ** 53) throw damaged();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  int(): number {
    const value = this.uint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  f64(): number {
    const bytes = this.#bytes;
    if (this.#at + 8 > bytes.length) throw damaged();
    const value = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  /** Inverse of `delta` of the writer. */
  delta(before: number): number {
    const coded = this.uint();
    if (coded === 0) return this.f64();
    return (isDelta(before) ? before : 0) + (coded % 2 === 0 ? -coded / 2 : (coded - 1) / 2);
  }

  raw(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw damaged();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  block(): Uint8Array {
    return this.raw(this.uint());
  }

  /** As `delta`, of a time. */
  time(before: number): number {
    const time = this.delta(before);
    if (!Number.isFinite(time)) throw damaged();
    return time;
  }
}

/** Does a number go through `delta` as a difference, and not as it is? */
export function isDelta(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < MAX_DELTA && (value !== 0 || 1 / value > 0);
}

export function damaged(cause?: unknown): DendroError {
  return new DendroError('DENDRO_HISTORY_DAMAGED', undefined, { cause });
}
