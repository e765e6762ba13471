// Bytes of NDJSON in, TaskEvents out; every line is one or the other: decoded,
// or counted by the reason why not. Lines as Tracee writes them are scanned
// (line-scanner.ts); those that are unusual, and the first ones, which say what
// time it is, are parsed as a whole.

import type { TaskEvent, TimeBase } from '@dendro/protocol';
import { HostFilter } from '../input/host-filter.ts';
import { afterByteOrderMark, LineSplitter } from '../input/lines.ts';
import type { EventSink } from '../source.ts';
import { Announcements, isAnnouncement } from './announcements.ts';
import { type Context, contextOf, isContained } from './context.ts';
import { decodeEvent, lifecycleEvent } from './decode.ts';
import { parseExactJson } from './exact-json.ts';
import { type Json, Rejection, type RejectReason } from './fields.ts';
import { LineScanner } from './line-scanner.ts';
import { SplitBase } from './time-reader.ts';

/** Longer than any event that Tracee writes. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;
/** So many events, at most, say together what time it was when the feed began. */
const MAX_EARLY = 64;
/** The year 2000. Old releases can write times since boot, which say nothing of the date. */
const EARLIEST_DATE_NS = 946_684_800_000_000_000n;

/** As far from its base a time is exact in a double: 104 days. */
const MAX_EXACT_NS = Number.MAX_SAFE_INTEGER;

const LF = 10;
const OPEN_BRACE = 0x7b;
/** One for all decoders: what it has learned of Tracee's lines is good for the next body that is posted. */
const scanner = new LineScanner();

export interface TraceeDecoderOptions {
  readonly maxLineBytes?: number | undefined;
  /** Time base of the tree that the events go to, when it has one; otherwise the first event sets it. */
  readonly base?: TimeBase | undefined;
  /** Which host's events are taken; shared by all that feed one tree. */
  readonly hosts?: HostFilter | undefined;
  /** What is said of no task, kept where a feed comes in many bodies. */
  readonly announcements?: Announcements | undefined;
  /**
   * Event time after which nothing is taken; otherwise as far from the base as a double is exact, 104 days. A feed of
   * what happens now goes on for longer than that, a nanosecond or two less exact.
   */
  readonly latest?: number | undefined;
}

interface EarlyEvent {
  readonly context: Context;
  readonly lineNumber: number;
}

export class TraceeDecoder {
  readonly #sink: EventSink;
  readonly #latest: number;
  readonly #splitter: LineSplitter;
  readonly #hosts: HostFilter;
  readonly #announcements: Announcements;
  readonly #rejected: Record<string, number> = {};
  readonly #firstLines = new Map<RejectReason, number>();
  #base: TimeBase | undefined;
  #splitBase: SplitBase | undefined;
  /** Events that wait for the base; not beyond the chunk that they came in. */
  #early: EarlyEvent[] = [];
  /** Of the line that is being read, the first is 1. */
  #lineNumber = 0;
  #lines = 0;
  #unit: 'line' | 'event' = 'line';
  #decoded = 0;
  #scanned = 0;
  #isAtEnd = false;
  /** Times count from the start of the host, and it is known when that was. */
  #hasDate = false;

