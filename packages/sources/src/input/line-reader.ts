// What the readers of logs have in common: chunks become lines of text, what
// was read of them becomes events, and what could not be used is counted.

import type { EventNs, TaskEvent } from '@dendro/protocol';
import type { EventSink } from '../source.ts';
import { EventGate, type EventGateOptions } from './event-gate.ts';
import { afterByteOrderMark, LineSplitter } from './lines.ts';
import { Rejections } from './rejections.ts';

export interface LineReaderOptions extends EventGateOptions {
  readonly maxLineBytes: number;
  /** Lines that are as good as none. */
  readonly isNone?: ((text: string) => boolean) | undefined;
}

export class LineReader<Reason extends string> {
  readonly #splitter: LineSplitter;
  readonly #gate: EventGate;
  readonly #rejections = new Rejections<Reason | 'line-too-long' | 'time-out-of-range'>();
  readonly #isNone: (text: string) => boolean;
  readonly #take: (text: string) => void;
  /** Of the line that is being read, the first is 1: what is rejected is rejected of it. */
  lineNumber = 0;
  #lines = 0;

  /**
   * @param sink gets `clock` before the first event
   * @param take gets each line, a character for each byte
   */
  constructor(sink: EventSink, take: (text: string) => void, options: LineReaderOptions) {
    this.#take = take;
    this.#isNone = options.isNone ?? (() => false);
    this.#gate = new EventGate(sink, () => this.reject('time-out-of-range'), options);
    this.#splitter = new LineSplitter(options.maxLineBytes, {
      line: (bytes, from, end) => this.#line(bytes, from, end),
      tooLong: () => {
        this.lineNumber++;
        this.#lines++;
        this.reject('line-too-long');
      },
    });
  }

  /** Lines so far, those that are as good as none left out. */
  get lines(): number {
    return this.#lines;
  }

  get rejected(): Readonly<Record<string, number>> {
    return this.#rejections.counts;
  }

  get notices(): string[] {
    return this.#rejections.notices;
  }

  push(chunk: Uint8Array): void {
    this.#splitter.push(chunk);
    this.settle();
  }

  /** The feed is over: what is left is a line. Events may still be given, `settle` comes after the last of them. */
  endLines(): void {
    this.#splitter.end();
  }

  give(epochNs: bigint, make: (at: EventNs) => TaskEvent): void {
    this.#gate.give(epochNs, make);
  }

  /** No event waits for others any longer. */
  settle(): void {
    this.#gate.settle();
  }

  reject(reason: Reason | 'line-too-long' | 'time-out-of-range'): void {
    this.#rejections.add(reason, this.lineNumber);
  }

  #line(bytes: Buffer, begin: number, end: number): void {
    this.lineNumber++;
    const from = this.lineNumber === 1 ? afterByteOrderMark(bytes, begin, end) : begin;
    const text = bytes.toString('latin1', from, end);
    if (text === '' || this.#isNone(text)) return;
    this.#lines++;
    this.#take(text);
  }
}
