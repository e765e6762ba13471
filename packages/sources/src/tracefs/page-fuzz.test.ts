// Real pages, damaged in thousands of ways, through all that reads live pages:
// no throw, no hang, no memory that grows. With DENDRO_STREAMS, for a night, in a
// million ways. page.prop.test.ts says what each single answer must be like.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { CpuStream, FeedCounters, PageBuffer } from './cpu-stream.ts';
import { RecordDecoder } from './decode.ts';
import { parseEventFormat, parsePageLayout } from './format.ts';
import type { KernelRecord } from './kernel-record.ts';
import { EventMerge, timeOf } from './merge.ts';
import { PageDecoder } from './page.ts';
import { RecordJoin } from './record-join.ts';

const RECORDING = join(import.meta.dirname, '../../../testkit/recordings/core-strace');
const PAGE_BYTES = 4096;
const MUTANTS = process.env['DENDRO_STREAMS'] === undefined ? 5000 : 1_000_000;
const SEED = Number(process.env['DENDRO_SEED'] ?? 0x5eed);
/** More records do not fit into a page: each takes eight bytes or more. */
const MAX_RECORDS = PAGE_BYTES / 8;
/** A page is read within some 50 µs; a loop without an end would never. */
const MAX_PAGE_MS = 2000;
const MAX_GROWTH_BYTES = 64 * 1024 * 1024;

const formats = readdirSync(join(RECORDING, 'formats'))
  .filter((name) => name.endsWith('.format'))
  .map((name) => parseEventFormat(readFileSync(join(RECORDING, 'formats', name), 'utf8')));
const layout = parsePageLayout(readFileSync(join(RECORDING, 'formats/header_page'), 'utf8'));
const pages = ['cpu0.raw', 'cpu1.raw'].flatMap((name) => {
  const bytes = readFileSync(join(RECORDING, name));
  return Array.from({ length: bytes.length / PAGE_BYTES }, (_, i) =>
    bytes.subarray(PAGE_BYTES * i, PAGE_BYTES * (i + 1)),
  );
});

/** xorshift32: a million pages want a faster one than fast-check's, and need no shrinking. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Damages a page in one of the ways in which bytes go wrong. */
function mutate(page: Buffer, random: (below: number) => number): void {
  for (let changes = 1 + random(8); changes > 0; changes--) {
    const at = random(PAGE_BYTES);
    const word = at & ~3;
    switch (random(7)) {
      case 0:
        page[at] = (page[at] ?? 0) ^ (1 << random(8));
        break;
      case 1:
        page[at] = random(256);
        break;
      case 2: // a record header of any type
        page.writeUInt32LE(((random(0x8000000) << 5) | random(32)) >>> 0, word);
        break;
      case 3: // lengths and offsets at their limits
        page.writeUInt32LE([0, 1, 4, 0x7fff_ffff, 0x8000_0000, 0xffff_fffc, 0xffff_ffff][random(7)] ?? 0, word);
        break;
      case 4: // how much is used, and what was lost
        page.writeUInt32LE((random(8) * 0x2000_0000 + random(5000)) >>> 0, layout.commitOffset);
        break;
      case 5: // a part of another page
        (pages[random(pages.length)] as Buffer).copy(page, at, random(PAGE_BYTES), PAGE_BYTES);
        break;
      default:
        page.fill(random(256), at, Math.min(PAGE_BYTES, at + random(64)));
    }
  }
}

test(`${MUTANTS} damaged pages do not throw, hang or fill memory`, { timeout: 600_000 }, () => {
  const random = randomOf(SEED);
  const counters = new FeedCounters();
  let events = 0;
  let longest = 0;
  let scripts = 0;
  const join = new RecordJoin((event) => {
    events++;
    if (!Number.isFinite(timeOf(event))) throw new Error(`an event without a time: ${JSON.stringify(event)}`);
    if (event.type === 'exec') longest = Math.max(longest, event.filename?.length ?? 0, event.interp?.length ?? 0);
    if (event.type === 'exec' && event.interp !== undefined) scripts++;
  });
  const merge = new EventMerge<KernelRecord>((record) => join.take(record));
  const buffer = new PageBuffer(PAGE_BYTES);
  const clock = new HostClock(0n, 1_762_000_000_000n);
  const decoder = new RecordDecoder(formats);
  const stream = new CpuStream(new PageDecoder(layout, clock), decoder, merge, counters, buffer, 0 as EventNs);
  let slowestMs = 0;
  let memoryBefore = 0;
  for (let i = 0; i < MUTANTS; i++) {
    (pages[random(pages.length)] as Buffer).copy(buffer.bytes);
    mutate(buffer.bytes, random);
    const recordsBefore = counters.records;
    const began = performance.now();
    stream.take(random(8) === 0 ? random(PAGE_BYTES + 1) : PAGE_BYTES);
    merge.flush();
    slowestMs = Math.max(slowestMs, performance.now() - began);
    if (counters.records - recordsBefore > MAX_RECORDS)
      throw new Error(`page ${i} of seed ${SEED} has too many records`);
    if (i === MUTANTS >> 1) memoryBefore = process.memoryUsage().heapUsed;
  }

  expect(counters.records).toBeGreaterThan(MUTANTS);
  expect(events).toBeGreaterThan(MUTANTS);
  expect(scripts).toBeGreaterThan(MUTANTS / 100);
  expect(Object.keys(counters.rejected).sort()).toEqual([
    'malformed-page',
    'malformed-record',
    'truncated-page',
    'unknown-event',
  ]);
  expect(longest).toBeLessThanOrEqual(4 * PAGE_BYTES); // a byte that is no text is four characters
  expect(slowestMs).toBeLessThan(MAX_PAGE_MS);
  expect(merge.held).toBe(0);
  expect(process.memoryUsage().heapUsed - memoryBefore).toBeLessThan(MAX_GROWTH_BYTES);
});
