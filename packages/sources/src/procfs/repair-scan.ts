// When what already runs is read from /proc: once at the start, and again
// whenever events were lost, but not all the time. A scan is walked through in
// small steps, so that it never delays what the kernel tells.

import { type TaskEvent, toError } from '@dendro/protocol';

const STEP_MS = 8;
const AGAIN_MS = 2000;

/** Undefined is none for now: the rest comes later. */
export type Scan = () => Iterable<TaskEvent | undefined>;

export class RepairScan {
  readonly #scan: Scan | undefined;
  readonly #sink: (event: TaskEvent) => void;
  #walk: Iterator<TaskEvent | undefined> | undefined;
  #isWaiting = false;
  #isWanted = true;
  #doneAt = Number.NEGATIVE_INFINITY;
  /** Lost when the last one began. */
  #lost = 0;
  #failure: string | undefined;

  constructor(scan: Scan | undefined, sink: (event: TaskEvent) => void) {
    this.#scan = scan;
    this.#sink = sink;
  }

  /** Something was lost. */
  want(): void {
    this.#isWanted = true;
  }

  /** Why the last one broke off, a sentence. */
  *notices(): Generator<string> {
    if (this.#failure !== undefined) yield this.#failure;
  }

  /** Is there more to walk through at once? */
  get isBusy(): boolean {
    return this.#walk !== undefined && !this.#isWaiting;
  }

  /** Is there nothing to do until something is lost? */
  get isIdle(): boolean {
    return this.#walk === undefined && !this.#isWanted;
  }

  /**
   * Goes on for some milliseconds, or begins when one is wanted.
   * @param lost events lost so far: when they have become more, one is
   */
  step(lost = 0): void {
    if (lost > this.#lost) this.#isWanted = true;
    if (this.#walk === undefined) {
      if (!this.#isWanted || performance.now() - this.#doneAt < AGAIN_MS) return;
      this.#isWanted = false;
      this.#lost = lost;
    }
    try {
      this.#walk ??= this.#scan?.()[Symbol.iterator]();
      if (this.#walk !== undefined && this.#goOn(this.#walk)) return;
    } catch (thrown) {
      this.#failure = `Reading what already runs broke off: ${toError(thrown).message}.`;
    }
    this.#walk = undefined;
    this.#doneAt = performance.now();
  }

  stop(): void {
    this.#walk?.return?.();
    this.#walk = undefined;
    this.#isWanted = false;
  }

  /** @returns true when there is more */
  #goOn(walk: Iterator<TaskEvent | undefined>): boolean {
    const until = performance.now() + STEP_MS;
    do {
      const { done, value } = walk.next();
      if (done) return false;
      this.#isWaiting = value === undefined;
      if (value === undefined) return true;
      this.#sink(value);
    } while (performance.now() < until);
    return true;
  }
}
