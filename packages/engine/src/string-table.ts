// Interned text: command lines and paths repeat a great deal, so entries hold
// an index. A text that no entry refers to any more is found by mark and sweep,
// not by reference counts: sweeps are rare and counting would cost each event.

/** Index of "not known". */
export const NO_TEXT = 0;

const SWEEP_FLOOR = 4096;

export class StringTable {
  readonly #indexByText = new Map<string, number>();
  readonly #texts: (string | undefined)[] = [undefined];
  readonly #free: number[] = [];
  #sweepAt = SWEEP_FLOOR;

  /** @returns index of the text, never NO_TEXT */
  intern(text: string): number {
    const known = this.#indexByText.get(text);
    if (known !== undefined) return known;
    const index = this.#free.pop() ?? this.#texts.length;
    this.#texts[index] = text;
    this.#indexByText.set(text, index);
    return index;
  }

  textOf(index: number): string | undefined {
    return this.#texts[index];
  }

  get count(): number {
    return this.#indexByText.size;
  }

  /** Is a sweep worth while: twice as many texts as the last one left? */
  get isSweepDue(): boolean {
    return this.#indexByText.size >= this.#sweepAt;
  }

  /** Forgets every text whose index `mark` did not name. */
  sweep(mark: (use: (index: number) => void) => void): void {
    const used = new Uint8Array(this.#texts.length);
    mark((index) => {
      used[index] = 1;
    });
    for (let index = 1; index < used.length; index++) {
      const text = this.#texts[index];
      if (used[index] === 1 || text === undefined) continue;
      this.#indexByText.delete(text);
      this.#texts[index] = undefined;
      this.#free.push(index);
    }
    this.#sweepAt = Math.max(SWEEP_FLOOR, 2 * this.#indexByText.size);
  }
}
