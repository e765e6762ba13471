// Records of the task events, as TaskEvents.
//
//   task_newtask         fork     common_pid is the thread that forked
//   task_rename          rename   by exec, prctl or /proc/PID/comm
//   sched_process_exec   exec     after it the caller has the leader's tid
//   sched_process_exit   exit     of every thread
//
// Those of optional-records.ts only add to these.
//
// task_newtask tells all that sched_process_fork does and the clone flags too,
// so the latter is passed over where a recording has both. Nobody here knows
// whose thread a creating thread is: a thread's pid is left to the tree.

import { CLONE, type EventNs, isTid, type TaskEvent } from '@dendro/protocol';
import { type EventFormat, type Field, optionalField, requireField } from './format.ts';
import type { KernelRecord } from './kernel-record.ts';
import { isOptional, NOTHING, type OptionalRecord, optionalRecord } from './optional-records.ts';
import { commonField, endOf, readInt, TextReader } from './record-fields.ts';

export type RecordProblem = 'unknown-event' | 'malformed-record';

const KIND = { unknown: 0, ignored: 1, fork: 2, rename: 3, exec: 4, exit: 5, optional: 6 } as const;
const ID_COUNT = 0x10000;

export class RecordDecoder {
  /** Why the last record gave no event; undefined when it did, or was one that is not needed. */
  problem: RecordProblem | undefined = undefined;
  readonly #kinds = new Uint8Array(ID_COUNT); // event id -> KIND
  readonly #type: Field;
  readonly #creator: Field;
  readonly #fork: ForkFields;
  readonly #rename: RenameFields;
  readonly #exec: ExecFields;
  readonly #exit: ExitFields;
  readonly #optional = new Map<number, OptionalRecord>(); // event id -> how it is read
  readonly #texts = new TextReader();

  /** @throws Error with a clause that says why, when an event or a field that is needed is not there */
  constructor(formats: readonly EventFormat[]) {
    const byName = new Map(formats.map((format) => [format.name, format]));
    const ensure = (name: string): EventFormat => {
      const format = byName.get(name);
      if (format === undefined) throw new Error(`there is no format of the event ${name}`);
      return format;
    };
    const newtask = ensure('task_newtask');
    const rename = ensure('task_rename');
    const exec = ensure('sched_process_exec');
    const exit = ensure('sched_process_exit');
    for (const format of formats) this.#kinds[format.id] = KIND.ignored;
    this.#kinds[newtask.id] = KIND.fork;
    this.#kinds[rename.id] = KIND.rename;
    this.#kinds[exec.id] = KIND.exec;
    this.#kinds[exit.id] = KIND.exit;
    this.#type = commonField('common_type', [newtask, rename, exec, exit]);
    this.#creator = commonField('common_pid', [newtask, rename, exec, exit]);
    this.#fork = forkFields(newtask);
    this.#rename = renameFields(rename);
    this.#exec = execFields(exec);
    this.#exit = exitFields(exit);
    for (const format of formats.filter(isOptional)) {
      this.#kinds[format.id] = KIND.optional;
      this.#optional.set(format.id, optionalRecord(format));
    }
  }

  /**
   * Reads the record in `[start, end)` of a page. Hot: runs once per event.
   * @param page and `bytes` are two views on the same page
   * @returns undefined for a record that says nothing of tasks, or that `problem` explains
   */
  decode(page: DataView, bytes: Buffer, start: number, end: number, at: EventNs): KernelRecord | undefined {
    this.problem = undefined;
    if (start + this.#type.offset + 2 > end) return this.#malformed();
    const kind = this.#kinds[page.getUint16(start + this.#type.offset, true)];
    switch (kind) {
      case KIND.fork:
        return this.#readFork(page, bytes, start, end, at);
      case KIND.rename:
        return this.#readRename(page, bytes, start, end, at);
      case KIND.exec:
        return this.#readExec(page, bytes, start, end, at);
      case KIND.exit:
        return this.#readExit(page, bytes, start, end, at);
      case KIND.optional:
        return this.#readOptional(page, bytes, start, end, at);
      case KIND.ignored:
        return undefined;
      default:
        this.problem = 'unknown-event';
        return undefined;
    }
  }

  /** The id of the event that a record is one of. */
  eventId(page: DataView, start: number): number {
    return page.getUint16(start + this.#type.offset, true);
  }

  #readFork(page: DataView, bytes: Buffer, start: number, end: number, at: EventNs): TaskEvent | undefined {
    const fields = this.#fork;
    if (start + fields.endBytes > end) return this.#malformed();
    const tid = readInt(page, start, fields.tid);
    const creatorTid = readInt(page, start, this.#creator);
    if (!isTid(tid) || !isTid(creatorTid)) return this.#malformed();
    const cloneFlags = readInt(page, start, fields.cloneFlags);
    const comm = fields.comm && this.#text(page, bytes, start, end, fields.comm);
    const pid = (cloneFlags & CLONE.thread) === 0 ? tid : undefined;
    return { type: 'fork', at, tid, pid, creatorTid, cloneFlags, comm };
  }

  #readRename(page: DataView, bytes: Buffer, start: number, end: number, at: EventNs): TaskEvent | undefined {
    const fields = this.#rename;
    if (start + fields.endBytes > end) return this.#malformed();
    const tid = readInt(page, start, fields.tid);
    const comm = this.#text(page, bytes, start, end, fields.comm);
    if (!isTid(tid) || comm === undefined) return this.#malformed();
    return { type: 'rename', at, tid, comm };
  }

  #readExec(page: DataView, bytes: Buffer, start: number, end: number, at: EventNs): TaskEvent | undefined {
    const fields = this.#exec;
    if (start + fields.endBytes > end) return this.#malformed();
    const pid = readInt(page, start, fields.pid);
    const oldTid = fields.oldTid && readInt(page, start, fields.oldTid);
    const filename = this.#text(page, bytes, start, end, fields.filename);
    if (!isTid(pid) || (oldTid !== undefined && !isTid(oldTid)) || filename === undefined) return this.#malformed();
    return { type: 'exec', at, pid, oldTid, filename };
  }

