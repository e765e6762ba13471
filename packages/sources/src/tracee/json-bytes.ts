// Steps over JSON in bytes, where it has no blanks between its parts: as
// machines write it.
//
// Every method takes the place where something begins and gives the place behind
// it, or UNSURE when it is no JSON, or unusual: then someone else must read. The
// last byte of the JSON is a closing brace, which ends any run of digits.

export const UNSURE = -1;

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
const POINT = 0x2e;
export const DIGIT_0 = 0x30;
export const COLON = 0x3a;
export const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
const MAX_DEPTH = 32;
const NOTHING = Buffer.alloc(0);
const ESCAPED = Buffer.from('"\\/bfnrt');

export class JsonBytes {
  bytes: Buffer = NOTHING;
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Where the JSON ends. */
  end = 0;

  open(bytes: Buffer, end: number): void {
    this.end = end;
    if (bytes === this.bytes) return;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  skipValue(at: number, depth = 0): number {
    switch (this.bytes[at]) {
      case QUOTE:
        return this.skipString(at);
      case OPEN_BRACE:
        return this.#skipObject(at, depth);
      case OPEN_BRACKET:
        return this.#skipArray(at, depth);
      case 0x74:
        return this.#skipWord(at, 'true');
      case 0x66:
        return this.#skipWord(at, 'false');
      case 0x6e:
        return this.#skipWord(at, 'null');
      default:
        return this.#skipNumber(at);
    }
  }

  skipString(at: number): number {
    if (this.bytes[at] !== QUOTE) return UNSURE;
    const quote = this.stringEnd(at + 1);
    return quote === UNSURE ? UNSURE : quote + 1;
  }

  /** The closing quote of the string whose first character, if it has one, is at `from`. */
  stringEnd(from: number): number {
    const p = this.plainEnd(from);
    return p < this.end && this.bytes[p] === QUOTE ? p : this.#unusualStringEnd(p);
  }

  /** Where printable ASCII that may stand in a string as it is comes to its end. */
  plainEnd(from: number): number {
    const { bytes, view, end } = this;
    let p = from;
    for (const last = end - 4; p <= last; p += 4) {
      const word = view.getInt32(p, true);
      const quote = word ^ 0x22222222;
      const backslash = word ^ 0x5c5c5c5c;
      // The high bit of a byte that is a quote, a backslash, below 0x20 or above 0x7f; one behind such a byte as well.
      const found = (quote - 0x01010101) | (backslash - 0x01010101) | (word - 0x20202020) | word;
      if ((found & 0x80808080) !== 0) break;
    }
    while (p < end) {
      const byte = bytes[p] as number;
      if (byte === QUOTE || byte === BACKSLASH || byte < 0x20 || byte > 0x7f) break;
      p++;
    }
    return p;
  }

  /** Where the digits that begin at `from` end. */
  digitsEnd(from: number): number {
    const { bytes } = this;
    let p = from;
    while (((bytes[p] as number) - DIGIT_0) >>> 0 <= 9) p++;
    return p;
  }

  #unusualStringEnd(from: number): number {
    const { bytes, end } = this;
    for (let p = from; p < end; p = this.plainEnd(p)) {
      const byte = bytes[p] as number;
      if (byte === QUOTE) return p;
      if (byte < 0x20) return UNSURE;
      p = byte === BACKSLASH ? this.#behindEscape(p) : p + 1;
      if (p === UNSURE) return UNSURE;
    }
    return UNSURE;
  }

  #behindEscape(backslash: number): number {
    const letter = this.bytes[backslash + 1];
    if (letter !== 0x75) return letter !== undefined && ESCAPED.includes(letter) ? backslash + 2 : UNSURE;
    for (let i = backslash + 2; i < backslash + 6; i++) if (!isHex(this.bytes[i])) return UNSURE;
    return backslash + 6;
  }

  #skipNumber(at: number): number {
    const { bytes } = this;
    const from = bytes[at] === MINUS ? at + 1 : at;
    let p = this.digitsEnd(from);
    if (p === from || (bytes[from] === DIGIT_0 && p > from + 1)) return UNSURE;
    if (bytes[p] === POINT) {
      const fraction = p + 1;
      p = this.digitsEnd(fraction);
      if (p === fraction) return UNSURE;
    }
    if (((bytes[p] as number) | 0x20) === 0x65) {
      const exponent = bytes[p + 1] === MINUS || bytes[p + 1] === 0x2b ? p + 2 : p + 1;
      p = this.digitsEnd(exponent);
      if (p === exponent) return UNSURE;
    }
    return p;
  }

  #skipWord(at: number, word: string): number {
    for (let i = 0; i < word.length; i++) if (this.bytes[at + i] !== word.charCodeAt(i)) return UNSURE;
    return at + word.length;
  }

  #skipObject(at: number, depth: number): number {
    if (depth === MAX_DEPTH) return UNSURE;
    const { bytes } = this;
    if (bytes[at + 1] === CLOSE_BRACE) return at + 2;
    for (let p = at + 1; ; p++) {
      p = this.skipString(p);
      if (p === UNSURE || bytes[p] !== COLON) return UNSURE;
      p = this.skipValue(p + 1, depth + 1);
      if (p === UNSURE) return UNSURE;
      if (bytes[p] === CLOSE_BRACE) return p + 1;
      if (bytes[p] !== COMMA) return UNSURE;
    }
  }

  #skipArray(at: number, depth: number): number {
    if (depth === MAX_DEPTH) return UNSURE;
    const { bytes } = this;
    if (bytes[at + 1] === CLOSE_BRACKET) return at + 2;
    for (let p = at + 1; ; p++) {
      p = this.skipValue(p, depth + 1);
      if (p === UNSURE) return UNSURE;
      if (bytes[p] === CLOSE_BRACKET) return p + 1;
      if (bytes[p] !== COMMA) return UNSURE;
    }
  }
}

function isHex(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const letter = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x66);
}
