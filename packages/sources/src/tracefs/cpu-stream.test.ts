import type { EventNs, GapEvent } from '@dendro/protocol';
import { beforeEach, expect, test } from 'vitest';
import { CpuStream, FeedCounters, PageBuffer } from './cpu-stream.ts';
import type { KernelRecord } from './kernel-record.ts';
import { EventMerge } from './merge.ts';
import { LOST_UNKNOWN } from './page.ts';

const at = (ns: number) => ns as EventNs;

let counters: FeedCounters;
let merge: EventMerge<KernelRecord>;
let stream: CpuStream;
let gaps: number[][] = [];

// Pages are told of here and not decoded, so no decoder is ever called.
const NO_DECODER = undefined as never;

beforeEach(() => {
  gaps = [];
  counters = new FeedCounters();
  merge = new EventMerge((event) => {
    const { from, to, lost } = event as GapEvent;
    gaps.push([from, to, lost]);
  });
  stream = new CpuStream(NO_DECODER, NO_DECODER, merge, counters, new PageBuffer(16), at(0));
});

test('a page that tells of losses ends a gap that began at the record before', () => {
  stream.page(at(10), 0);
  stream.page(at(50), 7);
  merge.flush();
  expect(gaps).toEqual([[10, 50, 7]]);
});

test('losses that the count told of first are counted once, and the gap goes on to the page', () => {
  stream.page(at(10), 0);
  stream.compareLost(7, at(20));
  stream.page(at(50), 9);
  merge.flush();
  expect(gaps).toEqual([
    [10, 20, 7],
    [10, 50, 2],
  ]);
  expect(counters.lost).toBe(9);
});

test('a page that does not know how many were lost hides no later loss', () => {
  stream.page(at(10), 0);
  stream.compareLost(7, at(20));
  stream.page(at(50), LOST_UNKNOWN);
  stream.page(at(90), 4);
  stream.compareLost(15, at(100));
  merge.flush();
  expect(gaps).toEqual([
    [10, 20, 7],
    [10, 50, 0],
    [50, 90, 4],
    [90, 100, 4],
  ]);
  expect(counters.lost).toBe(15);
});
