// Records per second from pages to events in order of time. Each iteration reads
// the twelve pages of core-strace a hundred times: 92,500 records.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventNs } from '@dendro/protocol';
import { test } from 'vitest';
import { HostClock } from '../host-clock.ts';
import { CpuStream, FeedCounters, PageBuffer } from './cpu-stream.ts';
import { RecordDecoder } from './decode.ts';
import { parseEventFormat, parsePageLayout } from './format.ts';
import type { KernelRecord } from './kernel-record.ts';
import { EventMerge } from './merge.ts';
import { PageDecoder } from './page.ts';
import { RecordJoin } from './record-join.ts';

const RECORDING = join(import.meta.dirname, '../../../testkit/recordings/core-strace');
const FORMATS = join(RECORDING, 'formats');
const formats = readdirSync(FORMATS)
  .filter((name) => name.endsWith('.format'))
  .map((name) => parseEventFormat(readFileSync(join(FORMATS, name), 'latin1')));
const layout = parsePageLayout(readFileSync(join(FORMATS, 'header_page'), 'latin1'));
const recorded = ['cpu0.raw', 'cpu1.raw'].map((name) => readFileSync(join(RECORDING, name)));

function decodeAll(): void {
  const clock = new HostClock(0n, 1_762_210_202_975n);
  const buffer = new PageBuffer(layout.sizeBytes);
  let emitted = 0;
  const join = new RecordJoin(() => emitted++);
  const merge = new EventMerge<KernelRecord>((record) => join.take(record));
  const pages = new PageDecoder(layout, clock);
  const records = new RecordDecoder(formats);
  const counters = new FeedCounters();
  const cpus = recorded.map(() => new CpuStream(pages, records, merge, counters, buffer, 0 as EventNs));
  for (let round = 0; round < 100; round++) {
    recorded.forEach((bytes, cpu) => {
      for (let at = 0; at < bytes.length; at += layout.sizeBytes) {
        bytes.copy(buffer.bytes, 0, at, at + layout.sizeBytes);
        cpus[cpu]?.take(layout.sizeBytes);
      }
    });
    merge.release(Number.POSITIVE_INFINITY);
  }
  if (counters.records !== 92_500) throw new Error(`92,500 records expected, got ${counters.records}`);
}

test('decoding', async ({ bench }) => {
  await bench('decode and merge 92,500 records', decodeAll).run();
});
