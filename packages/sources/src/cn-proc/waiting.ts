// Records that wait for the event of another source that tells of the same.

import type { EventNs } from '@dendro/protocol';

interface Stamped {
  readonly at: EventNs;
  readonly tid: number;
}

/** More wait only when the other source has stopped. */
const MAX_WAITING = 65_536;

export class Waiting<R extends Stamped> {
  /** Records not taken because too many waited. */
  dropped = 0;
  readonly #records = new Map<number, R[]>(); // tid -> oldest first
  #count = 0;

  add(record: R): void {
    if (this.#count >= MAX_WAITING) {
      this.dropped++;
      return;
    }
    const same = this.#records.get(record.tid);
    if (same === undefined) this.#records.set(record.tid, [record]);
    else same.push(record);
    this.#count++;
  }

  /** Takes out the oldest record of this tid that fits. */
  take(tid: number, fits: (record: R) => boolean): R | undefined {
    return this.#takeAt(tid, this.#records.get(tid)?.findIndex(fits) ?? -1);
  }

  /** Takes out the newest record of this tid that fits. */
  takeNewest(tid: number, fits: (record: R) => boolean): R | undefined {
    return this.#takeAt(tid, this.#records.get(tid)?.findLastIndex(fits) ?? -1);
  }

  #takeAt(tid: number, index: number): R | undefined {
    const same = this.#records.get(tid);
    if (same === undefined) return undefined;
    const [found] = index < 0 ? [] : same.splice(index, 1);
    if (found !== undefined) this.#count--;
    if (same.length === 0) this.#records.delete(tid);
    return found;
  }

  has(tid: number): boolean {
    return this.#records.has(tid);
  }

  /** Takes out all records of this tid from before `before`, the oldest first. */
  takeAll(tid: number, before: number): R[] {
    const same = this.#records.get(tid);
    if (same === undefined) return [];
    const taken = same.filter(({ at }) => at < before);
    this.#count -= taken.length;
    if (taken.length === same.length) this.#records.delete(tid);
    else if (taken.length > 0)
      this.#records.set(
        tid,
        same.filter(({ at }) => at >= before),
      );
    return taken;
  }

  /** Takes out the records of `until` or before that `isDone` says yes to, the oldest first. */
  takeDone(until: number, isDone: (record: R) => boolean): void {
    for (const [tid, same] of this.#records) {
      const [first] = same;
      if (first === undefined || first.at > until) break; // tids are in the order of their oldest records, nearly
      const left = same.filter((record) => record.at > until || !isDone(record));
      this.#count -= same.length - left.length;
      if (left.length === 0) this.#records.delete(tid);
      else if (left.length < same.length) this.#records.set(tid, left);
    }
  }
}
