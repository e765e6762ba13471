// A Linux audit log in, TaskEvents out. Every line is a record of an event that
// is put together (event-join.ts) and read (processes.ts), or is counted by the
// reason why not.

import { HostFilter } from '../input/host-filter.ts';
import { LineReader } from '../input/line-reader.ts';
import type { EventSink } from '../source.ts';
import { type EventReject, eventTimeInOrder } from './call.ts';
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
  /** Does the log tell of what happens now? Default false. */
  readonly isLive?: boolean | undefined;
}

export class AuditDecoder {
  readonly #reader: LineReader<LineReject | EventReject | 'other-host'>;
  readonly #join: EventJoin;
  readonly #processes: ProcessReader;
  readonly #hosts: HostFilter;
  #records = 0;
  #decoded = 0;
  #refusal: string | undefined;

  /** @param sink gets `clock` before the first event */
  constructor(
    sink: EventSink,
    { maxLineBytes = MAX_LINE_BYTES, hosts = new HostFilter(), isLive }: AuditDecoderOptions = {},
  ) {
    this.#hosts = hosts;
    this.#reader = new LineReader(sink, (text) => this.#line(text), {
      maxLineBytes,
      isLive,
      isNone: isSeparator,
      eventTimeOf: eventTimeInOrder,
    });
    this.#processes = new ProcessReader(this.#reader);
    this.#join = new EventJoin((event) => {
      if (this.#processes.take(event)) this.#decoded++;
    });
  }

  /** Lines so far, empty ones and separators left out. */
  get lines(): number {
    return this.#reader.lines;
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
    return this.#reader.rejected;
  }

  get refusal(): string | undefined {
    return this.#refusal;
  }

  get notices(): string[] {
    return [
      'An audit log tells of what its rules name: births, ends and changes of user are there if clone, exit_group and the like are. Kills by signal and ends of threads are in no log.',
      ...this.#hosts.notices,
      ...this.#reader.notices,
    ];
  }

  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  /** No more records of what waits have come for as long as anybody would wait for them. */
  pause(): void {
    this.#join.end();
    this.#reader.settle();
  }

  /** The feed is over. */
  end(): void {
    this.#reader.endLines();
    this.#join.end();
    this.#processes.end();
    this.#reader.settle();
  }

  #line(text: string): void {
    const record = readAuditLine(text);
    if (typeof record !== 'string') this.#take(record);
    else {
      if (record === 'interpreted' && this.#records === 0) this.#refusal ??= REFUSAL;
      this.#reader.reject(record);
    }
  }

  // A pid of another host is another process.
  #take(record: AuditRecord): void {
    if (!this.#hosts.takes(record.node)) {
      this.#reader.reject('other-host');
      return;
    }
    this.#records++;
    this.#join.add(record);
  }
}
