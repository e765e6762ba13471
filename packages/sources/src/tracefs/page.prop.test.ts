import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventNs, TaskEvent } from '@dendro/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { CpuStream, FeedCounters, PageBuffer } from './cpu-stream.ts';
import { RecordDecoder } from './decode.ts';
import { parseEventFormat, parsePageLayout } from './format.ts';
import type { KernelRecord } from './kernel-record.ts';
import { EventMerge, timeOf } from './merge.ts';
import { PageDecoder } from './page.ts';
import { RecordJoin } from './record-join.ts';

// Bytes of a recording are as hostile as any: whoever can hand us a file can
// hand us these. Reading out of bounds would throw (a DataView checks) or show
// as text that is not in the page; a loop would time out.

const RECORDING = join(import.meta.dirname, '../../../testkit/recordings/core-strace');
const FORMATS = readdirSync(join(RECORDING, 'formats'))
  .filter((name) => name.endsWith('.format'))
  .map((name) => parseEventFormat(readFileSync(join(RECORDING, 'formats', name), 'utf8')));
FORMATS.push({ name: 'print', id: 5, fields: new Map() }); // the marker of the recording
const LAYOUT = parsePageLayout(readFileSync(join(RECORDING, 'formats/header_page'), 'utf8'));
const REAL_PAGES = ['cpu0.raw', 'cpu1.raw'].flatMap((name) => {
  const bytes = readFileSync(join(RECORDING, name));
  return Array.from({ length: bytes.length / 4096 }, (_, i) => bytes.subarray(4096 * i, 4096 * (i + 1)));
});
const realPageIndex = fc.nat(REAL_PAGES.length - 1);

function readPage(bytes: Uint8Array, length: number): { events: TaskEvent[]; counters: FeedCounters } {
  const events: TaskEvent[] = [];
  const counters = new FeedCounters();
  const join = new RecordJoin((event) => events.push(event));
  const merge = new EventMerge<KernelRecord>((record) => join.take(record));
  const buffer = new PageBuffer(4096);
  buffer.bytes.set(bytes.subarray(0, 4096));
  const clock = new HostClock(0n, 1_762_000_000_000n);
  const stream = new CpuStream(
    new PageDecoder(LAYOUT, clock),
    new RecordDecoder(FORMATS),
    merge,
    counters,
    buffer,
    0 as EventNs,
  );
  stream.take(length);
  merge.flush();
  return { events, counters };
}

function checkSane({ events, counters }: ReturnType<typeof readPage>): void {
  expect(counters.records).toBeLessThanOrEqual(1020);
  expect(events.length).toBeLessThanOrEqual(counters.records + 1);
  for (const event of events) {
    expect(Number.isFinite(timeOf(event))).toBe(true);
    if (event.type === 'gap') expect(event.lost).toBeGreaterThan(0);
    if (event.type === 'exec') expect(event.filename?.length ?? 0).toBeLessThanOrEqual(4 * 4096);
  }
}

test('random bytes as a page never throw, loop or read outside', () => {
  const withHeader = fc
    .tuple(fc.uint8Array({ minLength: 4080, maxLength: 4080 }), fc.nat(0xfffff), fc.nat(7))
    .map(([data, used, flags]) => {
      const bytes = Buffer.alloc(4096);
      bytes.writeUInt32LE((used % 4200) + flags * 0x2000_0000, 8);
      bytes.set(data, 16);
      return bytes;
    });
  fc.assert(
    fc.property(fc.oneof(withHeader, fc.uint8Array({ maxLength: 4096 })), fc.nat(4096), (bytes, length) => {
      checkSane(readPage(bytes, length));
    }),
    { numRuns: 1000 },
  );
});

test('words that look like records never throw, loop or read outside', () => {
  const word = fc.oneof(
    fc.tuple(fc.integer({ min: 0, max: 31 }), fc.nat(3)).map(([type, delta]) => (delta << 5) | type),
    fc.constantFrom(...FORMATS.map(({ id }) => id)),
    fc.nat(64),
    fc.integer(),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 200 }), fc.nat(16), (words, beyond) => {
      const bytes = Buffer.alloc(4096);
      bytes.writeUInt32LE(words.length * 4 + beyond, 8);
      words.forEach((value, i) => {
        bytes.writeInt32LE(value | 0, 16 + 4 * i);
      });
      checkSane(readPage(bytes, 4096));
    }),
    { numRuns: 1000 },
  );
});

test('real pages with some bytes changed never throw, loop or read outside', () => {
  const change = fc.tuple(fc.nat(4095), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(
      realPageIndex,
      fc.array(change, { minLength: 1, maxLength: 20 }),
      fc.oneof(fc.constant(4096), fc.nat(4096)),
      (index, changes, length) => {
        const bytes = Buffer.from(REAL_PAGES[index]!);
        for (const [at, value] of changes) bytes[at] = value;
        checkSane(readPage(bytes, length));
      },
    ),
    { numRuns: 1000 },
  );
});

test('bytes behind what was read have no influence', () => {
  fc.assert(
    fc.property(
      realPageIndex,
      fc.nat(4095),
      fc.uint8Array({ minLength: 4096, maxLength: 4096 }),
      (index, length, junk) => {
        const dirty = Buffer.from(junk);
        REAL_PAGES[index]!.copy(dirty, 0, 0, length);
        const clean = Buffer.alloc(4096);
        REAL_PAGES[index]!.copy(clean, 0, 0, length);

        expect(readPage(dirty, length)).toEqual(readPage(clean, length));
      },
    ),
    { numRuns: 200 },
  );
});

test('a real page that is cut off anywhere gives the first part of its events, and says that it was cut', () => {
  fc.assert(
    fc.property(realPageIndex, fc.nat(4095), (index, length) => {
      const real = REAL_PAGES[index]!;
      const whole = readPage(real, 4096);
      const part = readPage(real, length);
      const used = real.readUInt32LE(8) & 0xfffff;

      expect(part.events).toEqual(whole.events.slice(0, part.events.length));
      expect(part.counters.rejected).toEqual(length < 16 + used ? { 'truncated-page': 1 } : {});
      expect(whole.counters.rejected).toEqual({});
    }),
    { numRuns: 300 },
  );
});
