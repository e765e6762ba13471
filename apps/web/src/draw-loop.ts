// When the views are drawn: at most once per frame, and no more often than they can
// be afforded. What a drawing takes is all of it: making the views, and layout and
// painting, which come with the frame after.

import type { Pace } from './layout/pace.ts';

export class DrawLoop {
  readonly #pace: Pace;
  readonly #draw: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #request: number | undefined;
  #painting: number | undefined;
  /** From a drawing's beginning until it is painted. */
  #isDrawing = false;
  #isAsked = false;

  /** @param draw has the views made; whoever made them calls `made` */
  constructor(pace: Pace, draw: () => void) {
    this.#pace = pace;
    this.#draw = draw;
  }

  /** Something has happened. */
  ask(): void {
    if (this.#timer !== undefined || this.#request !== undefined) return;
    this.#isAsked = this.#isDrawing;
    if (this.#isDrawing) return;
    const wait = this.#pace.wait(performance.now());
    if (wait === 0) this.#request = requestAnimationFrame(() => this.#drawInTime());
    else {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.ask();
      }, wait);
    }
  }

  /** Somebody waits for it. */
  askNow(): void {
    this.#cancel();
    this.#request = requestAnimationFrame(() => this.#begin());
  }

  /** @param ms what it took to make the views, which are painted with the next frame */
  made(ms: number): void {
    if (this.#painting !== undefined) cancelAnimationFrame(this.#painting);
    this.#painting = requestAnimationFrame(() => {
      this.#painting = undefined;
      const from = performance.now();
      afterPaint(() => {
        const now = performance.now();
        this.#pace.drew(ms + now - from, now);
        this.#isDrawing = false;
        if (this.#isAsked) this.ask();
      });
    });
  }

  stop(): void {
    this.#cancel();
    if (this.#painting !== undefined) cancelAnimationFrame(this.#painting);
    this.#isAsked = false;
  }

  #drawInTime(): void {
    this.#request = undefined;
    if (this.#pace.wait(performance.now()) === 0) this.#begin();
    else this.ask(); // somebody has pressed something meanwhile
  }

  #begin(): void {
    this.#request = undefined;
    this.#isDrawing = true;
    this.#pace.movedOn(performance.now());
    this.#draw();
  }

  #cancel(): void {
    if (this.#request !== undefined) cancelAnimationFrame(this.#request);
    clearTimeout(this.#timer);
    this.#request = undefined;
    this.#timer = undefined;
  }
}

/** To be called in a frame: the task after it finds the frame painted. */
function afterPaint(then: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    then();
  };
  port2.postMessage(undefined);
}
