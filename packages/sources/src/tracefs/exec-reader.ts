// Reads what runs now of the processes that have just called exec, as soon as
// their record is read and before its event is passed on: what lives some
// milliseconds is gone when its turn comes otherwise.
//
// The newest first, as it is the likeliest to live. What there is no time for is
// left to whoever asks /proc later.

import type { ObserveEvent } from '@dendro/protocol';
import { CpuCredit } from '../procfs/cpu-credit.ts';

/** Reads one process; undefined when it has gone. */
export type ReadProcess = (pid: number) => ObserveEvent | undefined;

/** Of a core. */
const SHARE = 0.1;
/** In one turn, so that the pipes do not wait. */
const TURN_MS = 5;
/** So long after an exec the next one is likely, and looking more often pays. */
const BUSY_MS = 250;

export class ExecReader {
  readonly #read: ReadProcess;
  readonly #credit = new CpuCredit(SHARE);
  #pids: number[] = [];
  #busyUntil = Number.NEGATIVE_INFINITY;
  #closedUntil = Number.NEGATIVE_INFINITY;

  constructor(read: ReadProcess) {
    this.#read = read;
  }

  /** Has one just called exec, and is there time to read the next one? */
  get isBusy(): boolean {
    const now = performance.now();
    return now < this.#busyUntil && now >= this.#closedUntil;
  }

  note(pid: number): void {
    this.#pids.push(pid);
  }

  /** Reads those noted since the last turn. */
  turn(sink: (event: ObserveEvent) => void): void {
    if (this.#pids.length === 0) return;
    const began = performance.now();
    this.#busyUntil = began + BUSY_MS;
    if (began >= this.#closedUntil) {
      this.#readUntil(began + TURN_MS, sink);
      const ended = performance.now();
      this.#closedUntil = ended + this.#credit.spend(ended - began, ended);
    }
    this.#pids = [];
  }

  #readUntil(end: number, sink: (event: ObserveEvent) => void): void {
    const seen = new Set<number>();
    for (let i = this.#pids.length - 1; i >= 0 && performance.now() < end; i--) {
      const pid = this.#pids[i] as number;
      if (seen.has(pid)) continue;
      seen.add(pid);
      const event = this.#read(pid);
      if (event !== undefined) sink(event);
    }
  }
}
