// The pages of one CPU, one after the other: live or from a recording.

import type { EventNs } from '@dendro/protocol';
import type { RecordDecoder } from './decode.ts';
import type { ExecReader } from './exec-reader.ts';
import type { KernelRecord } from './kernel-record.ts';
import type { EventMerge } from './merge.ts';
import { LOST_UNKNOWN, type PageDecoder, type PageVisitor } from './page.ts';

/** What all streams of a source have read. */
export class FeedCounters {
  records = 0;
  lost = 0;
  readonly rejected: Record<string, number> = {};

  reject(reason: string): void {
    this.rejected[reason] = (this.rejected[reason] ?? 0) + 1;
  }
}

/** A page of memory with the two views that reading it takes. */
export class PageBuffer {
  readonly bytes: Buffer;
  readonly view: DataView;

  constructor(sizeBytes: number) {
    this.bytes = Buffer.alloc(sizeBytes);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, sizeBytes);
  }
}

/** Decodes the pages of one CPU into the merge. Decoders and counters are shared by all CPUs of a source. */
export class CpuStream implements PageVisitor {
  /** Time of the newest record read: nothing earlier comes from this CPU any more. */
  lastAt: EventNs;
  /** Events lost since the buffer was last emptied, as far as was said. */
  #lost = 0;
  /** How many of those the kernel's count has told before any page did. */
  #lostAhead = 0;
  readonly #pages: PageDecoder;
  readonly #records: RecordDecoder;
  readonly #merge: EventMerge<KernelRecord>;
  readonly #counters: FeedCounters;
  readonly #buffer: PageBuffer;
  readonly #execs: ExecReader | undefined;

  /**
   * @param startAt nothing in the stream is earlier: where a gap begins when the first page tells of one
   * @param execs is told at once who has called exec
   */
  constructor(
    pages: PageDecoder,
    records: RecordDecoder,
    merge: EventMerge<KernelRecord>,
    counters: FeedCounters,
    buffer: PageBuffer,
    startAt: EventNs,
    execs?: ExecReader,
  ) {
    this.#pages = pages;
    this.#records = records;
    this.#merge = merge;
    this.#counters = counters;
    this.#buffer = buffer;
    this.lastAt = startAt;
    this.#execs = execs;
  }

  /** Takes the first `length` bytes of the buffer as this CPU's next page. */
  take(length: number): void {
    const problem = this.#pages.decode(this.#buffer.view, length, this);
    if (problem !== undefined) this.#counters.reject(problem);
  }

  /** Says that events were lost between the newest record and `to`. */
  reportLost(lost: number, to: EventNs): void {
    this.#lost += lost;
    this.#counters.lost += lost;
    this.#merge.push({ type: 'gap', from: this.lastAt, to: Math.max(this.lastAt, to) as EventNs, lost });
  }

  /**
   * Compares with the kernel's own count of what this CPU has lost since its buffer was emptied. It is exact
   * where a page may not know how many, and it counts events that no page tells of.
   */
  compareLost(total: number, now: EventNs): void {
    const missing = total - this.#lost;
    if (missing <= 0) return;
    this.#lostAhead += missing;
    this.reportLost(missing, now);
  }

  /** The buffer was emptied and the kernel counts anew. */
  restart(): void {
    this.#lost = 0;
    this.#lostAhead = 0;
  }

  page(at: EventNs, lost: number): void {
    if (lost !== 0) this.#takeLost(lost, at);
    if (at > this.lastAt) this.lastAt = at;
  }

  /** What the kernel's count has told of before is not counted again; but only the page says until when events were lost. */
  #takeLost(lost: number, at: EventNs): void {
    const ahead = this.#lostAhead;
    // At least what was counted: that was lost before this page, and so was perhaps more.
    const atLeast = lost === LOST_UNKNOWN ? Math.max(1, ahead) : lost;
    const known = Math.min(atLeast, ahead);
    this.#lostAhead -= known;
    this.reportLost(atLeast - known, at);
  }

  record(start: number, end: number, at: EventNs): void {
    this.#counters.records++;
    if (at > this.lastAt) this.lastAt = at;
    const event = this.#records.decode(this.#buffer.view, this.#buffer.bytes, start, end, at);
    if (event !== undefined) {
      this.#merge.push(event);
      if (event.type === 'exec') this.#execs?.note(event.pid);
    } else if (this.#records.problem !== undefined) this.#counters.reject(this.#records.problem);
  }
}
