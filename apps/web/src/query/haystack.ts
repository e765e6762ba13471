// Many texts as one, in small letters and with one blank for several: to look
// through it from end to end is ten times as fast as from text to text, which
// lie all over memory.

const SEPARATOR = '\0'; // in no text that is shown

export class Haystack {
  /** Indexes of the distinct texts, in the order in which they stand. */
  readonly indexes: Int32Array;
  /** The same texts as they are shown. */
  readonly texts: readonly string[];
  readonly largest: number;
  readonly #text: string; // a separator before each text, and one at the end
  readonly #starts: Int32Array; // place in `indexes` -> place of the separator before it; one more for the end

  /** @param indexes with repetitions; 0 is no text */
  constructor(indexes: Int32Array, textOf: (index: number) => string) {
    let largest = 0;
    for (const index of indexes) if (index > largest) largest = index;
    const isTaken = new Uint8Array(largest + 1);
    const distinct: number[] = [];
    const texts: string[] = [];
    for (const index of indexes) {
      if (index === 0 || isTaken[index] === 1) continue;
      isTaken[index] = 1;
      distinct.push(index);
      texts.push(textOf(index));
    }
    this.largest = largest;
    this.indexes = Int32Array.from(distinct);
    this.texts = texts;
    const joined = distinct.length === 0 ? '' : `${SEPARATOR}${texts.join(SEPARATOR)}${SEPARATOR}`;
    this.#text = searched(joined);
    // Small letters can be more than the large one was.
    this.#starts = new Int32Array(distinct.length + 1);
    let at = 0;
    for (let i = 1; i <= distinct.length; i++) {
      at = this.#text.indexOf(SEPARATOR, at + 1);
      this.#starts[i] = at;
    }
  }

  /** Calls `visit` with the index of every text that holds the words, or with `isWhole` consists of them. */
  search(words: string, isWhole: boolean, visit: (index: number) => void): void {
    if (words.includes(SEPARATOR)) return;
    const wanted = isWhole ? `${SEPARATOR}${searched(words)}${SEPARATOR}` : searched(words);
    let place = 0;
    for (let at = this.#text.indexOf(wanted); at >= 0 && place < this.indexes.length; ) {
      while ((this.#starts[place + 1] as number) <= at) place++;
      if (place >= this.indexes.length) return;
      visit(this.indexes[place] as number);
      place++;
      at = this.#text.indexOf(wanted, this.#starts[place] as number);
    }
  }
}

function searched(text: string): string {
  const lower = text.toLowerCase();
  return /\s\s|[^\S ]/.test(lower) ? lower.replace(/\s+/g, ' ') : lower;
}
