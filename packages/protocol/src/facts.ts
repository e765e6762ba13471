// Facts: everything that Dendro knows about a host.
//
// A fact is small, immutable, stamped with the time at which it took effect,
// and harmless when repeated or late. The tree is a function of the set of
// facts: delivery order and repetition never matter (packages/engine/SPEC.md).

import type { EntityId, EventNs, TaskId, Tid } from './ids.ts';

/**
 * How much a fact is worth when two disagree about the same thing at the same time.
 * The higher number wins.
 */
export const AUTHORITY = {
  /** Concluded, not seen: an exit because the pid was given out again, a path as it was passed to exec. */
  inferred: 0,
  /** Seen in /proc, or told of a task in passing by a tracer: it was so at that time, since when is open. */
  sighting: 1,
  /** Said by the kernel, or by a tracer that heard it from the kernel. */
  event: 2,
} as const;
export type Authority = (typeof AUTHORITY)[keyof typeof AUTHORITY];

/** Bits of a task fact. */
export const TASK_FLAG = {
  /** A thread other than the thread group leader. */
  thread: 1,
  kernelThread: 2,
  /** Known only because something else mentioned it. */
  placeholder: 4,
  /** Start comes from /proc and is a 10 ms tick, rounded down. */
  startIsTick: 8,
  /** Start is the time of first mention: the task began then or earlier. */
  startIsUnknown: 16,
  /** Born with CLONE_PARENT: its parent is that of its creator. */
  sibling: 32,
  /** Named as a process before it was known: no thread's birth can be its own. */
  namedAsProcess: 64,
} as const;

/** A file as it was when it was executed. 64-bit numbers are exact decimal strings. */
export interface FileInfo {
  readonly path: string;
  readonly device?: number | undefined;
  readonly inode?: string | undefined;
  /** Epoch nanoseconds. */
  readonly ctime?: string | undefined;
  /** st_mode. */
  readonly mode?: number | undefined;
  readonly hash?: string | undefined;
  /** Names that the file had then: 0 of one that was deleted, or never had any. */
  readonly links?: number | undefined;
}

/**
 * The versioned fields of a task. `inherited` fields follow the read rule: with no entry of its own at
 * time T a task has its creator's value as of its own start.
 * The number is the field's identity on the wire and on disk: never change or reuse one.
 */
export const FIELDS = {
  parent: { id: 1, type: 'task', inherited: false },
  comm: { id: 2, type: 'string', inherited: true },
  executable: { id: 3, type: 'file', inherited: true },
  argv: { id: 4, type: 'strings', inherited: true },
  cwd: { id: 5, type: 'string', inherited: true },
  interpreter: { id: 6, type: 'file', inherited: true },
  interp: { id: 7, type: 'string', inherited: true },
  uid: { id: 8, type: 'number', inherited: true },
  gid: { id: 9, type: 'number', inherited: true },
  nsTid: { id: 10, type: 'number', inherited: false },
  nsPid: { id: 11, type: 'number', inherited: false },
  pidNs: { id: 12, type: 'number', inherited: false },
  container: { id: 13, type: 'string', inherited: true },
  euid: { id: 14, type: 'number', inherited: true },
  egid: { id: 15, type: 'number', inherited: true },
} as const;
export type FieldName = keyof typeof FIELDS;
export type FieldType = 'task' | 'string' | 'strings' | 'file' | 'number';
export type FieldId = (typeof FIELDS)[FieldName]['id'];

/** JavaScript form of a field's value. `undefined` is a value too: from `since` on it is not known. */
export type FieldValue = string | number | readonly string[] | FileInfo | undefined;

export interface TaskFact {
  readonly type: 'task';
  readonly task: TaskId;
  readonly authority: Authority;
  readonly tid: Tid;
  /** Thread group id. */
  readonly pid: Tid;
  /** Thread group leader; the task itself when it is one. */
  readonly leader: TaskId;
  /** The task that forked this one, or NO_TASK_ID where nobody saw it. */
  readonly creator: TaskId;
  readonly start: EventNs;
  readonly entityId: EntityId;
  /** Sum of TASK_FLAG bits. */
  readonly flags: number;
}

