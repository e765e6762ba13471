// Makes events of the kernel's records, which come in order of time: what is said
// in several records is put together here.

import type { ExecEvent } from '@dendro/protocol';
import { Recent } from '../cn-proc/recent.ts';
import type { EventSink } from '../source.ts';
import type { KernelRecord } from './kernel-record.ts';

/** Threads that are about to run another program: that takes them some milliseconds at most. */
const MAX_EXECS = 4096;

export class RecordJoin {
  readonly #sink: EventSink;
  /** tid of the caller -> what will interpret its program. */
  #interps = new Recent<string>(MAX_EXECS);

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  // hot: runs once per record
  take(record: KernelRecord): void {
    switch (record.type) {
      case 'prepare-exec':
        if (record.interp === undefined) this.#interps.delete(record.tid);
        else this.#interps.set(record.tid, record.interp);
        break;
      case 'exec':
        this.#sink(this.#completeExec(record));
        break;
      case 'exit':
        this.#interps.delete(record.tid); // it died on the way
        this.#sink(record);
        break;
      case 'gap':
        this.#interps = new Recent(MAX_EXECS); // their execs may be lost, and the next ones not theirs
        this.#sink(record);
        break;
      default:
        this.#sink(record);
    }
  }

  #completeExec(exec: ExecEvent): ExecEvent {
    const caller = exec.oldTid ?? exec.pid;
    const interp = this.#interps.get(caller);
    if (interp === undefined) return exec;
    this.#interps.delete(caller);
    return { ...exec, interp };
  }
}
