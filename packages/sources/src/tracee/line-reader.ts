// A cursor over the bytes of one line of JSON. It reads the values that its user
// asks for and passes over the rest without making anything of them.
//
// It takes only what is plain: no fractions, no key that is escaped, no space but
// one after a colon or a comma. Everything else ends in `isUnusual`, and the
// user leaves the line to a full parser. What is passed over is followed only as
// far as needed to find its end, so a line can be taken here that is not JSON
// there.

import { type EventNs, eventTimeOf, MAX_TID, parseRfc3339Ns, type TimeBase } from '@dendro/protocol';
import { MAX_DISTANCE_NS, MAX_U64 } from './fields.ts';
import { SeenTexts } from './seen-texts.ts';

const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const DIGIT_0 = 48;
const DIGIT_9 = 57;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const SPACE = 32;
const NULL_BEGINS = 110; // n
const TRUE_BEGINS = 116; // t
const FALSE_BEGINS = 102; // f
const UPPER_Z = 90;

const MAX_U32 = 0xffff_ffff;
/** Digits of which a double is sure. */
const SAFE_DIGITS = 15;
const NANOS = 1_000_000_000;
const MINUTE_LENGTH = 'YYYY-MM-DDTHH:MM'.length;
/** Minutes that are remembered: times of a feed are near each other. */
const MINUTES = 256;

/** A key as `key` gives it: a hash of its bytes and length. Keys come from Tracee, never from what it watches. */
export function keyOf(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0;
  return hash ^ (name.length << 24);
}

export class LineReader {
  /** Something came that only a full parser can judge. Whatever was read since is void. */
  isUnusual = false;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  readonly #texts = new SeenTexts();
  #base: TimeBase = { epochNs: 0n };
  #baseSeconds = 0;
  #baseNanos = 0;
  readonly #minuteSeconds = new Float64Array(MINUTES); // of a remembered minute, since the epoch
  readonly #minuteBytes = new Uint8Array(MINUTES * MINUTE_LENGTH);

