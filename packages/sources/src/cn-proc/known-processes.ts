// What is remembered of processes to judge what the process connector says of
// them: when they lived, and who their parent was.

import type { EventNs } from '@dendro/protocol';

interface Life {
  readonly start: EventNs;
  readonly parentPid: number;
  end: EventNs;
}

/** The kernel has at most so many by default; of more the oldest are forgotten. */
const MAX_LIVES = 65_536;
/** Those that ended are remembered for a while: children that they left may end after them. */
const MAX_ENDED = 8192;
const NEVER = Number.POSITIVE_INFINITY as EventNs;

export class KnownProcesses {
  readonly #lives = new Map<number, Life>(); // pid -> its newest life
  readonly #ended: number[] = []; // pids, oldest end first

  begin(pid: number, start: EventNs, parentPid: number): void {
    this.#lives.delete(pid);
    this.#lives.set(pid, { start, parentPid, end: NEVER });
    if (this.#lives.size > MAX_LIVES) this.#forgetOldest();
  }

  /** A process was seen in /proc that may be known already, and may have ended. */
  see(pid: number, start: EventNs, parentPid: number): void {
    const life = this.#lives.get(pid);
    if (life === undefined || start > life.end) this.begin(pid, start, parentPid);
  }

  end(pid: number, at: EventNs): void {
    const life = this.#lives.get(pid);
    if (life === undefined || life.end !== NEVER) return;
    life.end = at;
    this.#ended.push(pid);
    if (this.#ended.length < 2 * MAX_ENDED) return;
    for (const old of this.#ended.splice(0, MAX_ENDED)) {
      if (this.#lives.get(old)?.end !== NEVER) this.#lives.delete(old);
    }
  }

  /** `at`, moved into the life that it speaks of where it misses it by `errorNs` at most, the error of its clock. */
  within(pid: number, at: EventNs, errorNs: number): EventNs {
    const life = this.#lives.get(pid);
    if (life === undefined) return at;
    if (at < life.start && life.start - at <= errorNs) return life.start;
    return at > life.end && at - life.end <= errorNs ? life.end : at;
  }

  /** Is `parentPid` somebody whom the process got because its parent had ended by `at`? */
  isFosterParent(pid: number, parentPid: number, at: EventNs): boolean {
    const first = this.#lives.get(pid)?.parentPid;
    if (first === undefined || first === parentPid || parentPid === 0) return false;
    return (this.#lives.get(first)?.end ?? NEVER) <= at;
  }
  #forgetOldest(): void {
    for (const oldest of this.#lives.keys()) {
      this.#lives.delete(oldest);
      return;
    }
  }
}
