// A Linux audit log in, TaskEvents out. Every line is a record of an event that
// is put together (event-join.ts) and read (processes.ts), or is counted by the
// reason why not.

import { EventGate } from '../input/event-gate.ts';
import { HostFilter } from '../input/host-filter.ts';
import { afterByteOrderMark, LineSplitter } from '../input/lines.ts';
import { Rejections } from '../input/rejections.ts';
import type { EventSink } from '../source.ts';
import type { EventReject } from './call.ts';
import { EventJoin } from './event-join.ts';
import { ProcessReader } from './processes.ts';
import { type AuditRecord, isSeparator, type LineReject, readAuditLine } from './record.ts';

/** The kernel cuts records at some kilobytes. */
const MAX_LINE_BYTES = 1024 * 1024;

const REFUSAL =
  'its records are written out for people, as ausearch -i does it; give it the log itself, or ausearch --raw';

export interface AuditDecoderOptions {
  readonly maxLineBytes?: number | undefined;
  readonly hosts?: HostFilter | undefined;
}

export class AuditDecoder {
  readonly #splitter: LineSplitter;
  readonly #gate: EventGate;
  readonly #join: EventJoin;
  readonly #processes: ProcessReader;
  readonly #rejections = new Rejections<LineReject | EventReject | 'other-host' | 'line-too-long'>();
  readonly #hosts: HostFilter;
  #lineNumber = 0;
  #lines = 0;
  #records = 0;
  #decoded = 0;
  #refusal: string | undefined;

  /** @param sink gets `clock` before the first event */
  constructor(sink: EventSink, { maxLineBytes = MAX_LINE_BYTES, hosts = new HostFilter() }: AuditDecoderOptions = {}) {
    this.#hosts = hosts;
    this.#gate = new EventGate(sink, () => this.#reject('time-out-of-range'));
    this.#processes = new ProcessReader({
      give: (epochNs, make) => this.#gate.give(epochNs, make),
      reject: (reason) => this.#reject(reason),
    });
    this.#join = new EventJoin((event) => {
      if (this.#processes.take(event)) this.#decoded++;
    });
    this.#splitter = new LineSplitter(maxLineBytes, {
      line: (bytes, from, end) => this.#line(bytes, from, end),
      tooLong: () => {
        this.#lineNumber++;
        this.#lines++;
        this.#reject('line-too-long');
      },
    });
  }

  /** Lines so far, empty ones and separators left out. */
  get lines(): number {
    return this.#lines;
  }

  /** Lines that are records of events about processes. */
  get records(): number {
    return this.#records;
  }

  /** Events of which something could be read; each is many lines. */
  get decoded(): number {
    return this.#decoded;
  }

  get rejected(): Readonly<Record<string, number>> {
    return this.#rejections.counts;
  }

  get refusal(): string | undefined {
    return this.#refusal;
  }

  get notices(): string[] {
    return [
      'An audit log tells of what its rules name: births, ends and changes of user are there if clone, exit_group and the like are. Kills by signal and ends of threads are in no log.',
      ...this.#hosts.notices,
      ...this.#rejections.notices,
    ];
  }

  push(chunk: Uint8Array): void {
    this.#splitter.push(chunk);
    this.#gate.settle();
  }

  /** No more records of what waits have come for as long as anybody would wait for them. */
  pause(): void {
    this.#join.end();
    this.#gate.settle();
  }

  /** The feed is over. */
  end(): void {
    this.#splitter.end();
    this.#join.end();
    this.#processes.end();
    this.#gate.settle();
  }

  #line(bytes: Buffer, begin: number, end: number): void {
    this.#lineNumber++;
    const from = this.#lineNumber === 1 ? afterByteOrderMark(bytes, begin, end) : begin;
    const text = bytes.toString('latin1', from, end);
    if (text === '' || isSeparator(text)) return;
    this.#lines++;
    const record = readAuditLine(text);
    if (typeof record !== 'string') this.#take(record);
    else {
      if (record === 'interpreted' && this.#records === 0) this.#refusal ??= REFUSAL;
      this.#reject(record);
    }
  }

  // A pid of another host is another process.
  #take(record: AuditRecord): void {
    if (!this.#hosts.takes(record.node)) {
      this.#reject('other-host');
      return;
    }
    this.#records++;
    this.#join.add(record);
  }

  #reject(reason: LineReject | EventReject | 'other-host' | 'line-too-long'): void {
    this.#rejections.add(reason, this.#lineNumber);
  }
}
