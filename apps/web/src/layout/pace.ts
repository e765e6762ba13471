// How often to draw. A small tree is drawn with every frame; one whose drawing
// takes long is drawn so much more seldom that the page stays quick to answer,
// most of all while somebody scrolls.

/** Drawing may take a third of the time, and while somebody scrolls a tenth. */
const REST = 2;
const REST_WHILE_SCROLLING = 9;
const SCROLL_MS = 150;
/** Whoever presses something is answered first. */
const ANSWER_MS = 80;
/** What happened is seen after this long at the latest, however large the tree. */
const MAX_WAIT_MS = 200;
/** Finding that takes no longer is done before the key that asks is painted: the time of a frame. */
const QUICK_MS = 16;

export class Pace {
  #cost = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #scrolledAt = Number.NEGATIVE_INFINITY;
  #pressedAt = Number.NEGATIVE_INFINITY;
  #movedOnAt = Number.NEGATIVE_INFINITY;
  #foundIn = Number.POSITIVE_INFINITY;

  /** Told what a drawing cost, and when it was done. All times in milliseconds that only rise. */
  drew(cost: number, at: number): void {
    this.#cost = cost;
    this.#drawnAt = at;
  }

  scrolled(at: number): void {
    this.#scrolledAt = at;
  }

  /** A key or a button. */
  pressed(at: number): void {
    this.#pressedAt = at;
  }

  /** What has happened meanwhile is drawn now. */
  movedOn(at: number): void {
    this.#movedOnAt = at;
  }

  /** Told how long finding what is asked for took. */
  found(cost: number): void {
    this.#foundIn = cost;
  }

  /** Are the rows of a query likely to be there with the key that asks for them? */
  get findsAtOnce(): boolean {
    return this.#foundIn <= QUICK_MS;
  }

  /** @returns milliseconds to wait from `now` before the next drawing */
  wait(now: number): number {
    const rest = now - this.#scrolledAt < SCROLL_MS ? REST_WHILE_SCROLLING : REST;
    const due = this.#drawnAt + Math.min(MAX_WAIT_MS, this.#cost * rest);
    const answered = Math.min(this.#pressedAt + ANSWER_MS, this.#movedOnAt + MAX_WAIT_MS);
    return Math.max(0, due - now, answered - now);
  }
}
