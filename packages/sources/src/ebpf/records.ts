// Records of the BPF programs, as TaskEvents. The layout is that of
// bpf/lifecycle.bpf.c: little-endian, aligned to 8, strings behind the fixed
// part in the order of their lengths.
//
// A record comes from the kernel by way of another process: lengths and ids are
// checked as those of any input.

import { CLONE, type EventNs, type FileInfo, isTid, type TaskEvent } from '@dendro/protocol';
import { statusOf } from '../cn-proc/messages.ts';
import type { HostClock } from '../host-clock.ts';
import { containerOf } from '../procfs/container.ts';
import { CommCache, kernelText, kernelTexts } from '../tracefs/kernel-text.ts';
import { Repeats } from './repeats.ts';

export const RECORD = { birth: 1, exec: 2, exit: 3, rename: 4, credentials: 5, cgroup: 6 } as const;
export const RECORD_BYTES = { head: 72, birth: 120, exec: 160, exit: 96, cgroup: 88 } as const;

export type RecordProblem = 'unknown-record' | 'malformed-record';

/** An exit also tells who becomes the parent of the children; 0 when there are none. */
export interface Heir {
  readonly pid: number;
  readonly heirPid: number;
  readonly at: EventNs;
}

const HEAD = {
  at: 0,
  start: 8,
  leaderStart: 16,
  tid: 24,
  pid: 28,
  ppid: 32,
  uid: 36,
  gid: 40,
  euid: 44,
  egid: 48,
  type: 52,
  comm: 56,
} as const;
const BIRTH = {
  cloneFlags: 72,
  creatorStart: 80,
  parentStart: 88,
  creatorTid: 96,
  creatorPid: 100,
  nsTid: 104,
  nsPid: 108,
  pidNs: 112,
} as const;
const EXIT = { code: 72, groupCode: 76, leaderCode: 80, flags: 84, heir: 88 } as const;
const EXIT_FLAG = { groupDead: 1, groupExit: 2 } as const;
const EXEC = {
  inode: 72,
  ctimeSeconds: 80,
  ctimeNs: 112,
  device: 116,
  mode: 120,
  links: 124,
  oldTid: 128,
  flags: 132,
  argvTotal: 136,
  lengths: 148,
} as const;
/** Where that lies which tells of the file. */
const FILE_WORDS = [
  EXEC.inode,
  EXEC.inode + 4,
  EXEC.ctimeSeconds,
  EXEC.ctimeSeconds + 4,
  EXEC.ctimeNs,
  EXEC.device,
  EXEC.mode,
  EXEC.links,
];
const EXEC_FLAG = { executableCut: 1, executableLoose: 2, cwdCut: 4, cwdLoose: 8, argvFault: 16 } as const;
const CGROUP = { length: 80 } as const;

/** Bit 31 is a mark of the kernel's own (since 6.13), no part of the nanoseconds. */
const CTIME_NS = 0x7fff_ffff;
const NO_PATH_ROOM = '…';

export class RecordDecoder {
  /** Why the last record gave no event. */
  problem: RecordProblem | undefined = undefined;
  /** Who inherits the children of the process whose end was decoded last. */
  heir: Heir | undefined = undefined;
  readonly #clock: HostClock;
  readonly #sink: (event: TaskEvent) => void;
  readonly #comms = new CommCache();
  readonly #texts = new Repeats(kernelText);
  readonly #paths = new Repeats(pathOf);
  readonly #files = new Repeats((bytes, start, end) => new KnownFile(pathOf(bytes, start, end)));
  readonly #containers = new Repeats((bytes, start, end) => containerOf(groupPath(bytes, start, end)));

  constructor(clock: HostClock, sink: (event: TaskEvent) => void) {
    this.#clock = clock;
    this.#sink = sink;
  }

