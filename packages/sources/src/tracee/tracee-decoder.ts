// Bytes of NDJSON in, TaskEvents out; every line is one or the other: decoded,
// or counted by the reason why not.

import type { TaskEvent, TimeBase } from '@dendro/protocol';
import type { EventSink } from '../source.ts';
import { checkedEvent, decodeEvent, Rejection, type RejectReason, timeOf } from './decode.ts';
import { parseExactJson } from './exact-json.ts';
import { LineSplitter } from './lines.ts';

/** Longer than any event that Tracee writes. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

export interface TraceeDecoderOptions {
  readonly maxLineBytes?: number | undefined;
  /** Time base of the tree that the events go to, when it has one; otherwise the first event sets it. */
  readonly base?: TimeBase | undefined;
}

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
  constructor(sink: EventSink, { maxLineBytes = MAX_LINE_BYTES, base }: TraceeDecoderOptions = {}) {
    this.#sink = sink;
    this.#base = base;
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

  /** A whole body: lines, or one event that is spread over many. */
  pushAll(body: Uint8Array): void {
    const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString().trim();
    if (isOneObject(text)) {
      this.#line(text);
      return;
    }
    this.push(body);
    this.end();
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

/** Is it JSON as a whole, and more than one line of it? */
function isOneObject(text: string): boolean {
  if (!text.startsWith('{') || !text.includes('\n')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // lines, then
  }
}
