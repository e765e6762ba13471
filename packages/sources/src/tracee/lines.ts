// Lines out of chunks of bytes, in bounded memory: a line that is longer than
// the limit is dropped while it streams by, and the next one is whole again.

const LF = 10;
const CR = 13;

export interface LineSink {
  /** A line without its end. Invalid UTF-8 has become U+FFFD. */
  line(text: string): void;
  /** A line was longer than the limit. */
  tooLong(): void;
}

export class LineSplitter {
  readonly #maxBytes: number;
  readonly #sink: LineSink;
  /** The beginning of a line whose end has not come yet. */
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #isDropping = false;

  constructor(maxBytes: number, sink: LineSink) {
    this.#maxBytes = maxBytes;
    this.#sink = sink;
  }

  /** @param chunk is copied where it has to be kept */
  push(chunk: Uint8Array): void {
    let from = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
      this.#append(chunk.subarray(from, end));
      this.#finish();
      from = end + 1;
    }
    if (from < chunk.length) this.#append(chunk.slice(from));
  }

  /** The feed is over. @returns was there a last line without an end? */
  end(): boolean {
    const hasRest = this.#partBytes > 0 || this.#isDropping;
    if (hasRest) this.#finish();
    return hasRest;
  }

  #append(part: Uint8Array): void {
    if (this.#isDropping) return;
    this.#partBytes += part.length;
    if (this.#partBytes > this.#maxBytes) {
      this.#isDropping = true;
      this.#parts = [];
      return;
    }
    this.#parts.push(part);
  }

  #finish(): void {
    if (this.#isDropping) this.#sink.tooLong();
    else this.#sink.line(this.#text());
    this.#parts = [];
    this.#partBytes = 0;
    this.#isDropping = false;
  }

  #text(): string {
    const [first, ...rest] = this.#parts;
    if (first === undefined) return '';
    const bytes =
      rest.length === 0 ? Buffer.from(first.buffer, first.byteOffset, first.length) : Buffer.concat(this.#parts);
    return bytes.toString('utf8', 0, bytes.at(-1) === CR ? bytes.length - 1 : bytes.length);
  }
}
