// Keeps work that is done over and over to a share of a core. Time that passes
// earns credit, work spends it: a costly moment, such as a crowd of births, is
// paid from what was saved, and work that is always costly is done less often.

/** What time so long earns can be saved. */
const SAVING_MS = 10_000;

export class CpuCredit {
  readonly #share: number;
  #creditMs: number;
  #earnedAt: number | undefined;

  /** @param share of a core, 0 to 1 */
  constructor(share: number) {
    this.#share = share;
    this.#creditMs = SAVING_MS * share;
  }

  /**
   * @param costMs CPU time that the work took
   * @param now in milliseconds, of any clock that only goes forward
   * @returns milliseconds to wait until the credit is paid back, 0 when there is some left
   */
  spend(costMs: number, now: number): number {
    const earned = (now - (this.#earnedAt ?? now)) * this.#share;
    this.#earnedAt = now;
    this.#creditMs = Math.min(SAVING_MS * this.#share, this.#creditMs + earned) - costMs;
    return this.#creditMs >= 0 ? 0 : Math.ceil(-this.#creditMs / this.#share);
  }
}
