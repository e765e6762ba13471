// What is remembered of processes to judge what the process connector says of
// them: when they lived, and who their parent was. The ones that began or
// ended last are remembered.

import type { EventNs } from '@dendro/protocol';
import { Recent } from './recent.ts';

interface Life {
  readonly start: number;
  /** 0 where it is not known. */
  readonly parentPid: number;
  end: number;
}

const MAX_LIVES = 65_536;

export class KnownProcesses {
  readonly #lives = new Recent<Life>(MAX_LIVES); // pid -> its newest life

  begin(pid: number, start: EventNs, parentPid: number): void {
    this.#lives.set(pid, { start, parentPid, end: Number.POSITIVE_INFINITY });
  }

  /** A process was seen in /proc that may be known already, and may have ended. */
  see(pid: number, start: EventNs, parentPid: number): void {
    const life = this.#lives.get(pid);
    if (life === undefined || start > life.end) this.begin(pid, start, parentPid);
  }

  end(pid: number, at: EventNs): void {
    const life = this.#lives.get(pid);
    if (life === undefined) this.#lives.set(pid, { start: Number.NEGATIVE_INFINITY, parentPid: 0, end: at });
    else life.end = Math.min(life.end, at);
  }

  /** `at`, moved into the life that it speaks of where it misses it by `errorNs` at most, the error of its clock. */
  within(pid: number, at: EventNs, errorNs: number): EventNs {
    const { start, end } = this.#lives.get(pid) ?? { start: at, end: at };
    if (at < start && start - at <= errorNs) return start as EventNs;
    return at > end && at - end <= errorNs ? (end as EventNs) : at;
  }

  /** Is `parentPid` somebody whom the process got because its parent had ended by `at`? */
  isFosterParent(pid: number, parentPid: number, at: EventNs): boolean {
    const first = this.#lives.get(pid)?.parentPid ?? 0;
    if (first === 0 || first === parentPid || parentPid === 0) return false;
    return (this.#lives.get(first)?.end ?? Number.POSITIVE_INFINITY) <= at;
  }
}
