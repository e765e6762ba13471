// In which order a history takes batches and answers questions. Whoever asks need not wait for all that was handed over
// before, and whoever records need not wait for all that is asked: a question lets a little of what is in line go first,
// and then batches have their turn for as long as the question took.

/** A question sees all that was handed over before it, or, should there be more than this in line, so many bytes of it. */
export const MAX_AHEAD_BYTES = 256 * 1024;

/** What an order counts besides the bytes of its batches: one without any has its turn before what is asked after it, too. */
export const ORDER_BYTES = 1;

export interface AskedAfter {
  /** Of what was handed over before it: bytes of batches, and `ORDER_BYTES` for each order. */
  readonly sentBytes: number;
}

export interface DeskLines<Order, Asked extends AskedAfter> {
  /** The next of what is to be done in its order; undefined where there is none just now. */
  nextOrder(): Order | undefined;
  /** The next question. */
  nextAsked(): Asked | undefined;
  /** Does it. @returns bytes of batches that were taken */
  carryOut(order: Order): number;
  answer(asked: Asked): void;
  /** Milliseconds that rise. */
  now(): number;
}

export class Desk<Order, Asked extends AskedAfter> {
  readonly #lines: DeskLines<Order, Asked>;
  readonly #asked: { readonly asked: Asked; readonly dueAt: number }[] = [];
  #takenBytes = 0;
  /** Until then it is the turn of batches, should there be any. */
  #othersUntil = Number.NEGATIVE_INFINITY;

  constructor(lines: DeskLines<Order, Asked>) {
    this.#lines = lines;
  }

  /** To be called for each order that has come by itself: it is the next one. */
  order(order: Order): void {
    this.#carryOut(order);
    this.work();
  }

  /** The same for a question. */
  ask(asked: Asked): void {
    this.#enter(asked);
    this.work();
  }

  /** Works until nothing is left to do. */
  work(): void {
    for (;;) {
      this.#enterAll();
      const [first] = this.#asked;
      if (first !== undefined && this.#takenBytes >= first.dueAt && this.#lines.now() >= this.#othersUntil) {
        this.#answerFirst();
        continue;
      }
      const order = this.#lines.nextOrder();
      if (order !== undefined) this.#carryOut(order);
      else if (first === undefined) return;
      else this.#answerFirst();
    }
  }

  /** Answers all that was asked, before the end. */
  finish(): void {
    this.#enterAll();
    while (this.#asked.length > 0) this.#answerFirst();
  }

  #carryOut(order: Order): void {
    this.#takenBytes += this.#lines.carryOut(order) + ORDER_BYTES;
  }

  #enterAll(): void {
    for (let next = this.#lines.nextAsked(); next !== undefined; next = this.#lines.nextAsked()) this.#enter(next);
  }

  #enter(asked: Asked): void {
    this.#asked.push({ asked, dueAt: Math.min(asked.sentBytes, this.#takenBytes + MAX_AHEAD_BYTES) });
  }

  #answerFirst(): void {
    const first = this.#asked.shift()?.asked;
    if (first === undefined) return;
    const began = this.#lines.now();
    this.#lines.answer(first);
    const now = this.#lines.now();
    this.#othersUntil = now + (now - began);
  }
}
