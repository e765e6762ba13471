// Records that not every kernel writes.
//
//   sched_prepare_exec   what will interpret the program of an exec
//   cgroup_attach_task   into which control group a task was moved
//   sys_exit_setuid…     that a thread has got another user or group

import { type EventNs, isTid } from '@dendro/protocol';
import { type EventFormat, requireField } from './format.ts';
import { ID_CALLS, type IdName } from './kernel-events.ts';
import type { KernelRecord } from './kernel-record.ts';
import { kernelText } from './kernel-text.ts';
import { endOf, readInt, type TextPlace, type TextReader } from './record-fields.ts';

/** What a record says that is in order, and of no use. */
export const NOTHING = 'nothing';

export interface OptionalRecord {
  /** Bytes that a record must have to be read. */
  readonly endBytes: number;
  /**
   * Hot: runs once per record, which is `[start, end)` of a page, of which `page` and `bytes` are two views.
   * @returns undefined when the record is malformed
   */
  readonly read: (
    page: DataView,
    bytes: Buffer,
    start: number,
    end: number,
    at: EventNs,
    texts: TextReader,
  ) => KernelRecord | typeof NOTHING | undefined;
}

/** The kernel cuts paths of control groups to so many bytes. */
const MAX_PATH_BYTES = 1023;

const READERS: Readonly<Record<string, (format: EventFormat) => OptionalRecord>> = {
  sched_prepare_exec: prepareExec,
  cgroup_attach_task: move,
  ...Object.fromEntries(Object.entries(ID_CALLS).map(([call, id]) => [`sys_exit_${call}`, idChange(id)])),
};

/** Is it an event of these, in a form that can be read? */
export function isOptional(format: EventFormat): boolean {
  try {
    optionalRecord(format);
    return true;
  } catch {
    return false; // another kernel's idea of the event: as good as none
  }
}

/** @throws Error with a clause that says why, when it is none of these, or lacks a field that is needed */
export function optionalRecord(format: EventFormat): OptionalRecord {
  const reader = Object.hasOwn(READERS, format.name) ? READERS[format.name] : undefined;
  if (reader === undefined) throw new Error(`${format.name} is not an event that is read`);
  return reader(format);
}

function prepareExec(format: EventFormat): OptionalRecord {
  const tid = requireField(format, 'pid', 'int');
  const interp = requireField(format, 'interp', 'text');
  const filename = requireField(format, 'filename', 'text');
  return {
    endBytes: endOf(tid, interp, filename),
    read: (page, bytes, start, end, at, texts) => {
      const caller = readInt(page, start, tid);
      const by = texts.find(page, start, end, interp);
      const program = texts.find(page, start, end, filename);
      if (!isTid(caller) || by === undefined || program === undefined) return undefined;
      // A program that needs nobody else is called its own interpreter: so are nearly all.
      if (isSame(bytes, by, program)) return NOTHING;
      return { type: 'prepare-exec', at, tid: caller, interp: kernelText(bytes, by.start, by.end) };
    },
  };
}

function isSame(bytes: Buffer, one: TextPlace, other: TextPlace): boolean {
  const length = one.end - one.start;
  if (other.end - other.start !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[one.start + i] !== bytes[other.start + i]) return false;
  return true;
}

function move(format: EventFormat): OptionalRecord {
  const tid = requireField(format, 'pid', 'int');
  const hierarchy = requireField(format, 'dst_root', 'int');
  const path = requireField(format, 'dst_path', 'text');
  return {
    endBytes: endOf(tid, hierarchy, path),
    read: (page, bytes, start, end, at, texts) => {
      const moved = readInt(page, start, tid);
      const to = texts.text(page, bytes, start, end, path);
      if (!isTid(moved) || to === undefined) return undefined;
      const isWhole = Buffer.byteLength(to) < MAX_PATH_BYTES;
      return {
        type: 'move',
        at,
        tid: moved,
        hierarchy: readInt(page, start, hierarchy),
        path: isWhole ? to : undefined,
      };
    },
  };
}

function idChange(id: IdName): (format: EventFormat) => OptionalRecord {
  return (format) => {
    const caller = requireField(format, 'common_pid', 'int');
    const result = requireField(format, 'ret', 'int');
    return {
      endBytes: endOf(caller, result),
      read: (page, _bytes, start, _end, at) => {
        const tid = readInt(page, start, caller);
        if (!isTid(tid)) return undefined;
        // Where the kernel has not taken the filter.
        if (readInt(page, start, result) !== 0) return NOTHING;
        return { type: 'id-change', at, tid, id };
      },
    };
  };
}
