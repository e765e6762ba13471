// Bytes of NDJSON in, TaskEvents out; every line is one or the other: decoded,
// or counted by the reason why not. Lines as Tracee writes them are scanned
// (line-scanner.ts); those that are unusual, and the first ones, which say what
// time it is, are parsed as a whole.

import { epochOf, type TaskEvent, type TimeBase } from '@dendro/protocol';
import { afterByteOrderMark, LineSplitter } from '../input/lines.ts';
import type { EventSink } from '../source.ts';
import { isAnnouncement } from './announcements.ts';
import { announcingHost, type Context, contextOf, isContained } from './context.ts';
import { decodeEvent, lifecycleEvent } from './decode.ts';
import { parseExactJson } from './exact-json.ts';
import { type Json, Rejection, type RejectReason } from './fields.ts';
import { type FeedHost, type HostHint, HostSplit, MAX_HOST_NAME } from './host-split.ts';
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

const OF_NO_TASK = { isContained: false, container: undefined, tid: 0, startEpochNs: undefined };
const HOST_NAME_KEY = Buffer.from('"hostName":"');
const QUOTE = 0x22;
const LF = 10;
const OPEN_BRACE = 0x7b;
/** One for all decoders: what it has learned of Tracee's lines is good for the next body that is posted. */
const scanner = new LineScanner();

export interface TraceeDecoderOptions {
  readonly maxLineBytes?: number | undefined;
  /** What the times of each host count from; otherwise its tree says it, and if that has no events either, the first event. */
  readonly base?: TimeBase | undefined;
  /** Which host an event is of; shared by all that feed the same trees. */
  readonly hosts?: HostSplit | undefined;
  /** Whose an event is that does not say it, and of which nobody knows. */
  readonly fallback?: FeedHost | undefined;
  /**
   * Event time after which nothing is taken; otherwise as far from the base as a double is exact, 104 days. A feed of
   * what happens now goes on for longer than that, a nanosecond or two less exact.
   */
  readonly latest?: number | ((host: FeedHost) => number) | undefined;
}

interface EarlyEvent {
  readonly context: Context;
  readonly lineNumber: number;
}

/** How far the decoder is with a host. */
interface HostState {
  readonly host: FeedHost;
  readonly latest: number;
  base: TimeBase | undefined;
  splitBase: SplitBase | undefined;
  /** Events that wait for the base; not beyond the chunk that they came in. */
  early: EarlyEvent[];
  /** Times count from the start of the host, and it is known when that was. */
  hasDate: boolean;
}

export class TraceeDecoder {
  readonly #sink: EventSink;
  readonly #splitter: LineSplitter;
  readonly #hosts: HostSplit;
  readonly #base: TimeBase | undefined;
  readonly #latest: (host: FeedHost) => number;
  readonly #fallback: FeedHost | undefined;
  readonly #states = new Map<FeedHost, HostState>();
  /** Of the host of the last line, which is likely that of the next. */
  #state: HostState;
  readonly #rejected: Record<string, number> = {};
  readonly #firstLines = new Map<RejectReason, number>();
  /** Of the line that is being read, the first is 1. */
  #lineNumber = 0;
  #lines = 0;
  #unit: 'line' | 'event' = 'line';
  #decoded = 0;
  #scanned = 0;
  #isAtEnd = false;

