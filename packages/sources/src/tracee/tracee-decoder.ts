// Bytes of NDJSON in, TaskEvents out; every line is one or the other: decoded,
// or counted by the reason why not.

import type { TaskEvent, TimeBase } from '@dendro/protocol';
import type { EventSink } from '../source.ts';
import { checkedEvent, decodeEvent, Rejection, type RejectReason, timeOf } from './decode.ts';
import { parseExactJson } from './exact-json.ts';
import { LineSplitter } from './lines.ts';

/** Longer than any event that Tracee writes. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

export class TraceeDecoder {
  readonly #sink: EventSink;
  readonly #splitter: LineSplitter;
  readonly #rejected: Record<string, number> = {};
  readonly #firstLines = new Map<RejectReason, number>();
  readonly #events: TaskEvent[] = [];
  #base: TimeBase | undefined;
  #lines = 0;
  #decoded = 0;
  #isAtEnd = false;

  /** @param sink gets `clock` before the first event */
  constructor(sink: EventSink, maxLineBytes = MAX_LINE_BYTES) {
    this.#sink = sink;
    this.#splitter = new LineSplitter(maxLineBytes, {
      line: (text) => this.#line(text),
      tooLong: () => {
        this.#lines++;
        this.#reject('line-too-long');
      },
    });
  }

  /** Lines so far, empty ones left out. */
  get lines(): number {
    return this.#lines;
  }

  /** Lines that gave events. */
  get decoded(): number {
    return this.#decoded;
  }

  get rejected(): Readonly<Record<string, number>> {
    return this.#rejected;
  }

  /** For people: where each kind of rejection was met first. The lines themselves may hold secrets. */
  get notices(): string[] {
    return [...this.#firstLines].map(([reason, line]) => `The first line rejected as ${reason} is line ${line}.`);
  }

  push(chunk: Uint8Array): void {
    this.#splitter.push(chunk);
  }

  /** The feed is over: a last line without an end is taken as it is. */
  end(): void {
    this.#isAtEnd = true;
    this.#splitter.end();
  }

  #line(text: string): void {
    if (text === '') return;
    this.#lines++;
    try {
      const event = checkedEvent(this.#parse(text));
      const base = this.#base ?? { epochNs: timeOf(event) };
      decodeEvent(event, base, this.#events);
      if (this.#base === undefined) {
        this.#base = base;
        this.#sink({ type: 'clock', epochNs: base.epochNs });
      }
      this.#decoded++;
      for (const one of this.#events) this.#sink(one);
      this.#events.length = 0;
    } catch (thrown) {
      if (!(thrown instanceof Rejection)) throw thrown;
      this.#reject(thrown.reason);
    }
  }

  #parse(text: string): unknown {
    try {
      return parseExactJson(text);
    } catch {
      throw new Rejection(this.#isAtEnd ? 'truncated' : 'not-json');
    }
  }

  #reject(reason: RejectReason): void {
    this.#rejected[reason] = (this.#rejected[reason] ?? 0) + 1;
    if (!this.#firstLines.has(reason)) this.#firstLines.set(reason, this.#lines);
  }
}