  /**
   * Tells what the record in `[start, end)` says: mostly one event, of the end of a process by another thread than its
   * leader two, of what has no place in the tree none. Hot: runs once per record.
   * @param view and `bytes` are two views of the same
   */
  decode(view: DataView, bytes: Buffer, start: number, end: number): void {
    this.problem = undefined;
    this.heir = undefined;
    if (end - start < RECORD_BYTES.head) {
      this.#malformed();
      return;
    }
    const tid = view.getUint32(start + HEAD.tid, true);
    const pid = view.getUint32(start + HEAD.pid, true);
    if (!isTid(tid) || !isTid(pid)) {
      this.#malformed();
      return;
    }
    const at = this.#time(view, start + HEAD.at);
    switch (view.getUint16(start + HEAD.type, true)) {
      case RECORD.birth:
        this.#decodeBirth(view, bytes, start, end, at, tid, pid);
        break;
      case RECORD.exec:
        this.#decodeExec(view, bytes, start, end, at, pid);
        break;
      case RECORD.exit:
        this.#decodeExit(view, bytes, start, end, at, tid, pid);
        break;
      case RECORD.rename: {
        const comm = this.#comms.text(view, bytes, start + HEAD.comm);
        this.#sink({ type: 'rename', at, tid, pid, start: this.#time(view, start + HEAD.start), comm });
        break;
      }
      case RECORD.credentials:
        if (tid !== pid) break; // the tree keeps those of the process [CR1]
        this.#sink({
          type: 'credentials',
          at,
          pid,
          start: this.#time(view, start + HEAD.start),
          uid: view.getUint32(start + HEAD.uid, true),
          gid: view.getUint32(start + HEAD.gid, true),
          euid: view.getUint32(start + HEAD.euid, true),
          egid: view.getUint32(start + HEAD.egid, true),
        });
        break;
      case RECORD.cgroup:
        this.#decodeMove(view, bytes, start, end, at, tid, pid);
        break;
      default:
        this.problem = 'unknown-record';
    }
  }

  #decodeBirth(view: DataView, bytes: Buffer, start: number, end: number, at: EventNs, tid: number, pid: number): void {
    if (end - start < RECORD_BYTES.birth) {
      this.#malformed();
      return;
    }
    const creatorTid = view.getUint32(start + BIRTH.creatorTid, true);
    const creatorPid = view.getUint32(start + BIRTH.creatorPid, true);
    if (!isTid(creatorTid) || !isTid(creatorPid)) {
      this.#malformed();
      return;
    }
    const isThread = tid !== pid;
    const parentPid = view.getUint32(start + HEAD.ppid, true);
    if (!isTid(parentPid)) {
      this.#malformed();
      return;
    }
    this.#sink({
      type: 'fork',
      at,
      tid,
      pid,
      start: this.#time(view, start + HEAD.start),
      creatorTid,
      creatorPid,
      creatorStart: this.#time(view, start + BIRTH.creatorStart),
      // Of a thread it is the parent of its process, which is known from that one's birth.
      parentPid: isThread ? undefined : parentPid,
      parentStart: isThread ? undefined : this.#time(view, start + BIRTH.parentStart),
      leaderStart: isThread ? this.#time(view, start + HEAD.leaderStart) : undefined,
      // The upper word holds nothing that decides what a birth is.
      cloneFlags: view.getUint32(start + BIRTH.cloneFlags, true) & ~(isThread ? 0 : CLONE.thread),
      comm: this.#comms.text(view, bytes, start + HEAD.comm),
      nsTid: view.getUint32(start + BIRTH.nsTid, true),
      nsPid: view.getUint32(start + BIRTH.nsPid, true),
      pidNs: view.getUint32(start + BIRTH.pidNs, true),
    });
  }

  #decodeExec(view: DataView, bytes: Buffer, start: number, end: number, at: EventNs, pid: number): void {
    if (end - start < RECORD_BYTES.exec) {
      this.#malformed();
      return;
    }
    const lengthAt = start + EXEC.lengths;
    const argvAt = start + RECORD_BYTES.exec;
    const filenameAt = argvAt + view.getUint16(lengthAt, true);
    const interpAt = filenameAt + view.getUint16(lengthAt + 2, true);
    const executableAt = interpAt + view.getUint16(lengthAt + 4, true);
    const cwdAt = executableAt + view.getUint16(lengthAt + 6, true);
    const cgroupAt = cwdAt + view.getUint16(lengthAt + 8, true);
    const stop = cgroupAt + view.getUint16(lengthAt + 10, true);
    if (stop > end) {
      this.#malformed();
      return;
    }
    const flags = view.getUint32(start + EXEC.flags, true);
    const oldTid = view.getUint32(start + EXEC.oldTid, true);
    const filename = this.#texts.take(view, bytes, filenameAt, interpAt);
    const interp = this.#texts.take(view, bytes, interpAt, executableAt);
    const argvTotal = view.getUint32(start + EXEC.argvTotal, true);
    this.#sink({
      type: 'exec',
      at,
      pid,
      oldTid: isTid(oldTid) ? oldTid : undefined,
      start: this.#time(view, start + HEAD.start),
      comm: this.#comms.text(view, bytes, start + HEAD.comm),
      filename,
      executable: this.#file(view, bytes, executableAt, cwdAt, start, (flags & EXEC_FLAG.executableCut) !== 0),
      argv: (flags & EXEC_FLAG.argvFault) !== 0 ? undefined : argvOf(bytes, argvAt, filenameAt, argvTotal),
      cwd: this.#path(view, bytes, cwdAt, cgroupAt, (flags & EXEC_FLAG.cwdCut) !== 0),
      interp: interp === filename || interp === '' ? undefined : interp,
      uid: view.getUint32(start + HEAD.uid, true),
      gid: view.getUint32(start + HEAD.gid, true),
      euid: view.getUint32(start + HEAD.euid, true),
      egid: view.getUint32(start + HEAD.egid, true),
      container: cgroupAt === stop ? undefined : this.#containers.take(view, bytes, cgroupAt, stop),
    });
  }

  #decodeExit(view: DataView, bytes: Buffer, start: number, end: number, at: EventNs, tid: number, pid: number): void {
    if (end - start < RECORD_BYTES.exit) {
      this.#malformed();
      return;
    }
    const heirPid = view.getUint32(start + EXIT.heir, true);
    if (!isTid(heirPid)) {
      this.#malformed();
      return;
    }
    const flags = view.getUint32(start + EXIT.flags, true);
    const isGroupDead = (flags & EXIT_FLAG.groupDead) !== 0;
    const own = view.getUint32(start + EXIT.code, true);
    // As wait(2) finds it: that of the call that ended all threads, or else of the leader.
    const ofGroup = view.getUint32(
      start + ((flags & EXIT_FLAG.groupExit) !== 0 ? EXIT.groupCode : EXIT.leaderCode),
      true,
    );
    const comm = this.#comms.text(view, bytes, start + HEAD.comm);
    const taskStart = this.#time(view, start + HEAD.start);
    const isLeader = tid === pid;
    this.#sink({
      type: 'exit',
      at,
      tid,
      pid,
      start: taskStart,
      isGroupDead,
      comm,
      ...statusOf(isLeader && isGroupDead ? ofGroup : own),
    });
    if (!isGroupDead) return;
    if (!isLeader) {
      const leaderStart = this.#time(view, start + HEAD.leaderStart);
      this.#sink({ type: 'exit', at, tid: pid, pid, start: leaderStart, isGroupDead, ...statusOf(ofGroup) });
    }
    this.heir = { pid, heirPid, at };
  }

  #decodeMove(view: DataView, bytes: Buffer, start: number, end: number, at: EventNs, tid: number, pid: number): void {
    if (end - start < RECORD_BYTES.cgroup) {
      this.#malformed();
      return;
    }
    const from = start + RECORD_BYTES.cgroup;
    const to = from + view.getUint16(start + CGROUP.length, true);
    if (to > end) {
      this.#malformed();
      return;
    }
    const container = containerOf(groupPath(bytes, from, to));
    this.#sink({ type: 'container', at, tid, pid, start: this.#time(view, start + HEAD.start), container });
  }

  #path(view: DataView, bytes: Buffer, start: number, end: number, isCut: boolean): string | undefined {
    return isCut ? cutPathOf(bytes, start, end) : this.#paths.take(view, bytes, start, end);
  }

  #file(
    view: DataView,
    bytes: Buffer,
    start: number,
    end: number,
    record: number,
    isCut: boolean,
  ): FileInfo | undefined {
    if (!isCut) return this.#files.take(view, bytes, start, end).info(view, record);
    const path = cutPathOf(bytes, start, end);
    return path === undefined ? undefined : fileOf(view, record, path);
  }

  #time(view: DataView, at: number): EventNs {
    return this.#clock.fromBootNs(view.getUint32(at + 4, true), view.getUint32(at, true));
  }

  #malformed(): void {
    this.problem = 'malformed-record';
  }
}

