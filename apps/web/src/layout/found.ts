// The rows that a query means, and how many of them are where: in a subtree that
// is folded, before the selected row.

export class Found {
  readonly #before: Int32Array; // position -> rows found at positions below it

  /** @param found by position: 1 for rows that are meant */
  constructor(found: Uint8Array) {
    this.#before = new Int32Array(found.length + 1);
    for (let p = 0; p < found.length; p++) this.#before[p + 1] = (this.#before[p] as number) + (found[p] as number);
  }

  get count(): number {
    return this.#before[this.#before.length - 1] as number;
  }

  has(position: number): boolean {
    return this.countIn(position, position + 1) === 1;
  }

  /** Rows found from `from` up to below `end`. */
  countIn(from: number, end: number): number {
    return (this.#before[end] as number) - (this.#before[from] as number);
  }

  /** The place of a row among those found, from 1; undefined when it is none of them. */
  placeOf(position: number): number | undefined {
    return position >= 0 && this.has(position) ? (this.#before[position + 1] as number) : undefined;
  }

  /** The next one after a position, or the last one before it, round the end; -1 without any. */
  step(position: number, by: 1 | -1): number {
    if (this.count === 0) return -1;
    const before = position < 0 ? 0 : (this.#before[position] as number);
    const past = position < 0 ? 0 : (this.#before[position + 1] as number);
    const wanted = by === 1 ? past + 1 : before;
    return this.#positionOf(wanted < 1 ? this.count : wanted > this.count ? 1 : wanted);
  }

  /** Position of the nth one, by halving. */
  #positionOf(nth: number): number {
    let low = 0;
    let high = this.#before.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#before[middle + 1] as number) >= nth) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
