// What was found in a line, by slot, and the events that it makes: the same as
// decode.ts makes of parsed JSON.

import {
  AUTHORITY,
  type EventNs,
  type ExecEvent,
  type ExitEvent,
  type FileInfo,
  type ForkEvent,
  type ObserveEvent,
  type RenameEvent,
} from '@dendro/protocol';
import { JsonBytes } from './json-bytes.ts';
import { SLOT, SLOTS } from './slots.ts';
import { TextCache } from './text-cache.ts';
import { UNKNOWN_TIME } from './time-reader.ts';

const CORE_DUMPED = 0x80;

export class Scanned extends JsonBytes {
  /** Which slots the line has a value of. */
  slots: Uint8Array = new Uint8Array(SLOTS);
  /** Of numbers, and of times that are known. */
  readonly numbers = new Float64Array(SLOTS);
  /** Of texts, where they are. A string is made when it is asked for. */
  readonly froms = new Int32Array(SLOTS);
  readonly ends = new Int32Array(SLOTS);
  argv: readonly string[] = [];
  isGroupDead: boolean | undefined;
  readonly #texts = new TextCache();

  number(slot: number): number | undefined {
    return this.slots[slot] === 1 ? this.numbers[slot] : undefined;
  }

  time(slot: number): EventNs | undefined {
    const time = this.number(slot);
    return time === UNKNOWN_TIME ? undefined : (time as EventNs | undefined);
  }

  text(slot: number): string | undefined {
    return this.slots[slot] === 1 ? this.textIn(this.froms[slot] as number, this.ends[slot] as number) : undefined;
  }

  /** An empty text is none. */
  someText(slot: number): string | undefined {
    return this.text(slot) || undefined;
  }

  /** What stands between quotes, as JSON means it. */
  textIn(from: number, end: number): string {
    const { bytes } = this;
    if (this.plainEnd(from) >= end) return this.#texts.take(bytes, this.view, from, end);
    // Invalid UTF-8 becomes U+FFFD as it does in a whole line: no sequence of bytes goes on beyond a quote.
    return JSON.parse(bytes.toString('utf8', from - 1, end + 1)) as string;
  }
}

/** The task that the event happened in. */
export interface Task {
  readonly at: EventNs;
  readonly tid: number;
  readonly pid: number;
  readonly ppid: number;
  readonly start: EventNs | undefined;
  readonly comm: string | undefined;
  readonly uid: number | undefined;
  readonly container: string | undefined;
}

/** @returns undefined when something is missing */
export function taskOf(scanned: Scanned, isLegacy: boolean): Task | undefined {
  const at = scanned.time(SLOT.at);
  const tid = scanned.number(SLOT.tid);
  const pid = scanned.number(SLOT.pid);
  const ppid = scanned.number(SLOT.ppid) ?? (isLegacy ? undefined : 0);
  if (at === undefined || tid === undefined || pid === undefined || ppid === undefined) return undefined;
  return {
    at,
    tid,
    pid,
    ppid,
    start: scanned.time(SLOT.start),
    comm: scanned.text(SLOT.comm),
    uid: scanned.number(SLOT.uid),
    container: scanned.someText(SLOT.container) ?? scanned.someText(SLOT.containerBeside),
  };
}

export function sightingOf(scanned: Scanned, task: Task): ObserveEvent | undefined {
  const { at, tid, pid, ppid, start, comm, uid, container } = task;
  if (start === undefined || tid === 0 || pid === 0) return undefined;
  return {
    type: 'observe',
    at,
    tid,
    pid,
    ppid,
    start,
    startIsTick: false,
    authority: AUTHORITY.event,
    comm,
    uid,
    nsTid: scanned.number(SLOT.nsTid),
    nsPid: scanned.number(SLOT.nsPid),
    pidNs: scanned.number(SLOT.pidNs) || undefined,
    container,
  };
}

/** @returns undefined when something is missing */
export function forkOf(scanned: Scanned, task: Task): ForkEvent | undefined {
  const tid = scanned.number(SLOT.childTid);
  const pid = scanned.number(SLOT.childPid);
  if (!tid || !pid) return undefined;
  return {
    type: 'fork',
    at: task.at,
    tid,
    pid,
    start: scanned.time(SLOT.childStart),
    creatorTid: scanned.number(SLOT.parentTid) ?? task.tid,
    creatorPid: scanned.number(SLOT.parentPid) ?? task.pid,
    creatorStart: scanned.time(SLOT.parentStart),
    parentPid: scanned.number(SLOT.parentProcessPid),
    parentStart: scanned.time(SLOT.parentProcessStart),
    leaderStart: scanned.time(SLOT.leaderStart),
    nsTid: scanned.number(SLOT.childNsTid),
    nsPid: scanned.number(SLOT.childNsPid),
  };
}

export function execOf(scanned: Scanned, { at, tid, pid, start, comm, uid, container }: Task): ExecEvent {
  return {
    type: 'exec',
    at,
    pid,
    oldTid: tid,
    start: tid === pid ? start : undefined,
    comm,
    filename: scanned.someText(SLOT.cmdpath),
    executable: executableOf(scanned),
    argv: scanned.slots[SLOT.argv] === 1 ? scanned.argv : undefined,
    cwd: scanned.someText(SLOT.pwd),
    interpreter: loaderOf(scanned),
    interp: scanned.someText(SLOT.interp),
    uid,
    container,
  };
}

export function exitOf(scanned: Scanned, { at, tid, pid, start, comm }: Task): ExitEvent {
  const signal = (scanned.number(SLOT.signalCode) ?? 0) & ~CORE_DUMPED & 0xff;
  const code = scanned.number(SLOT.exitCode);
  return {
    type: 'exit',
    at,
    tid,
    pid,
    start,
    isGroupDead: scanned.isGroupDead,
    comm,
    code: signal !== 0 || code === undefined ? undefined : code & 0xff,
    signal: signal === 0 ? undefined : signal,
  };
}

/** @returns undefined when the new name is missing */
export function renameOf(scanned: Scanned, { at, tid, pid, start }: Task): RenameEvent | undefined {
  const comm = scanned.text(SLOT.newName);
  return comm === undefined ? undefined : { type: 'rename', at, tid, pid, start, comm };
}

function executableOf(scanned: Scanned): FileInfo | undefined {
  const path = scanned.someText(SLOT.pathname);
  if (path === undefined) return undefined;
  return {
    path,
    device: scanned.number(SLOT.device),
    inode: scanned.text(SLOT.inode),
    ctime: scanned.text(SLOT.ctime),
    mode: scanned.number(SLOT.mode),
    hash: scanned.someText(SLOT.hash),
  };
}

function loaderOf(scanned: Scanned): FileInfo | undefined {
  const path = scanned.someText(SLOT.loaderPath);
  if (path === undefined) return undefined;
  return {
    path,
    device: scanned.number(SLOT.loaderDevice),
    inode: scanned.text(SLOT.loaderInode),
    ctime: scanned.text(SLOT.loaderCtime),
  };
}