/** A path, and what was last said of the file that it leads to. */
class KnownFile {
  readonly #path: string;
  readonly #words = new Int32Array(FILE_WORDS.length);
  #info: FileInfo | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** The same object for the same file. */
  info(view: DataView, record: number): FileInfo {
    let isSame = this.#info !== undefined;
    for (let i = 0; i < FILE_WORDS.length; i++) {
      const word = view.getInt32(record + (FILE_WORDS[i] as number), true);
      if (this.#words[i] === word) continue;
      this.#words[i] = word;
      isSame = false;
    }
    if (!isSame) this.#info = fileOf(view, record, this.#path);
    return this.#info as FileInfo;
  }
}

/** Of names with NULs, the last one first. */
function pathOf(bytes: Buffer, start: number, end: number): string {
  return `/${kernelTexts(bytes, start, end).reverse().join('/')}`;
}

/** A path that was too long shows that its beginning is missing. Undefined where there is nothing of it. */
function cutPathOf(bytes: Buffer, start: number, end: number): string | undefined {
  return start === end ? undefined : `${NO_PATH_ROOM}${pathOf(bytes, start, end)}`;
}

/** As a line of /proc/PID/cgroup. */
function groupPath(bytes: Buffer, start: number, end: number): string {
  return `::${pathOf(bytes, start, end)}`;
}

/** @param total bytes that there were: more than are here where it was too long */
function argvOf(bytes: Buffer, start: number, end: number, total: number): readonly string[] {
  const argv = kernelTexts(bytes, start, end);
  if (total > end - start) argv.push(`… (cut: the command line has ${total} bytes)`);
  return argv;
}

function fileOf(view: DataView, start: number, path: string): FileInfo {
  const seconds = view.getBigInt64(start + EXEC.ctimeSeconds, true);
  const ns = view.getUint32(start + EXEC.ctimeNs, true) & CTIME_NS;
  return {
    path,
    device: deviceOf(view.getUint32(start + EXEC.device, true)),
    inode: String(view.getBigUint64(start + EXEC.inode, true)),
    ctime: String(seconds * 1_000_000_000n + BigInt(ns)),
    mode: view.getUint32(start + EXEC.mode, true),
    links: view.getUint32(start + EXEC.links, true),
  };
}

/** The kernel keeps 12 bits of major above 20 of minor; stat(2) tells them in another order (sys/sysmacros.h). */
function deviceOf(device: number): number {
  const major = device >>> 20;
  const minor = device & 0xf_ffff;
  return (minor & 0xff) + (major << 8) + (minor >>> 8) * 0x10_0000;
}