  /** @param sink gets `clock` before the first event of each host */
  constructor(
    sink: EventSink,
    {
      maxLineBytes = MAX_LINE_BYTES,
      base,
      hosts = new HostSplit(),
      fallback,
      latest = MAX_EXACT_NS,
    }: TraceeDecoderOptions = {},
  ) {
    this.#sink = sink;
    this.#hosts = hosts;
    this.#fallback = fallback;
    this.#base = base;
    this.#latest = typeof latest === 'number' ? () => latest : latest;
    this.#state = this.#stateOf(fallback ?? hosts.first);
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
    notices.push(...this.#hosts.notices);
    if (this.#hosts.hosts.length === 1) notices.push(...this.#hosts.first.announcements.notices);
    const isDateless = [...this.#states.values()].some((state) => isSinceBoot(state) && !state.hasDate);
    if (isDateless) {
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
    this.#settleAll();
  }

  push(chunk: Uint8Array): void {
    this.#splitter.push(chunk);
    this.#settleAll();
  }

  /** The feed, or a part of it, is over: a last line without an end is taken as it is. */
  end(): void {
    this.#isAtEnd = true;
    this.#splitter.end();
    this.#settleAll();
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
    if (!this.#scan(bytes, from, end)) this.#parseLine(bytes.toString('utf8', from, end));
  }

  /** @returns false when the line has to be parsed */
  #scan(bytes: Buffer, from: number, end: number): boolean {
    if (this.#hosts.hosts.length > 1) this.#guessHost(bytes, from, end);
    const { base, splitBase } = this.#state;
    if (base === undefined || splitBase === undefined) return false;
    let outcome = scanner.scan(bytes, from, end, splitBase);
    if (outcome === 'unsure') return false;
    if (outcome === 'read') {
      const host = this.#hostOfScanned(base);
      if (host === undefined) return false;
      if (typeof host === 'string') {
        this.#scanned++;
        this.#reject(host, this.#lineNumber);
        return true;
      }
      if (host !== this.#state.host) {
        // Its times may count from elsewhere.
        this.#state = this.#stateOf(host);
        if (this.#state.splitBase === undefined) return false;
        outcome = scanner.scan(bytes, from, end, this.#state.splitBase);
        if (outcome === 'unsure') return false;
      }
    }
    this.#scanned++;
    if (outcome === 'other') {
      this.#reject('not-a-lifecycle-event', this.#lineNumber);
      return true;
    }
    const { host } = this.#state;
    const { first, second } = scanner;
    if (!this.#isInTime(first ?? second, this.#state)) return true;
    this.#decoded++;
    host.accepted++;
    if (first !== undefined) this.#sink(first, host);
    if (second !== undefined) this.#sink(second, host);
    return true;
  }

  // Whose line it likely is, for its times are read from that host's base: a wrong guess costs a second scan.
  #guessHost(bytes: Buffer, from: number, end: number): void {
    const key = bytes.subarray(from, end).indexOf(HOST_NAME_KEY);
    if (key < 0) return;
    const nameAt = from + key + HOST_NAME_KEY.length;
    const quote = bytes.indexOf(QUOTE, nameAt);
    if (quote < 0 || quote - nameAt > MAX_HOST_NAME) return;
    const host = this.#hosts.called(bytes.toString('latin1', nameAt, quote));
    if (host !== undefined && host !== this.#state.host) this.#state = this.#stateOf(host);
  }

  /** @returns undefined when the start, by which it may be known, is too far from this base to be exact */
  #hostOfScanned(base: TimeBase): FeedHost | RejectReason | undefined {
    const { hostName: name, isContained, task } = scanner;
    const { host } = this.#state;
    if (name !== undefined && name === host.name && !isContained) return host;
    const { container, tid = 0, start } = task ?? {};
    const isOneOfMany = this.#hosts.hosts.length > 1;
    if (isOneOfMany && start !== undefined && Math.abs(start) > MAX_EXACT_NS) return undefined;
    const startEpochNs = isOneOfMany && start !== undefined ? epochOf(base, start) : undefined;
    return attempt(() => this.#hostOf({ name, isContained, container, tid, startEpochNs }));
  }

  /** @throws Rejection */
  #hostOf(hint: HostHint): FeedHost {
    // Whose task it is can be known by what waits only.
    if ((hint.isContained || !hint.name) && this.#hosts.hosts.length > 1) this.#settleAll();
    return this.#hosts.hostOf(hint, this.#fallback);
  }

  #stateOf(host: FeedHost): HostState {
    const known = this.#states.get(host);
    if (known !== undefined) return known;
    const latest = this.#latest(host);
    const state: HostState = { host, latest, base: undefined, splitBase: undefined, early: [], hasDate: false };
    const base = this.#knownBase(host);
    if (base !== undefined) this.#setBase(state, base);
    this.#states.set(host, state);
    return state;
  }

  #knownBase(host: FeedHost): TimeBase | undefined {
    return this.#base ?? this.#hosts.trees?.baseOf(host);
  }

  #parseLine(text: string): void {
    this.#takeIn(this.#parse(text));
  }

  #takeIn(event: Json | RejectReason): void {
    const read = typeof event === 'string' ? event : attempt(() => this.#read(event));
    if (typeof read === 'string') {
      this.#reject(read, this.#lineNumber);
      return;
    }
    const { context, host } = read;
    if (context === undefined) {
      this.#decoded++;
      host.accepted++;
      return;
    }
    const state = this.#stateOf(host);
    this.#state = state;
    if (state.base === undefined) this.#hold(context, state);
    else this.#decode(context, state.base, this.#lineNumber, state);
  }

  /** @returns no context when the event is of no task @throws Rejection */
  #read(event: Json): { readonly host: FeedHost; readonly context: Context | undefined } {
    const name = String(event['eventName'] ?? event['name']);
    if (isAnnouncement(name)) {
      const hint = { name: announcingHost(event), ...OF_NO_TASK };
      const host = this.#hostOf(hint);
      const container = host.announcements.take(name, event);
      if (container !== undefined && hint.name !== undefined) this.#hosts.noteContainer(container, host);
      return { host, context: undefined };
    }
    const context = contextOf(event);
    const { hostName, container, tid, startEpochNs } = context;
    const isInContainer = isContained(context, context.nsPid);
    const host = this.#hostOf({ name: hostName, isContained: isInContainer, container, tid, startEpochNs });
    return { host, context };
  }

  #parse(text: string): Json | RejectReason {
    try {
      return lifecycleEvent(parseExactJson(text));
    } catch {
      return this.#isAtEnd ? 'truncated' : 'not-json';
    }
  }

  #decode(context: Context, base: TimeBase, lineNumber: number, state: HostState): void {
    const events = attempt(() => decodeEvent(context, base));
    if (typeof events === 'string') {
      this.#reject(events, lineNumber, state.host);
      return;
    }
    if (!this.#isInTime(events[0], state, lineNumber)) return;
    this.#decoded++;
    state.host.accepted++;
    for (const one of events) {
      if (one.type === 'container' && one.container !== undefined) this.#hosts.noteContainer(one.container, state.host);
      this.#sink(one, state.host);
    }
  }

  // Only its own time: the start of an old daemon is further away, and nobody would want to miss what it does. The
  // events of a line have one time.
  #isInTime(event: TaskEvent | undefined, { host, latest }: HostState, lineNumber = this.#lineNumber): boolean {
    if (event === undefined || !('at' in event)) return true;
    const isIn = event.at >= -MAX_EXACT_NS && event.at <= latest;
    if (!isIn) this.#reject('time-out-of-range', lineNumber, host);
    return isIn;
  }

  #hold(context: Context, state: HostState): void {
    state.early.push({ context, lineNumber: this.#lineNumber });
    if (state.early.length >= MAX_EARLY) this.#settleBase(state);
  }

  #settleAll(): void {
    for (const state of this.#states.values()) this.#settleBase(state);
  }

  #settleBase(state: HostState): void {
    const { early, host } = state;
    if (early.length === 0) return;
    state.early = [];
    const known = this.#knownBase(host); // somebody else may have fed its tree since
    if (known !== undefined) this.#setBase(state, known);
    else this.#chooseBase(state, early);
    for (const { context, lineNumber } of early) this.#decode(context, state.base as TimeBase, lineNumber, state);
  }

  // The base is the time of the host's first event. Should that be a wild one, all others would be too far away from
  // it: so it is the first that is near to what most say.
  #chooseBase(state: HostState, early: readonly EarlyEvent[]): void {
    const times = early.map(({ context }) => context.epochNs).sort((a, b) => (a < b ? -1 : 1));
    const middle = times[times.length >> 1] ?? 0n;
    const first = early.find(({ context }) => isNear(context.epochNs, middle));
    const base = { epochNs: first?.context.epochNs ?? middle };
    this.#setBase(state, base);
    const bootNs = isSinceBoot(state) ? state.host.announcements.bootEpochNs : undefined;
    state.hasDate = bootNs !== undefined;
    this.#sink({ type: 'clock', epochNs: base.epochNs + (bootNs ?? 0n) }, state.host);
  }

  #setBase(state: HostState, base: TimeBase): void {
    state.base = base;
    state.splitBase = new SplitBase(base);
  }

  #reject(reason: RejectReason, lineNumber: number, host?: FeedHost): void {
    this.#rejected[reason] = (this.#rejected[reason] ?? 0) + 1;
    host?.reject(reason);
    if (!this.#firstLines.has(reason)) this.#firstLines.set(reason, lineNumber);
  }
}

function isSinceBoot({ base }: HostState): boolean {
  return base !== undefined && base.epochNs < EARLIEST_DATE_NS;
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
