// Pages of the kernel's ring buffer, as trace_pipe_raw gives them out.
//
//   u64 time of the page   u64 commit   data
//
// commit: the low bits count the bytes of data; bit 31 says that events were
// lost before this page, bit 30 that their number (u64) follows the data.
// A record is one u32, type_len in its low 5 bits and a time delta in the other
// 27, then its payload:
//
//   type_len 1..28   payload of type_len * 4 bytes
//            0       u32 length, which counts itself; then the payload
//            29      padding: delta 0 ends the page, else u32 bytes to skip, which count themselves
//            30      time += delta + (u32 << 27)
//            31      time  = delta + (u32 << 27), with the top 5 bits of the page's time
//
// Little endian, as every machine that Node runs on but s390x. Nothing in a
// page is trusted: every read is checked against the page, every step goes
// forward, and what follows a damaged place is skipped and said so.

import type { EventNs } from '@dendro/protocol';
import type { HostClock } from '../host-clock.ts';
import type { PageLayout } from './format.ts';

const TYPE_PADDING = 29;
const TYPE_TIME_EXTEND = 30;
const TYPE_TIME_STAMP = 31;
const MAX_DATA_TYPE = 28;
const DELTA_WORD = 2 ** 27;
const WORD = 2 ** 32;
const COMMIT_SIZE_MASK = 0xfffff;
const MISSED_EVENTS = 0x8000_0000;
const MISSED_STORED = 0x4000_0000;
/** Top 5 bits of a 64-bit time, in its high word. */
const TIME_STAMP_TOP = 0xf800_0000;
/** High word of 146 years of uptime: more than that is damage, not a time. */
const MAX_TIME_HIGH = 0x4000_0000;

/** The kernel knows that it lost events, but not how many. */
export const LOST_UNKNOWN = -1;

export type PageProblem = 'truncated-page' | 'malformed-page';

export interface PageVisitor {
  /**
   * Called first, unless the page is too damaged to have a time.
   * @param at time of its first record
   * @param lost events lost before it; LOST_UNKNOWN when the kernel does not say how many
   */
  page(at: EventNs, lost: number): void;
  /** Called for each record: its payload is `page[start, end)`. */
  record(start: number, end: number, at: EventNs): void;
}

export class PageDecoder {
  readonly #layout: PageLayout;
  readonly #clock: HostClock;

  constructor(layout: PageLayout, clock: HostClock) {
    this.#layout = layout;
    this.#clock = clock;
  }

  /**
   * Reads one page. Hot: the loop runs once per event.
   * @param length bytes of `page` that were read; nothing behind them is looked at
   * @returns what was wrong with it. The records before the damaged place have been visited.
   */
  decode(page: DataView, length: number, visitor: PageVisitor): PageProblem | undefined {
    const { timestampOffset, commitOffset, dataOffset, sizeBytes } = this.#layout;
    if (length < dataOffset) return 'truncated-page';

    const pageHigh = page.getUint32(timestampOffset + 4, true);
    const pageLow = page.getUint32(timestampOffset, true);
    const commit = page.getUint32(commitOffset, true);
    const usedEnd = dataOffset + (commit & COMMIT_SIZE_MASK);
    if (usedEnd > sizeBytes || pageHigh >= MAX_TIME_HIGH) return 'malformed-page';
    let at = this.#clock.fromBootNs(pageHigh, pageLow) as number;
    visitor.page(at as EventNs, (commit & MISSED_EVENTS) === 0 ? 0 : readLost(page, commit, usedEnd, length));

    const isTruncated = usedEnd > length;
    const end = isTruncated ? length : usedEnd;
    const cut: PageProblem = isTruncated ? 'truncated-page' : 'malformed-page';
    let position = dataOffset;
    while (position < end) {
      if (position + 4 > end) return cut;
      const header = page.getUint32(position, true);
      const type = header & 31;
      const delta = header >>> 5;
      if (type !== 0 && type <= MAX_DATA_TYPE) {
        const start = position + 4;
        position = start + type * 4;
        if (position > end) return cut;
        at += delta;
        visitor.record(start, position, at as EventNs);
        continue;
      }
      if (type === TYPE_PADDING && delta === 0) break;
      if (position + 8 > end) return cut;
      const word = page.getUint32(position + 4, true);
      if (type === TYPE_TIME_EXTEND) {
        at += delta + word * DELTA_WORD;
        position += 8;
      } else if (type === TYPE_TIME_STAMP) {
        at = this.#absoluteTime(pageHigh, pageLow, delta, word);
        position += 8;
      } else {
        // A length counts itself, so less than 4 would not go forward.
        if (word < 4 || (word & 3) !== 0) return 'malformed-page';
        const start = position + 8;
        position += 4 + word;
        if (position > end) return cut;
        at += delta;
        if (type === TYPE_PADDING) continue; // an event that the kernel took back
        visitor.record(start, position, at as EventNs);
      }
    }
    return isTruncated ? 'truncated-page' : undefined;
  }

  #absoluteTime(pageHigh: number, pageLow: number, delta: number, word: number): number {
    const low = (((word & 31) << 27) | delta) >>> 0;
    let high = ((word >>> 5) | (pageHigh & TIME_STAMP_TOP)) >>> 0;
    // The lower 59 bits ran over since the page began (every 18 years).
    if (high < pageHigh || (high === pageHigh && low < pageLow)) high += 1 << 27;
    return this.#clock.fromBootNs(high, low);
  }
}

function readLost(page: DataView, commit: number, usedEnd: number, length: number): number {
  if ((commit & MISSED_STORED) === 0 || usedEnd + 8 > length) return LOST_UNKNOWN;
  const count = page.getUint32(usedEnd + 4, true) * WORD + page.getUint32(usedEnd, true);
  return count > 0 && Number.isSafeInteger(count) ? count : LOST_UNKNOWN;
}
