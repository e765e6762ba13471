// Rows of numbers in one piece of memory, 32-bit integers and doubles side by
// side: to read one row touches one or two cache lines, where a column for every
// property would touch one each.

import { roomFor } from './grow.ts';

const MAX_EXPECTED = 1_000_000;

export class Rows {
  /** Integer `c` of row `r` is at `r * width + c`. */
  i32: Int32Array;
  /** Double `c` of row `r` is at `r * width / 2 + c`; it takes the place of the integers `2c` and `2c + 1`. */
  f64: Float64Array;
  readonly #width: number;
  readonly #expected: number;
  #capacity = 0;

  /**
   * @param width of a row in integers; even
   * @param expected rows that are likely to come: their memory is taken at once, and costs nothing until it is used
   */
  constructor(width: number, expected = 0) {
    this.#width = width;
    this.#expected = Math.min(expected, MAX_EXPECTED);
    this.i32 = new Int32Array(0);
    this.f64 = new Float64Array(0);
  }

  /** Rows that there is room for. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Makes room for a row. What a new row holds is for its owner to say. */
  reserve(row: number): void {
    if (row < this.#capacity) return;
    const known = this.f64;
    this.#capacity = row < this.#expected ? this.#expected : roomFor(row + 1);
    this.f64 = new Float64Array((this.#capacity * this.#width) / 2);
    this.f64.set(known);
    this.i32 = new Int32Array(this.f64.buffer);
  }
}