  /** Takes up a line: bytes `from` to `end`. */
  open(bytes: Uint8Array, from: number, end: number, base: TimeBase): void {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
    this.isUnusual = false;
    if (base === this.#base) return;
    this.#base = base;
    this.#baseSeconds = Number(base.epochNs / BigInt(NANOS));
    this.#baseNanos = Number(base.epochNs % BigInt(NANOS));
  }

  get isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  /** Has it been read beyond its end, into what happens to come after? */
  get isPastEnd(): boolean {
    return this.#at > this.#end;
  }

  get endsWithBrace(): boolean {
    return this.#bytes[this.#end - 1] === CLOSE_BRACE;
  }

  // Objects: if (enterObject()) do { switch (key()) … } while (hasMore());
  // Arrays:  if (enterArray())  do { …              } while (hasMore());

  /** Steps into an object. False when it is empty, or unusual: null, or something else. */
  enterObject(): boolean {
    return this.#enter(OPEN_BRACE, CLOSE_BRACE);
  }

  /** Steps into an array. False as of `enterObject`. */
  enterArray(): boolean {
    return this.#enter(OPEN_BRACKET, CLOSE_BRACKET);
  }

  /** Steps over a comma to what comes next; false after the end of the object or array. */
  hasMore(): boolean {
    if (this.isUnusual) return false;
    const byte = this.#bytes[this.#at++];
    if (byte === COMMA) {
      if (this.#bytes[this.#at] === SPACE) this.#at++;
      return true;
    }
    if (byte !== CLOSE_BRACE && byte !== CLOSE_BRACKET) this.isUnusual = true;
    return false;
  }

  /** The key of the next member, as `keyOf` gives it; the value is next. */
  key(): number {
    const key = this.textKey();
    let at = this.#at;
    if (this.#bytes[at++] !== COLON) return this.#unusual();
    if (this.#bytes[at] === SPACE) at++;
    this.#at = at;
    return key;
  }

  /** A text, as `keyOf` gives it. */
  textKey(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    if (bytes[at] !== QUOTE) return this.#unusual();
    const from = ++at;
    let hash = 0;
    for (; at < this.#end; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) return this.#unusual();
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    this.#at = at + 1;
    return hash ^ ((at - from) << 24);
  }

  /** Passes over a value. */
  skip(): void {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    let depth = 0;
    do {
      const byte = bytes[at++] as number;
      if (byte === QUOTE) at = this.#afterText(at);
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        if (--depth < 0) break;
      } else if (depth === 0) {
        // A number or a literal, which goes as far as what can stand after one.
        while (at < end && !isAfterValue(bytes[at] as number)) at++;
      }
    } while (depth > 0 && at < end);
    if (depth !== 0 || at > end) this.#unusual();
    this.#at = at;
  }

  /** Passes over `null`; false when something else is next. */
  skipNull(): boolean {
    if (this.#bytes[this.#at] !== NULL_BEGINS) return false;
    this.#literal(4);
    return true;
  }

  boolean(): boolean {
    const byte = this.#bytes[this.#at];
    if (byte === TRUE_BEGINS) this.#literal(4);
    else if (byte === FALSE_BEGINS) this.#literal(5);
    else this.#unusual();
    return byte === TRUE_BEGINS;
  }

  /** A bare integer from 0 to `max`. */
  integer(max: number): number {
    const value = this.#digits();
    return value > max ? this.#unusual() : value;
  }

  taskNumber(): number {
    return this.integer(MAX_TID);
  }

  uint32(): number {
    return this.integer(MAX_U32);
  }

  /** A bare integer, perhaps negative. */
  signed(): number {
    if (this.#bytes[this.#at] !== MINUS) return this.#digits();
    this.#at++;
    return -this.#digits();
  }

  /** An unsigned 64-bit decimal, bare or in quotes. */
  uint64Text(): string {
    const isQuoted = this.#bytes[this.#at] === QUOTE;
    const from = isQuoted ? this.#at + 1 : this.#at;
    let at = from;
    while (isDigit(this.#bytes[at] as number)) at++;
    const isPlain =
      at > from && at - from <= MAX_U64.length && (isQuoted || this.#bytes[from] !== DIGIT_0 || at === from + 1);
    if (!isPlain || (isQuoted && this.#bytes[at] !== QUOTE)) {
      this.#unusual();
      return '';
    }
    const text = this.#texts.of(this.#bytes, from, at);
    if (text.length === MAX_U64.length && text > MAX_U64) this.#unusual();
    this.#at = isQuoted ? at + 1 : at;
    this.#expectEnd();
    return text;
  }

  text(): string {
    const bytes = this.#bytes;
    if (bytes[this.#at] !== QUOTE) {
      this.#unusual();
      return '';
    }
    const from = this.#at + 1;
    let at = from;
    for (; at < this.#end; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) return this.#escapedText(at);
      if (byte < SPACE) {
        this.#unusual();
        return '';
      }
    }
    this.#at = at + 1;
    return this.#texts.of(bytes, from, at);
  }

  /** @param at of the first escape */
  #escapedText(at: number): string {
    const from = this.#at;
    this.#at = this.#afterText(at);
    try {
      const { buffer, byteOffset } = this.#bytes;
      return JSON.parse(Buffer.from(buffer, byteOffset + from, this.#at - from).toString('utf8')) as string;
    } catch {
      this.#unusual();
      return '';
    }
  }

  texts(): string[] {
    const texts: string[] = [];
    if (!this.enterArray()) return texts;
    do texts.push(this.text());
    while (this.hasMore());
    return texts;
  }

  /** Epoch nanoseconds, bare or in quotes, or RFC 3339 in UTC, as time of the host; undefined for 0. */
  time(): EventNs | undefined {
    const bytes = this.#bytes;
    const isQuoted = bytes[this.#at] === QUOTE;
    if (isQuoted) this.#at++;
    if (isQuoted && bytes[this.#at + 4] === MINUS) return this.#rfc3339();
    const from = this.#at;
    let at = from;
    while (isDigit(bytes[at] as number)) at++;
    const count = at - from;
    // Shorter ones are times since boot, or 0.
    if (count !== 19) {
      if (count !== 1 || bytes[from] !== DIGIT_0) this.#unusual();
    }
    this.#at = at;
    if (isQuoted && bytes[this.#at++] !== QUOTE) this.#unusual();
    this.#expectEnd();
    if (count !== 19) return undefined;
    return this.#eventTime(this.#number(from, at - 9), this.#number(at - 9, at));
  }

  #rfc3339(): EventNs | undefined {
    const bytes = this.#bytes;
    const from = this.#at;
    const minute = this.#minuteOf(from);
    let at = from + MINUTE_LENGTH;
    const isSecond = bytes[at] === COLON && isDigit(bytes[at + 1] as number) && isDigit(bytes[at + 2] as number);
    const second = this.#number(at + 1, at + 3);
    at += 3;
    let nanos = 0;
    if (bytes[at] === DOT) {
      const fraction = ++at;
      while (isDigit(bytes[at] as number)) at++;
      const digits = at - fraction;
      if (digits === 0 || digits > 9) return this.#noTime();
      nanos = this.#number(fraction, at) * 10 ** (9 - digits);
    }
    if (!isSecond || second > 59 || bytes[at] !== UPPER_Z || bytes[at + 1] !== QUOTE) return this.#noTime();
    this.#at = at + 2;
    if (minute + second === 0 && nanos === 0) return undefined;
    return this.#eventTime(minute + second, nanos);
  }

  /** Seconds from the epoch to a minute, written as in RFC 3339. */
  #minuteOf(from: number): number {
    const bytes = this.#bytes;
    const slot =
      ((bytes[from + 15] as number) + 10 * (bytes[from + 14] as number) + 60 * (bytes[from + 12] as number)) % MINUTES;
    const known = slot * MINUTE_LENGTH;
    let i = 0;
    while (i < MINUTE_LENGTH && bytes[from + i] === this.#minuteBytes[known + i]) i++;
    if (i === MINUTE_LENGTH) return this.#minuteSeconds[slot] as number;
    const text = String.fromCharCode(...bytes.subarray(from, from + MINUTE_LENGTH));
    const epoch = parseRfc3339Ns(`${text}:00Z`);
    if (epoch === undefined || epoch < 0n) {
      this.#unusual();
      return 0;
    }
    this.#minuteBytes.set(bytes.subarray(from, from + MINUTE_LENGTH), known);
    this.#minuteSeconds[slot] = Number(epoch / BigInt(NANOS));
    return this.#minuteSeconds[slot] as number;
  }

  /** Exact, for the difference is what has to fit a double. */
  #eventTime(seconds: number, nanos: number): EventNs | undefined {
    const away = seconds - this.#baseSeconds;
    if (Math.abs(away) * NANOS >= Number.MAX_SAFE_INTEGER) return this.#farTime(seconds, nanos);
    return (away * NANOS + (nanos - this.#baseNanos)) as EventNs;
  }

  // A hundred days away and more.
  #farTime(seconds: number, nanos: number): EventNs | undefined {
    const epoch = BigInt(seconds) * BigInt(NANOS) + BigInt(nanos);
    const distance = epoch - this.#base.epochNs;
    if (distance > MAX_DISTANCE_NS || distance < -MAX_DISTANCE_NS) return this.#noTime();
    return eventTimeOf(this.#base, epoch);
  }

  #noTime(): undefined {
    this.#unusual();
    return undefined;
  }

  #digits(): number {
    const bytes = this.#bytes;
    const from = this.#at;
    let at = from;
    while (isDigit(bytes[at] as number)) at++;
    const count = at - from;
    if (count === 0 || count > SAFE_DIGITS || (count > 1 && bytes[from] === DIGIT_0)) return this.#unusual();
    this.#at = at;
    this.#expectEnd();
    return this.#number(from, at);
  }

  #number(from: number, end: number): number {
    let value = 0;
    for (let at = from; at < end; at++) value = value * 10 + ((this.#bytes[at] as number) - DIGIT_0);
    return value;
  }

  #enter(open: number, close: number): boolean {
    if (this.#bytes[this.#at] !== open) {
      this.#unusual();
      return false;
    }
    this.#at++;
    if (this.#bytes[this.#at] !== close) return true;
    this.#at++;
    return false;
  }

  #literal(length: number): void {
    this.#at += length;
    this.#expectEnd();
  }

  #expectEnd(): void {
    if (!isAfterValue(this.#bytes[this.#at] as number)) this.#unusual();
  }

  /** @param at after the quote that opens it */
  #afterText(at: number): number {
    const bytes = this.#bytes;
    let next = at;
    while (next < this.#end) {
      const byte = bytes[next++] as number;
      if (byte === QUOTE) return next;
      if (byte === BACKSLASH) next++;
    }
    this.#unusual();
    return next;
  }

  #unusual(): 0 {
    this.isUnusual = true;
    return 0;
  }
}

function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9;
}

function isAfterValue(byte: number): boolean {
  return byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET;
}
