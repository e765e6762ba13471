// Many texts as one, in small letters and with one blank for several: to look
// through it from end to end is ten times as fast as from text to text, which
// lie all over memory. Texts that come later are a part of their own, until that
// is as large as others.

const SEPARATOR = '\0'; // in no text that is shown
const PART = 8192;

/** Some of the texts, in the order in which they came. */
interface Part {
  /** Place in the haystack of the first one. */
  readonly from: number;
  /** Before each text a separator, and one at the end. */
  readonly text: string;
  /** Place in the part -> place of the separator before it; one more for the end. */
  readonly starts: Int32Array;
}

export class Haystack {
  readonly #textOf: (index: number) => string;
  readonly #indexes: number[] = [];
  /** The same texts as they are shown. */
  readonly #texts: string[] = [];
  readonly #parts: Part[] = [];

  /** @param textOf an index, as it is shown */
  constructor(textOf: (index: number) => string) {
    this.#textOf = textOf;
  }

  /** Texts in it. */
  get size(): number {
    return this.#indexes.length;
  }

  /** @param indexes of texts that are not in it yet */
  add(indexes: readonly number[]): void {
    if (indexes.length === 0) return;
    const last = this.#parts.at(-1);
    const isSmall = last !== undefined && this.size - last.from < PART;
    if (isSmall) this.#parts.pop();
    const from = isSmall ? last.from : this.size;
    for (const index of indexes) {
      this.#indexes.push(index);
      this.#texts.push(this.#textOf(index));
    }
    this.#parts.push(partOf(this.#texts.slice(from), from));
  }

  /**
   * Calls `visit` with the index of every text that holds the words, or with `isWhole` consists of them.
   * @param from place of the first text that is looked at
   */
  search(words: string, isWhole: boolean, from: number, visit: (index: number) => void): void {
    if (words.includes(SEPARATOR)) return;
    const wanted = isWhole ? `${SEPARATOR}${searched(words)}${SEPARATOR}` : searched(words);
    for (const part of this.#parts) {
      const { starts, text } = part;
      const end = starts.length - 1;
      let place = Math.max(0, from - part.from);
      if (place >= end) continue;
      for (let at = text.indexOf(wanted, starts[place]); at >= 0; at = text.indexOf(wanted, starts[place])) {
        while (place < end && (starts[place + 1] as number) <= at) place++;
        if (place >= end) break;
        visit(this.#indexes[part.from + place] as number);
        place++;
      }
    }
  }

  /** The same for every text of which it holds. */
  filter(holds: (text: string) => boolean, from: number, visit: (index: number) => void): void {
    for (let place = from; place < this.size; place++) {
      if (holds(this.#texts[place] as string)) visit(this.#indexes[place] as number);
    }
  }
}

function partOf(texts: readonly string[], from: number): Part {
  const text = searched(`${SEPARATOR}${texts.join(SEPARATOR)}${SEPARATOR}`);
  // Small letters can be more than the large one was.
  const starts = new Int32Array(texts.length + 1);
  let at = 0;
  for (let i = 1; i <= texts.length; i++) {
    at = text.indexOf(SEPARATOR, at + 1);
    starts[i] = at;
  }
  return { from, text, starts };
}

function searched(text: string): string {
  const lower = text.toLowerCase();
  return /\s\s|[^\S ]/.test(lower) ? lower.replace(/\s+/g, ' ') : lower;
}
