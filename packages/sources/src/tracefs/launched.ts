// What belongs to the tree of a command that a thread of ours starts.
//
// The kernel traces that thread and whatever descends from it, so that not even
// the birth of the command is missed. What it does apart from starting the
// command (threads of its own, its name) is left out here.

import { CLONE, type TaskEvent } from '@dendro/protocol';
import type { HappeningRecord } from '../cn-proc/feed.ts';

export class Launched {
  readonly #launcherTid: number;
  /** Our own threads that the kernel traces: the launcher and those that it has made. */
  readonly #own: Set<number>;
  /** Pids of the command's tree. A pid that is given out again to somebody else is taken out then. */
  readonly #pids = new Set<number>();

  constructor(launcherTid: number) {
    this.#launcherTid = launcherTid;
    this.#own = new Set([launcherTid]);
  }

  /** Is an event of tracefs, where only the launcher and its descendants are traced, of the command's tree? */
  hasEvent(event: TaskEvent): boolean {
    switch (event.type) {
      case 'fork': {
        const isThread = ((event.cloneFlags ?? 0) & CLONE.thread) !== 0;
        if (!this.#own.has(event.creatorTid)) this.#own.delete(event.tid);
        else if (isThread) this.#own.add(event.tid);
        if (!isThread) this.#pids.add(event.tid);
        return !(isThread && this.#own.has(event.tid));
      }
      case 'exec':
        return !this.#own.has(event.pid);
      case 'rename':
      case 'exit':
        return !this.#own.has(event.tid);
      case 'container':
        return this.#pids.has(event.pid ?? event.tid); // the command can move others, too
      default:
        return true;
    }
  }

  /** Is a record of the process connector, which tells of the whole host, of the command's tree? */
  hasRecord(record: HappeningRecord): boolean {
    const { tid, pid } = record;
    if (record.what === 'fork' && tid === pid) {
      // Nobody does anything before the record of their birth: what is missing here was told by tracefs, or never.
      if (record.parentTid === this.#launcherTid || this.#pids.has(record.parentPid)) this.#pids.add(pid);
      else this.#pids.delete(pid);
    }
    return this.#pids.has(pid);
  }
}
