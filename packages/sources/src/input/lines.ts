// Lines out of chunks of bytes, in bounded memory: a line that is longer than
// the limit is dropped while it streams by, and the next one is whole again.

const LF = 10;
const CR = 13;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const NOTHING = Buffer.alloc(0);
const LEAST_CAPACITY = 4096;

export interface LineSink {
  /** A line without its end is in `[from, end)`, for as long as the call lasts. */
  line(bytes: Buffer, from: number, end: number): void;
  /** A line was longer than the limit. */
  tooLong(): void;
}

export class LineSplitter {
  readonly #maxBytes: number;
  readonly #sink: LineSink;
  /** Holds the beginning of a line whose end has not come yet. One buffer: a feed may come byte by byte. */
  #kept = NOTHING;
  #keptBytes = 0;
  #isDropping = false;

  constructor(maxBytes: number, sink: LineSink) {
    this.#maxBytes = maxBytes;
    this.#sink = sink;
  }

  /** @param chunk may be used again afterwards: what has to be kept is copied */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let from = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
      if (this.#keptBytes === 0 && !this.#isDropping) this.#give(bytes, from, end);
      else {
        this.#keep(bytes, from, end);
        this.#finish();
      }
      from = end + 1;
    }
    if (from < bytes.length) this.#keep(bytes, from, bytes.length);
  }

  /** The feed is over: what is left is a line without an end. */
  end(): void {
    if (this.#keptBytes > 0 || this.#isDropping) this.#finish();
  }

  #keep(bytes: Buffer, from: number, end: number): void {
    if (this.#isDropping) return;
    const length = this.#keptBytes + end - from;
    if (length > this.#maxBytes) {
      this.#isDropping = true;
      this.#kept = NOTHING;
      this.#keptBytes = 0;
      return;
    }
    if (length > this.#kept.length) this.#grow(length);
    bytes.copy(this.#kept, this.#keptBytes, from, end);
    this.#keptBytes = length;
  }

  #grow(length: number): void {
    const capacity = Math.min(this.#maxBytes, Math.max(LEAST_CAPACITY, length, this.#kept.length * 2));
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.#kept.copy(grown, 0, 0, this.#keptBytes);
    this.#kept = grown;
  }

  #finish(): void {
    if (this.#isDropping) this.#sink.tooLong();
    else this.#give(this.#kept.subarray(0, this.#keptBytes), 0, this.#keptBytes);
    this.#keptBytes = 0;
    this.#isDropping = false;
  }

  #give(bytes: Buffer, from: number, end: number): void {
    if (end - from > this.#maxBytes) this.#sink.tooLong();
    else this.#sink.line(bytes, from, end > from && bytes[end - 1] === CR ? end - 1 : end);
  }
}

/** Where a text in `[from, end)` begins: some editors put a byte order mark before one in UTF-8. */
export function afterByteOrderMark(bytes: Uint8Array, from: number, end: number): number {
  if (end - from < BYTE_ORDER_MARK.length) return from;
  return BYTE_ORDER_MARK.every((byte, i) => bytes[from + i] === byte) ? from + BYTE_ORDER_MARK.length : from;
}