  /** @param sink gets `clock` before the first event */
  constructor(
    sink: EventSink,
    {
      maxLineBytes = MAX_LINE_BYTES,
      base,
      latest = MAX_EXACT_NS,
      hosts = new HostFilter(),
      announcements = new Announcements(),
    }: TraceeDecoderOptions = {},
  ) {
    this.#sink = sink;
    this.#latest = latest;
    this.#hosts = hosts;
    this.#announcements = announcements;
    if (base !== undefined) this.#setBase(base);
    this.#splitter = new LineSplitter(maxLineBytes, {
      line: (bytes, from, end) => this.#line(bytes, from, end),
      tooLong: () => {
        this.#lineNumber++;
        this.#lines++;
        this.#reject('line-too-long', this.#lineNumber);
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

  /** Lines that were scanned and not parsed: where they are few, decoding is slow. */
  get scanned(): number {
    return this.#scanned;
  }

  get rejected(): Readonly<Record<string, number>> {
    return this.#rejected;
  }

  /** For people: where each kind of rejection was met first. The lines themselves may hold secrets. */
  get notices(): string[] {
    const notices = [...this.#firstLines].map(
      ([reason, line]) => `The first ${this.#unit} rejected as ${reason} is ${this.#unit} ${line}.`,
    );
    notices.push(...this.#hosts.notices, ...this.#announcements.notices);
    if (this.#isSinceBoot && !this.#hasDate) {
      notices.push('The times in it count from the start of the host, not from 1970: the dates shown are wrong.');
    }
    return notices;
  }

  /** One event that is no line: parsed already, and from elsewhere. */
  pushEvent(event: unknown): void {
    this.#unit = 'event';
    this.#lineNumber++;
    this.#lines++;
    this.#takeIn(lifecycleEvent(event));
    this.#settleBase();
  }

  push(chunk: Uint8Array): void {
    this.#splitter.push(chunk);
    this.#settleBase();
  }

  /** The feed, or a part of it, is over: a last line without an end is taken as it is. */
  end(): void {
    this.#isAtEnd = true;
    this.#splitter.end();
    this.#settleBase();
    this.#isAtEnd = false;
  }

  /** A whole body: lines, or one event that is spread over many. */
  pushAll(body: Uint8Array): void {
    const text = body.subarray(afterByteOrderMark(body, 0, body.length));
    const object = oneObject(Buffer.from(text.buffer, text.byteOffset, text.length));
    if (object === undefined) this.push(text);
    else this.#line(object, 0, object.length);
    this.end();
  }

  #line(bytes: Buffer, begin: number, end: number): void {
    this.#lineNumber++;
    const from = this.#lineNumber === 1 ? afterByteOrderMark(bytes, begin, end) : begin;
    if (from === end) return;
    this.#lines++;
    const base = this.#splitBase;
    if (base === undefined || !this.#scan(bytes, from, end, base)) this.#parseLine(bytes.toString('utf8', from, end));
  }

  /** @returns false when the line has to be parsed */
  #scan(bytes: Buffer, from: number, end: number, base: SplitBase): boolean {
    const outcome = scanner.scan(bytes, from, end, base);
    if (outcome === 'unsure') return false;
    this.#scanned++;
    if (outcome === 'other') {
      this.#reject('not-a-lifecycle-event', this.#lineNumber);
      return true;
    }
    const { first, second } = scanner;
    if (!this.#hosts.takes(scanner.hostName, scanner.isContained)) {
      this.#reject('other-host', this.#lineNumber);
      return true;
    }
    if (!this.#isInTime(first ?? second)) return true;
    this.#decoded++;
    if (first !== undefined) this.#sink(first);
    if (second !== undefined) this.#sink(second);
    return true;
  }

  #parseLine(text: string): void {
    this.#takeIn(this.#parse(text));
  }

  #takeIn(event: Json | RejectReason): void {
    const context = typeof event === 'string' ? event : attempt(() => this.#contextOf(event));
    if (typeof context === 'string') this.#reject(context, this.#lineNumber);
    else if (context === undefined) this.#decoded++;
    else if (this.#base === undefined) this.#hold(context);
    else this.#decode(context, this.#base, this.#lineNumber);
  }

  /** @returns undefined when the event is of no task @throws Rejection */
  #contextOf(event: Json): Context | undefined {
    const name = String(event['eventName'] ?? event['name']);
    if (isAnnouncement(name)) {
      this.#announcements.take(name, event);
      return undefined;
    }
    const context = contextOf(event);
    if (!this.#hosts.takes(context.hostName, isContained(context, context.nsPid))) throw new Rejection('other-host');
    return context;
  }

  #parse(text: string): Json | RejectReason {
    try {
      return lifecycleEvent(parseExactJson(text));
    } catch {
      return this.#isAtEnd ? 'truncated' : 'not-json';
    }
  }

  #decode(context: Context, base: TimeBase, lineNumber: number): void {
    const events = attempt(() => decodeEvent(context, base));
    if (typeof events === 'string') {
      this.#reject(events, lineNumber);
      return;
    }
    if (!this.#isInTime(events[0], lineNumber)) return;
    this.#decoded++;
    for (const one of events) this.#sink(one);
  }

  // Only its own time: the start of an old daemon is further away, and nobody would want to miss what it does. The
  // events of a line have one time.
  #isInTime(event: TaskEvent | undefined, lineNumber = this.#lineNumber): boolean {
    if (event === undefined || !('at' in event)) return true;
    const isIn = event.at >= -MAX_EXACT_NS && event.at <= this.#latest;
    if (!isIn) this.#reject('time-out-of-range', lineNumber);
    return isIn;
  }

  #hold(context: Context): void {
    this.#early.push({ context, lineNumber: this.#lineNumber });
    if (this.#early.length >= MAX_EARLY) this.#settleBase();
  }

  // The base is the time of the first event. Should that be a wild one, all others would be too far away from it:
  // so it is the first that is near to what most say.
  #settleBase(): void {
    const early = this.#early;
    if (early.length === 0) return;
    this.#early = [];
    const times = early.map(({ context }) => context.epochNs).sort((a, b) => (a < b ? -1 : 1));
    const middle = times[times.length >> 1] ?? 0n;
    const first = early.find(({ context }) => isNear(context.epochNs, middle));
    const base = { epochNs: first?.context.epochNs ?? middle };
    this.#setBase(base);
    const bootNs = this.#isSinceBoot ? this.#announcements.bootEpochNs : undefined;
    this.#hasDate = bootNs !== undefined;
    this.#sink({ type: 'clock', epochNs: base.epochNs + (bootNs ?? 0n) });
    for (const { context, lineNumber } of early) this.#decode(context, base, lineNumber);
  }

  get #isSinceBoot(): boolean {
    return this.#base !== undefined && this.#base.epochNs < EARLIEST_DATE_NS;
  }

  #setBase(base: TimeBase): void {
    this.#base = base;
    this.#splitBase = new SplitBase(base);
  }

  #reject(reason: RejectReason, lineNumber: number): void {
    this.#rejected[reason] = (this.#rejected[reason] ?? 0) + 1;
    if (!this.#firstLines.has(reason)) this.#firstLines.set(reason, lineNumber);
  }
}

function attempt<T>(read: () => T): T | RejectReason {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof Rejection) return thrown.reason;
    throw thrown;
  }
}

function isNear(time: bigint, other: bigint): boolean {
  const distance = time - other;
  return distance <= MAX_EXACT_NS && distance >= -MAX_EXACT_NS;
}

/** The body without blanks around it, when it is JSON as a whole and more than one line of it. */
function oneObject(body: Buffer): Buffer | undefined {
  const firstEnd = body.indexOf(LF);
  if (firstEnd < 0 || (body[0] === OPEN_BRACE && isJson(body.toString('utf8', 0, firstEnd)))) return undefined;
  const text = body.toString().trim();
  return text.startsWith('{') && text.includes('\n') && isJson(text) ? Buffer.from(text) : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
