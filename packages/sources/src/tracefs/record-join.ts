// Makes events of the kernel's records, which come in order of time: what is said
// in several records is put together here.

import { CLONE, type ExecEvent, type ForkEvent } from '@dendro/protocol';
import { Recent } from '../cn-proc/recent.ts';
import { containerOf } from '../procfs/container.ts';
import type { EventSink } from '../source.ts';
import type { Changes } from './changes.ts';
import type { IdChangeRecord, KernelRecord, MoveRecord } from './kernel-record.ts';
import { KnownThreads } from './known-threads.ts';

/** Threads that are about to run another program: that takes them some milliseconds at most. */
const MAX_EXECS = 4096;
/** A clone flag beyond the 32 bits of bitwise operators. */
const CLONE_INTO_CGROUP = 2 ** 33;

export interface JoinOptions {
  /** Finds out what came of changes that are not said outright; without it those are left out. */
  readonly changes?: Changes | undefined;
  /** Numbers of the control group hierarchies that the host has; unknown of a recording. */
  readonly hierarchies?: Iterable<number> | undefined;
}

export class RecordJoin {
  readonly #sink: EventSink;
  readonly #changes: Changes | undefined;
  readonly #hierarchies: Set<number> | undefined;
  /** tid of the caller -> what will interpret its program. */
  #interps = new Recent<string>(MAX_EXECS);
  readonly #threads = new KnownThreads();

  constructor(sink: EventSink, { changes, hierarchies }: JoinOptions = {}) {
    this.#sink = sink;
    this.#changes = changes;
    this.#hierarchies = hierarchies && new Set(hierarchies);
  }

  // hot: runs once per record
  take(record: KernelRecord): void {
    switch (record.type) {
      case 'fork':
        this.#threads.set(record.tid, ((record.cloneFlags ?? 0) & CLONE.thread) !== 0);
        this.#sink(record);
        // Born in another control group than its creator's.
        if (isIntoCgroup(record)) this.#changes?.note('container', record.tid, record.at);
        break;
      case 'exec':
        if (record.oldTid !== undefined) this.#threads.set(record.oldTid, false); // goes on as the leader
        this.#changes?.takeExec(record.pid);
        this.#sink(this.#interps.isEmpty ? record : this.#completeExec(record));
        break;
      case 'exit':
        this.#threads.set(record.tid, false);
        if (!this.#interps.isEmpty) this.#interps.delete(record.tid); // it died on the way
        this.#sink(record);
        break;
      case 'observe':
        this.#threads.set(record.tid, record.tid !== record.pid);
        this.#sink(record);
        break;
      case 'gap':
        this.#interps = new Recent(MAX_EXECS); // their execs may be lost, and the next ones not theirs
        this.#sink(record);
        break;
      case 'prepare-exec':
        this.#interps.set(record.tid, record.interp);
        break;
      case 'move':
        this.#takeMove(record);
        break;
      case 'id-change':
        this.#takeIdChange(record);
        break;
      default:
        this.#sink(record);
    }
  }

  /** The ids of a process are those of its leader; the others follow with calls of their own. */
  #takeIdChange({ tid, id, at }: IdChangeRecord): void {
    if (this.#threads.has(tid)) return;
    this.#changes?.note(id, tid, at);
    this.#changes?.note(`e${id}`, tid, at);
  }

  /** With one hierarchy its path says all; with several, the innermost container of all of them counts. */
  #takeMove({ at, tid, hierarchy, path }: MoveRecord): void {
    if (this.#threads.has(tid)) return; // the container of a process is that of its leader
    const isOnlyOne = this.#hierarchies?.add(hierarchy).size === 1;
    if (!isOnlyOne || path === undefined) this.#changes?.note('container', tid, at);
    else this.#sink({ type: 'container', at, tid, container: containerOf(`0::${path}`) });
  }

  #completeExec(exec: ExecEvent): ExecEvent {
    const caller = exec.oldTid ?? exec.pid;
    const interp = this.#interps.get(caller);
    if (interp === undefined) return exec;
    this.#interps.delete(caller);
    return { ...exec, interp };
  }
}

function isIntoCgroup({ cloneFlags = 0 }: ForkEvent): boolean {
  return cloneFlags >= CLONE_INTO_CGROUP && Math.floor(cloneFlags / CLONE_INTO_CGROUP) % 2 === 1;
}