export interface SetFact {
  readonly type: 'set';
  readonly task: TaskId;
  readonly field: FieldName;
  readonly since: EventNs;
  readonly authority: Authority;
  readonly value: FieldValue;
}

export interface ExitFact {
  readonly type: 'exit';
  readonly task: TaskId;
  readonly at: EventNs;
  readonly authority: Authority;
  /** Status given to exit(2), 0 to 255; undefined where the source cannot tell or a signal ended it. */
  readonly code: number | undefined;
  /** Signal number; undefined where none or unknown. */
  readonly signal: number | undefined;
}

/** Between `from` and `to` the source lost `lost` events (at least). */
export interface GapFact {
  readonly type: 'gap';
  readonly from: EventNs;
  readonly to: EventNs;
  readonly lost: number;
}

/** The task left memory. Says nothing about the host. */
export interface EvictFact {
  readonly type: 'evict';
  readonly task: TaskId;
  /** Were its creator and parents forgotten too? Else whoever descends from it still reads through it. */
  readonly isCut: boolean;
}

export type Fact = TaskFact | SetFact | ExitFact | GapFact | EvictFact;

const NAME_BY_ID: readonly (FieldName | undefined)[] = buildNames();
const TYPE_BY_ID: readonly (FieldType | undefined)[] = NAME_BY_ID.map((name) => name && FIELDS[name].type);

export const FIELD_COUNT = NAME_BY_ID.length;

export function fieldName(id: number): FieldName | undefined {
  return NAME_BY_ID[id];
}

export function fieldType(id: number): FieldType | undefined {
  return TYPE_BY_ID[id];
}

export function isTextField(type: FieldType | undefined): boolean {
  return type === 'string' || type === 'strings' || type === 'file';
}

// A text value travels as one string: an argument, a path or a name can hold any character but
// NUL, so NUL separates. Foreign feeds can say otherwise, and can hold half a surrogate pair,
// which UTF-8 cannot: both become U+FFFD here, so that every copy of the tree holds the same text.

/** @returns the wire text of a string, strings or file value. */
export function toWireText(type: FieldType, value: Exclude<FieldValue, undefined | number>): string {
  if (typeof value === 'string') return type === 'strings' ? `${toPart(value)}\0` : toWellFormed(value);
  if (isStrings(value)) {
    let text = '';
    for (const argument of value) text += `${toPart(argument)}\0`;
    return text;
  }
  const { path, device, inode = '', ctime = '', mode, hash = '', links } = value;
  return `${toPart(path)}\0${device ?? ''}\0${toPart(inode)}\0${toPart(ctime)}\0${mode ?? ''}\0${toPart(hash)}${links === undefined ? '' : `\0${links}`}`;
}

// Nearly every text is fine as it is: to look costs less than to copy.
function toPart(text: string): string {
  return toWellFormed(text.includes('\0') ? text.replaceAll('\0', '\u{FFFD}') : text);
}

function toWellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

/** Inverse of {@link toWireText}. */
export function fromWireText(type: FieldType, text: string): Exclude<FieldValue, undefined | number> {
  if (type === 'string') return text;
  if (type === 'strings') return text === '' ? [] : text.slice(0, -1).split('\0');
  const [path = '', device, inode, ctime, mode, hash, links] = text.split('\0');
  return {
    path,
    device: device ? Number(device) : undefined,
    inode: inode || undefined,
    ctime: ctime || undefined,
    mode: mode ? Number(mode) : undefined,
    hash: hash || undefined,
    links: links ? Number(links) : undefined,
  };
}

/** The path of a file value in wire text, without building the object. */
export function pathOfWireFile(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

function isStrings(value: readonly string[] | FileInfo): value is readonly string[] {
  return Array.isArray(value);
}

function buildNames(): (FieldName | undefined)[] {
  const names: (FieldName | undefined)[] = [];
  for (const [name, { id }] of Object.entries(FIELDS)) names[id] = name as FieldName;
  return Array.from(names);
}
