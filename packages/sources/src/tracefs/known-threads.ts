// Which tids are threads other than leaders: one bit for each.

import { MAX_TID } from '@dendro/protocol';

export class KnownThreads {
  readonly #bits = new Uint8Array((MAX_TID >> 3) + 1);

  has(tid: number): boolean {
    return ((this.#bits[tid >> 3] ?? 0) & (1 << (tid & 7))) !== 0;
  }

  // hot: runs once or twice per birth and end
  set(tid: number, isThread: boolean): void {
    const bit = 1 << (tid & 7);
    const before = this.#bits[tid >> 3] ?? 0;
    this.#bits[tid >> 3] = isThread ? before | bit : before & ~bit;
  }
}
