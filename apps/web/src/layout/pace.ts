// How often to draw. A small tree is drawn with every frame; one whose drawing
// takes long is drawn so much more seldom that the page stays quick to answer,
// most of all while somebody scrolls.

/** Drawing may take a third of the time, and while somebody scrolls a tenth. */
const REST = 2;
const REST_WHILE_SCROLLING = 9;
const SCROLL_MS = 150;
/** What happened is seen after this long at the latest, however large the tree. */
const MAX_WAIT_MS = 200;

export class Pace {
  #cost = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #scrolledAt = Number.NEGATIVE_INFINITY;

  /** Told what a drawing cost, and when it was done. All times in milliseconds that only rise. */
  drew(cost: number, at: number): void {
    this.#cost = cost;
    this.#drawnAt = at;
  }

  /** What was drawn beside it, and is added. */
  drewToo(cost: number, at: number): void {
    this.#cost += cost;
    this.#drawnAt = at;
  }

  scrolled(at: number): void {
    this.#scrolledAt = at;
  }

  /** @returns milliseconds to wait from `now` before the next drawing */
  wait(now: number): number {
    const rest = now - this.#scrolledAt < SCROLL_MS ? REST_WHILE_SCROLLING : REST;
    const due = this.#drawnAt + Math.min(MAX_WAIT_MS, this.#cost * rest);
    return Math.max(0, due - now);
  }
}
