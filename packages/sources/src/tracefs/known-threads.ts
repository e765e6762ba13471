// Which tids are threads other than leaders: one bit for each.

import type { TaskEvent } from '@dendro/protocol';
import { CLONE, MAX_TID } from '@dendro/protocol';

export class KnownThreads {
  readonly #bits = new Uint8Array((MAX_TID >> 3) + 1);

  has(tid: number): boolean {
    return ((this.#bits[tid >> 3] ?? 0) & (1 << (tid & 7))) !== 0;
  }

  // hot: runs once per event
  take(event: TaskEvent): void {
    switch (event.type) {
      case 'fork':
        this.#set(event.tid, ((event.cloneFlags ?? 0) & CLONE.thread) !== 0);
        break;
      case 'observe':
        this.#set(event.tid, event.tid !== event.pid);
        break;
      case 'exec':
        if (event.oldTid !== undefined) this.#set(event.oldTid, false); // goes on as the leader
        break;
      case 'exit':
        this.#set(event.tid, false);
        break;
      default:
    }
  }

  #set(tid: number, isThread: boolean): void {
    const bit = 1 << (tid & 7);
    const before = this.#bits[tid >> 3] ?? 0;
    this.#bits[tid >> 3] = isThread ? before | bit : before & ~bit;
  }
}
