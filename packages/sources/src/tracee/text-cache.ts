// Names, paths and flags come again and again: the string that was made of the same bytes before is given again.

import { isSame, keep, WORD_BYTES } from './words.ts';

const ENTRIES = 2048;
const MAX_BYTES = 96;
const WORDS = MAX_BYTES / WORD_BYTES;

export class TextCache {
  readonly #texts: string[] = new Array<string>(ENTRIES).fill('');
  readonly #lengths = new Int32Array(ENTRIES);
  /** Of texts of less than a word, the first bytes and the last. */
  readonly #heads = new Int32Array(ENTRIES);
  readonly #tails = new Int32Array(ENTRIES);
  readonly #words = new Float64Array(ENTRIES * WORDS);

  /** @param view on the same bytes, which are printable ASCII from `from` to `end` */
  // hot: runs some ten times per line
  take(bytes: Buffer, view: DataView, from: number, end: number): string {
    const length = end - from;
    if (length === 0) return '';
    if (length > MAX_BYTES) return bytes.toString('latin1', from, end);
    let head: number;
    let tail: number;
    if (length >= 4) {
      head = view.getInt32(from, true);
      tail = view.getInt32(end - 4, true);
    } else {
      head = bytes[from] as number;
      tail = ((bytes[end - 1] as number) << 8) | (bytes[from + (length >> 1)] as number);
    }
    // What differs between texts of one length is at their end or in the middle more often than not.
    let hash = Math.imul(tail, 0x9e3779b1) ^ length;
    hash = Math.imul((hash ^ (hash >>> 15)) + head, 0x85ebca6b);
    if (length > WORD_BYTES) {
      hash = Math.imul((hash ^ (hash >>> 15)) + view.getInt32(from + ((length - 4) >> 1), true), 0xc2b2ae35);
    }
    const entry = (hash >>> 16) & (ENTRIES - 1);
    const isLong = length >= WORD_BYTES;
    if (this.#lengths[entry] === length) {
      const isKnown = isLong
        ? isSame(view, from, length, this.#words, entry * WORDS)
        : this.#heads[entry] === head && this.#tails[entry] === tail;
      if (isKnown) return this.#texts[entry] as string;
    }
    const text = bytes.toString('latin1', from, end);
    this.#texts[entry] = text;
    this.#lengths[entry] = length;
    this.#heads[entry] = head;
    this.#tails[entry] = tail;
    if (isLong) keep(view, from, length, this.#words, entry * WORDS);
    return text;
  }
}
