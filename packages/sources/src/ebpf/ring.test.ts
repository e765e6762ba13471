import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RECORD_HEADER_BYTES, Ring, recordLength, recordSpan } from './ring.ts';

const PAGE = 4096;
const SIZE = 4096;
const BUSY = 0x8000_0000;
const DISCARDED = 0x4000_0000;
const PLENTY = 1 << 20;

/** The kernel's side, in plain memory: what it writes appears in both halves of the data. */
class Kernel {
  readonly consumer = new ArrayBuffer(PAGE);
  readonly producer = new ArrayBuffer(PAGE + 2 * SIZE);
  readonly #data = Buffer.from(this.producer, PAGE);
  #at: number;

  constructor(at = 0) {
    this.#at = at;
    this.#setEnd();
    new BigUint64Array(this.consumer)[0] = BigInt(at);
  }

  get ring(): Ring {
    return new Ring(this.consumer, this.producer, PAGE, SIZE);
  }

  /** How far the reader has come. */
  get read(): number {
    return Number(new BigUint64Array(this.consumer)[0]);
  }

  get room(): number {
    return SIZE - (this.#at - this.read);
  }

  /** @returns where it is */
  write(record: Buffer, flags = 0): number {
    const at = this.#at;
    this.#put(at, record, flags);
    this.#at += recordSpan(record.length);
    this.#setEnd();
    return at;
  }

  /** A record that was busy is done. */
  finish(at: number, record: Buffer): void {
    this.#put(at, record, 0);
  }

  #put(at: number, record: Buffer, flags: number): void {
    const header = Buffer.alloc(RECORD_HEADER_BYTES);
    header.writeUInt32LE(record.length + flags, 0);
    for (const [i, byte] of Buffer.concat([header, record]).entries()) {
      const place = (at + i) % SIZE;
      this.#data[place] = byte;
      this.#data[place + SIZE] = byte;
    }
  }

  #setEnd(): void {
    new BigUint64Array(this.producer, 0, 1)[0] = BigInt(this.#at);
  }
}

/** The records of a portion, those that were discarded left out. */
function recordsOf(portion: Buffer): string[] {
  const records: string[] = [];
  for (let at = 0; at < portion.length; ) {
    const header = portion.readUInt32LE(at);
    const start = at + RECORD_HEADER_BYTES;
    if ((header & DISCARDED) === 0) records.push(portion.toString('latin1', start, start + recordLength(header)));
    at += recordSpan(header);
  }
  return records;
}

test('what was written is read once, in order, and its place is given back', () => {
  const kernel = new Kernel();
  const { ring } = kernel;
  kernel.write(Buffer.from('one'));
  kernel.write(Buffer.from('and two'));
  expect(recordsOf(ring.take(ring.end, PLENTY))).toEqual(['one', 'and two']);
  expect(kernel.room).toBe(SIZE);
  expect(ring.hasRead(ring.end)).toBe(true);
  expect(ring.take(ring.end, PLENTY).length).toBe(0);
});

test('a record that reaches around the end of the ring is read in one piece', () => {
  const kernel = new Kernel(SIZE - 16);
  const { ring } = kernel;
  const text = 'x'.repeat(100);
  kernel.write(Buffer.from(text));
  expect(recordsOf(ring.take(ring.end, PLENTY))).toEqual([text]);
});

test('positions grow beyond 32 bits', () => {
  const kernel = new Kernel(2 ** 40 - 8);
  const { ring } = kernel;
  kernel.write(Buffer.from('late'));
  expect(recordsOf(ring.take(ring.end, PLENTY))).toEqual(['late']);
  expect(kernel.read).toBe(2 ** 40 - 8 + 16);
});

test('reading stops before a record that is still being written, and goes on when it is done', () => {
  const kernel = new Kernel();
  const { ring } = kernel;
  kernel.write(Buffer.from('done'));
  const busy = kernel.write(Buffer.from('????'), BUSY);
  kernel.write(Buffer.from('behind'));
  expect(recordsOf(ring.take(ring.end, PLENTY))).toEqual(['done']);
  expect(ring.hasRead(ring.end)).toBe(false);
  expect(ring.take(ring.end, PLENTY).length).toBe(0);
  kernel.finish(busy, Buffer.from('late'));
  expect(recordsOf(ring.take(ring.end, PLENTY))).toEqual(['late', 'behind']);
});

test('a record that was discarded is passed on as such and takes its place', () => {
  const kernel = new Kernel();
  const { ring } = kernel;
  kernel.write(Buffer.from('not meant'), DISCARDED);
  kernel.write(Buffer.from('meant'));
  expect(recordsOf(ring.take(ring.end, PLENTY))).toEqual(['meant']);
});

test('a portion has whole records only, and one at least', () => {
  const kernel = new Kernel();
  const { ring } = kernel;
  for (const record of ['a'.repeat(64), 'b'.repeat(64), 'c'.repeat(64)]) kernel.write(Buffer.from(record));
  const { end } = ring;
  expect(recordsOf(ring.take(end, 150))).toEqual(['a'.repeat(64), 'b'.repeat(64)]);
  expect(recordsOf(ring.take(end, 10))).toEqual(['c'.repeat(64)]);
});

test('what was written after the end was asked for is left for the next time', () => {
  const kernel = new Kernel();
  const { ring } = kernel;
  kernel.write(Buffer.from('before'));
  const { end } = ring;
  kernel.write(Buffer.from('after'));
  expect(recordsOf(ring.take(end, PLENTY))).toEqual(['before']);
  expect(ring.hasRead(end)).toBe(true);
  expect(recordsOf(ring.take(ring.end, PLENTY))).toEqual(['after']);
});

test('a portion is a copy: the kernel may use the place again', () => {
  const kernel = new Kernel();
  const { ring } = kernel;
  kernel.write(Buffer.from('first'));
  const portion = ring.take(ring.end, PLENTY);
  while (kernel.room >= 80) kernel.write(Buffer.alloc(64, 'x'));
  expect(recordsOf(portion)).toEqual(['first']);
});

test('whatever is written and read in turn, all of it arrives once and in order', () => {
  const step = fc.oneof(
    fc.record({ write: fc.integer({ min: 0, max: 700 }), isDiscarded: fc.boolean() }),
    fc.record({ readAtMost: fc.integer({ min: 1, max: 2000 }) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1000 }), fc.array(step, { maxLength: 100 }), (first, steps) => {
      const kernel = new Kernel(8 * first);
      const { ring } = kernel;
      const written: string[] = [];
      const read: string[] = [];
      for (const one of steps) {
        if ('readAtMost' in one) read.push(...recordsOf(ring.take(ring.end, one.readAtMost)));
        else if (recordSpan(one.write) <= kernel.room) {
          const record = String.fromCharCode(97 + (written.length % 26)).repeat(one.write);
          kernel.write(Buffer.from(record), one.isDiscarded ? DISCARDED : 0);
          if (!one.isDiscarded) written.push(record);
        }
      }
      read.push(...recordsOf(ring.take(ring.end, PLENTY)));
      expect(read).toEqual(written);
      expect(kernel.room).toBe(SIZE);
    }),
  );
});
