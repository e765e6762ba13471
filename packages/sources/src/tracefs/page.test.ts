import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { LOST_UNKNOWN, PageDecoder, type PageProblem } from './page.ts';

const LAYOUT = { timestampOffset: 0, commitOffset: 8, dataOffset: 16, sizeBytes: 256 };
const MISSED_EVENTS = 0x8000_0000n;
const MISSED_STORED = 0x4000_0000n;

interface Read {
  at: number;
  lost: number;
  records: { at: number; payload: string }[];
  problem: PageProblem | undefined;
}

/** A page of 256 bytes; `words` are its data. */
function page(timeNs: bigint, words: readonly number[], flags = 0n, usedBytes = words.length * 4): Buffer {
  const bytes = Buffer.alloc(256);
  bytes.writeBigUInt64LE(timeNs, 0);
  bytes.writeBigUInt64LE(BigInt(usedBytes) | flags, 8);
  words.forEach((word, i) => {
    bytes.writeUInt32LE(word >>> 0, 16 + 4 * i);
  });
  return bytes;
}

/** First word of a record. */
function head(type: number, delta: number): number {
  return ((delta << 5) | type) >>> 0;
}

function read(bytes: Buffer, baseNs = 0n, length = bytes.length): Read {
  const result: Read = { at: Number.NaN, lost: 0, records: [], problem: undefined };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  result.problem = new PageDecoder(LAYOUT, new HostClock(0n, baseNs)).decode(view, length, {
    page: (at: EventNs, lost: number) => {
      result.at = at;
      result.lost = lost;
    },
    record: (start, end, at) => result.records.push({ at, payload: bytes.toString('hex', start, end) }),
  });
  return result;
}

test('a record has its time as the sum of all deltas before it, and as many words as its type says', () => {
  expect(read(page(1000n, [head(1, 5), 0x11, head(2, 7), 0x22, 0x33]))).toEqual({
    at: 1000,
    lost: 0,
    records: [
      { at: 1005, payload: '11000000' },
      { at: 1012, payload: '2200000033000000' },
    ],
    problem: undefined,
  });
});

test('a record of type 0 has its length in its first word', () => {
  expect(read(page(0n, [head(0, 5), 8, 0x11, head(1, 1), 0x22])).records).toEqual([
    { at: 5, payload: '11000000' },
    { at: 6, payload: '22000000' },
  ]);
});

test('padding ends a page, or stands for an event that was taken back', () => {
  expect(read(page(0n, [head(1, 5), 1, head(29, 0), 0, head(1, 5), 1])).records).toHaveLength(1);
  expect(read(page(0n, [head(1, 5), 1, head(29, 3), 12, 0, 0, head(1, 5), 2])).records).toEqual([
    { at: 5, payload: '01000000' },
    { at: 13, payload: '02000000' },
  ]);
});

test('a time extend carries the time far beyond 27 bits', () => {
  expect(read(page(0n, [head(30, 7), 3, head(1, 5), 1])).records[0]?.at).toBe(7 + 3 * 2 ** 27 + 5);
});

test('an absolute time counts from the boot, with the top 5 bits of the page', () => {
  const base = (0b00010n << 59n) + 123_456_789_012_345n;
  const stamp = base + 10n;
  const low59 = stamp & ((1n << 59n) - 1n);
  const words = [head(31, Number(low59 & 0x7ff_ffffn)), Number(low59 >> 27n), head(1, 5), 1];

  expect(read(page(base, words), base).records[0]?.at).toBe(15);
});

test('an absolute time whose 59 bits ran over since the page began is later, not earlier', () => {
  const base = (1n << 59n) - 10n;
  const words = [head(31, 20), 0, head(1, 5), 1];

  expect(read(page(base, words), base).records[0]?.at).toBe(10 + 20 + 5);
});

test('times are exact to the nanosecond after years of uptime', () => {
  const base = 10n * 365n * 86_400_000_000_000n + 1n;

  expect(read(page(base + 3n, [head(1, 1), 1]), base).records[0]?.at).toBe(4);
});

test('a page says how many events were lost before it, where the kernel had room to say so', () => {
  const words = [head(1, 5), 1];
  const counted = page(0n, words, MISSED_EVENTS | MISSED_STORED);
  counted.writeBigUInt64LE(73_762n, 16 + 8);

  expect(read(counted)).toMatchObject({ lost: 73_762, problem: undefined });
  expect(read(counted).records).toHaveLength(1);
  expect(read(page(0n, words, MISSED_EVENTS)).lost).toBe(LOST_UNKNOWN);
  expect(read(page(0n, words, MISSED_EVENTS | MISSED_STORED)).lost).toBe(LOST_UNKNOWN);
});

test('an empty page is no problem', () => {
  expect(read(page(7n, []))).toEqual({ at: 7, lost: 0, records: [], problem: undefined });
});

test.each<[string, Buffer, number, PageProblem]>([
  ['claims more data than a page holds', page(0n, [head(1, 5), 1], 0n, 300), 0, 'malformed-page'],
  ['is from before the universe', page(1n << 63n, [head(1, 5), 1]), 0, 'malformed-page'],
  ['ends inside a record', page(0n, [head(1, 5), 1, head(4, 5), 1]), 1, 'malformed-page'],
  ['ends inside the word of a record', page(0n, [head(1, 5), 1, 0], 0n, 10), 1, 'malformed-page'],
  [
    'has a length that does not count itself',
    page(0n, [head(1, 5), 1, head(0, 5), 0, head(1, 5), 1]),
    1,
    'malformed-page',
  ],
  ['has a length that is no multiple of 4', page(0n, [head(1, 5), 1, head(0, 5), 6, 0, 0]), 1, 'malformed-page'],
  ['has padding that goes nowhere', page(0n, [head(1, 5), 1, head(29, 5), 0, head(1, 5), 1]), 1, 'malformed-page'],
  ['has a length out of the page', page(0n, [head(1, 5), 1, head(0, 5), 0xfffffffc]), 1, 'malformed-page'],
])('a page that %s is reported, with the records before that place', (_what, bytes, records, problem) => {
  const result = read(bytes);

  expect(result.problem).toBe(problem);
  expect(result.records).toHaveLength(records);
});

test('a page that was cut off gives the records that are whole', () => {
  const bytes = page(0n, [head(1, 5), 1, head(1, 5), 2, head(1, 5), 3]);

  expect(read(bytes, 0n, 16 + 24)).toMatchObject({ problem: undefined, records: { length: 3 } });
  expect(read(bytes, 0n, 16 + 20)).toMatchObject({ problem: 'truncated-page', records: { length: 2 } });
  expect(read(bytes, 0n, 16 + 16)).toMatchObject({ problem: 'truncated-page', records: { length: 2 } });
  expect(read(bytes, 0n, 15)).toMatchObject({ problem: 'truncated-page', records: { length: 0 } });
  expect(read(bytes, 0n, 0)).toMatchObject({ problem: 'truncated-page', records: { length: 0 } });
});
