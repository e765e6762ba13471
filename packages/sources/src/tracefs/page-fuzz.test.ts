// Real pages, damaged in a million ways, through all that reads live pages: no
// throw, no hang, no memory that grows. page.prop.test.ts says what each single
// answer must be like.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventNs } from '@dendro/protocol';
import { expect, test } from 'vitest';
import { HostClock } from '../host-clock.ts';
import type { EventSink } from '../source.ts';
import { Changes } from './changes.ts';
import { CpuStream, FeedCounters, PageBuffer } from './cpu-stream.ts';
import { RecordDecoder } from './decode.ts';
import { type EventFormat, type PageLayout, parseEventFormat, parsePageLayout } from './format.ts';
import type { KernelRecord } from './kernel-record.ts';
import { EventMerge, timeOf } from './merge.ts';
import { PageDecoder } from './page.ts';
import { RecordJoin } from './record-join.ts';

const RECORDINGS = join(import.meta.dirname, '../../../testkit/recordings');
const PAGE_BYTES = 4096;
/** Of each recording. */
const MUTANTS = 500_000;
const SEED = Number(process.env['DENDRO_SEED'] ?? 0x5eed);
/** More records do not fit into a page: each takes eight bytes or more. */
const MAX_RECORDS = PAGE_BYTES / 8;
/** A page is read within some 50 µs; a loop without an end would never. */
const MAX_PAGE_MS = 2000;
const MAX_GROWTH_BYTES = 64 * 1024 * 1024;

interface Recorded {
  readonly formats: readonly EventFormat[];
  readonly layout: PageLayout;
  readonly pages: readonly Buffer[];
}

function readRecording(name: string): Recorded {
  const folder = join(RECORDINGS, name);
  const formats = readdirSync(join(folder, 'formats'))
    .filter((file) => file.endsWith('.format'))
    .map((file) => parseEventFormat(readFileSync(join(folder, 'formats', file), 'utf8')));
  const layout = parsePageLayout(readFileSync(join(folder, 'formats/header_page'), 'utf8'));
  const pages = ['cpu0.raw', 'cpu1.raw'].flatMap((file) => {
    const bytes = readFileSync(join(folder, file));
    return Array.from({ length: bytes.length / PAGE_BYTES }, (_, i) =>
      bytes.subarray(PAGE_BYTES * i, PAGE_BYTES * (i + 1)),
    );
  });
  return { formats, layout, pages };
}

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
function mutate(page: Buffer, { layout, pages }: Recorded, random: (below: number) => number): void {
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

test.each(
  // Births, programs and ends; and what a process changes of itself.
  ['core-strace', 'changes'],
)(`${MUTANTS} damaged pages of %s do not throw, hang or fill memory`, { timeout: 600_000 }, (name) => {
  const recorded = readRecording(name);
  const { formats, layout, pages } = recorded;
  const random = randomOf(SEED);
  const counters = new FeedCounters();
  let events = 0;
  let longest = 0;
  let scripts = 0;
  let moves = 0;
  let changed = 0;
  const sink: EventSink = (event) => {
    events++;
    if (!Number.isFinite(timeOf(event))) throw new Error(`an event without a time: ${JSON.stringify(event)}`);
    if (event.type === 'exec') longest = Math.max(longest, event.filename?.length ?? 0, event.interp?.length ?? 0);
    if (event.type === 'exec' && event.interp !== undefined) scripts++;
    if (event.type === 'container') moves++;
  };
  // Nothing that has changed is ever read: what waits for that must not be without end.
  const changes = new Changes({
    sink,
    reader: { noteChanged: () => changed++, lastReadingOf: () => undefined },
    lost: () => counters.lost,
  });
  const records = new RecordJoin(sink, { changes, hierarchies: [0] });
  const merge = new EventMerge<KernelRecord>((record) => records.take(record));
  const buffer = new PageBuffer(PAGE_BYTES);
  const clock = new HostClock(0n, 1_762_000_000_000n);
  const decoder = new RecordDecoder(formats);
  const stream = new CpuStream(new PageDecoder(layout, clock), decoder, merge, counters, buffer, 0 as EventNs);
  let slowestMs = 0;
  let memoryBefore = 0;
  for (let i = 0; i < MUTANTS; i++) {
    (pages[random(pages.length)] as Buffer).copy(buffer.bytes);
    mutate(buffer.bytes, recorded, random);
    const recordsBefore = counters.records;
    const began = performance.now();
    stream.take(random(8) === 0 ? random(PAGE_BYTES + 1) : PAGE_BYTES);
    merge.flush();
    changes.settle(stream.lastAt);
    slowestMs = Math.max(slowestMs, performance.now() - began);
    if (counters.records - recordsBefore > MAX_RECORDS)
      throw new Error(`page ${i} of seed ${SEED} has too many records`);
    if (i === MUTANTS >> 1) memoryBefore = process.memoryUsage().heapUsed;
  }

  expect(counters.records).toBeGreaterThan(MUTANTS);
  expect(events).toBeGreaterThan(MUTANTS);
  expect(scripts).toBeGreaterThan(MUTANTS / 100);
  // The first page that tells of a second hierarchy ends what a move says by itself.
  expect(moves > 1000 && changed > MUTANTS).toBe(name === 'changes');
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