  #readExit(page: DataView, bytes: Buffer, start: number, end: number, at: EventNs): TaskEvent | undefined {
    const fields = this.#exit;
    if (start + fields.endBytes > end) return this.#malformed();
    const tid = readInt(page, start, fields.tid);
    if (!isTid(tid)) return this.#malformed();
    const isGroupDead = fields.isGroupDead && readInt(page, start, fields.isGroupDead) !== 0;
    const comm = fields.comm && this.#text(page, bytes, start, end, fields.comm);
    return { type: 'exit', at, tid, isGroupDead, comm };
  }

  #readOptional(page: DataView, bytes: Buffer, start: number, end: number, at: EventNs): KernelRecord | undefined {
    const optional = this.#optional.get(this.eventId(page, start));
    if (optional === undefined || start + optional.endBytes > end) return this.#malformed();
    const record = optional.read(page, bytes, start, end, at, this.#texts) ?? this.#malformed();
    return record === NOTHING ? undefined : record;
  }

  #text(page: DataView, bytes: Buffer, start: number, end: number, field: Field): string | undefined {
    return this.#texts.text(page, bytes, start, end, field);
  }

  #malformed(): undefined {
    this.problem = 'malformed-record';
    return undefined;
  }
}

// Fields of each event, and the length that a record needs for them to be there.

interface ForkFields {
  readonly tid: Field;
  readonly cloneFlags: Field;
  readonly comm: Field | undefined;
  readonly endBytes: number;
}

function forkFields(format: EventFormat): ForkFields {
  const tid = requireField(format, 'pid', 'int');
  const cloneFlags = requireField(format, 'clone_flags', 'int');
  const comm = optionalField(format, 'comm', 'text');
  const creator = requireField(format, 'common_pid', 'int');
  return { tid, cloneFlags, comm, endBytes: endOf(tid, cloneFlags, comm, creator) };
}

interface RenameFields {
  readonly tid: Field;
  readonly comm: Field;
  readonly endBytes: number;
}

function renameFields(format: EventFormat): RenameFields {
  // Without a pid of its own the record is about the task that made it.
  const tid = optionalField(format, 'pid', 'int') ?? requireField(format, 'common_pid', 'int');
  const comm = requireField(format, 'newcomm', 'text');
  return { tid, comm, endBytes: endOf(tid, comm) };
}

interface ExecFields {
  readonly pid: Field;
  readonly oldTid: Field | undefined;
  readonly filename: Field;
  readonly endBytes: number;
}

function execFields(format: EventFormat): ExecFields {
  const pid = requireField(format, 'pid', 'int');
  const oldTid = optionalField(format, 'old_pid', 'int');
  const filename = requireField(format, 'filename', 'text');
  return { pid, oldTid, filename, endBytes: endOf(pid, oldTid, filename) };
}

interface ExitFields {
  readonly tid: Field;
  readonly isGroupDead: Field | undefined;
  readonly comm: Field | undefined;
  readonly endBytes: number;
}

function exitFields(format: EventFormat): ExitFields {
  const tid = requireField(format, 'pid', 'int');
  const isGroupDead = optionalField(format, 'group_dead', 'int');
  const comm = optionalField(format, 'comm', 'text');
  return { tid, isGroupDead, comm, endBytes: endOf(tid, isGroupDead, comm) };
}
