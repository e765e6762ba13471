// Events of the audit log as TaskEvents.
//
// A record says who called by the pid of the process, never by the tid: whose
// thread it was is not in the log. Its ppid and ids are sightings. The time is
// that at which the call began; children that are born by vfork are heard of
// before the record of their birth.
//
// The flags of clone3 are not logged. Its child was a process if a record of
// that pid names the caller as parent, sooner or later; if none does, it was a
// thread, or nobody that did anything which is logged, and is left out.
//
// The child's number is that of the caller's pid namespace. Where the log shows
// that this is not the host's, the number is not used: the child's own records
// say who it is.

import { AUTHORITY, CLONE, type EventNs, isTid, type TaskEvent } from '@dendro/protocol';
import { type Call, type EventReject, isExec, NS_PER_MS, readCall, timeOf } from './call.ts';
import type { AuditEvent } from './event-join.ts';
import { type KnownProcess, KnownProcesses } from './known-processes.ts';
import { argumentsOf, filesOf } from './program.ts';
import { type Fields, hexField, numberField, textField } from './record.ts';
import { hasFlagsFirst } from './syscalls.ts';

export interface ProcessSink {
  give(epochNs: bigint, make: (at: EventNs) => TaskEvent): void;
  reject(reason: EventReject): void;
}

interface Birth {
  readonly creator: KnownProcess;
  readonly epochNs: bigint;
}

const MAX_AWAITED = 8192;
const NEW_PID_NS = 0x20000000;
const SET_NAME = 15;

export class ProcessReader {
  readonly #sink: ProcessSink;
  readonly #known = new KnownProcesses();
  /** Children of clone3 that may be processes. */
  readonly #awaited = new Map<number, Birth>();

  constructor(sink: ProcessSink) {
    this.#sink = sink;
  }

  /** @returns whether it is of a process */
  take(event: AuditEvent): boolean {
    if (event.abend !== undefined) return this.#takeAbend(event.abend, timeOf(event));
    const call = readCall(event);
    if (typeof call === 'string') {
      this.#sink.reject(call);
      return false;
    }
    const process = this.#meet(call);
    switch (call.hasFailed ? 'other' : call.name) {
      case 'fork':
      case 'vfork':
      case 'clone':
      case 'clone3':
        this.#takeBirth(process, call);
        break;
      case 'execve':
      case 'execveat':
        this.#takeExec(process, call, event);
        break;
      case 'exit':
      case 'exit_group':
        this.#takeExit(process, call);
        break;
      case 'set-ids':
        this.#tellIds(process, call, AUTHORITY.event);
        break;
      case 'prctl':
        this.#takeRename(process, call);
        break;
      case 'unshare':
        process.bearsInside ||= ((hexField(call.fields.get('a0')) ?? 0) & NEW_PID_NS) !== 0;
        break;
      case 'setns':
        process.bearsInside ||= ((hexField(call.fields.get('a1')) ?? 0) & NEW_PID_NS) !== 0;
        break;
      case undefined:
        this.#sink.reject('unknown-architecture');
        break;
      default:
        break; // that it was there has been told
    }
    return true;
  }

  /** The feed is over: who has not been heard of is not. */
  end(): void {
    for (let left = this.#awaited.size; left > 0; left--) this.#sink.reject('birth-of-unknown-kind');
    this.#awaited.clear();
  }

  /** Tells what a record says in passing, where it is new. */
  #meet(call: Call): KnownProcess {
    const { pid, ppid, epochNs } = call;
    const before = this.#known.get(pid);
    const isKnown = before !== undefined && (before.endNs === undefined || isBy(epochNs, before.endNs));
    const process = isKnown ? before : this.#known.add(pid, ppid, epochNs);
    const birth = this.#awaited.get(pid);
    if (birth !== undefined && !process.isBorn && birth.creator.pid === ppid && isBy(birth.epochNs, epochNs)) {
      this.#forgetAwaited(pid, birth);
      this.#tellBirth(process, birth, 0);
    }
    if (ppid > 0 && (!isKnown || process.ppid !== ppid) && !(process.isBorn && process.ppid === ppid)) {
      this.#sink.give(epochNs, (at) => ({
        type: 'reparent',
        at,
        pid,
        parentPid: ppid,
        authority: AUTHORITY.sighting,
      }));
    }
    process.ppid = ppid;
    if (isExec(call)) return process;
    const isOther = this.#tellProgram(process, call);
    if (isOther || (!isKnown && !process.isBorn)) this.#tellName(call);
    if (call.hasFailed || call.name !== 'set-ids') this.#tellIds(process, call, AUTHORITY.sighting);
    return process;
  }

  /** A log whose rules name no exec says in passing what a process runs. @returns whether it ran something else before */
  #tellProgram(process: KnownProcess, { pid, fields, epochNs }: Call): boolean {
    const path = textField(fields.get('exe'));
    const before = process.executable;
    if (path === undefined || path === before) return false;
    process.executable = path;
    this.#sink.give(epochNs, (at) => ({ type: 'program-seen', at, pid, executable: { path } }));
    return before !== undefined;
  }

  // The name is that of the thread that called: of a process that has just been met, or runs something else, it is the
  // best there is.
  #tellName({ pid, fields, epochNs }: Call): void {
    const comm = textField(fields.get('comm'));
    if (comm === undefined) return;
    this.#sink.give(epochNs, (at) => ({
      type: 'rename',
      at,
      tid: pid,
      pid,
      comm,
      authority: AUTHORITY.sighting,
    }));
  }

  #tellIds(
    process: KnownProcess,
    { pid, uid, gid, epochNs }: Call,
    authority: typeof AUTHORITY.event | typeof AUTHORITY.sighting,
  ): void {
    if (process.uid === uid && process.gid === gid) return;
    process.uid = uid;
    process.gid = gid;
    this.#sink.give(epochNs, (at) => ({ type: 'credentials', at, pid, uid, gid, authority }));
  }

  #takeBirth(creator: KnownProcess, { name, result, fields, epochNs }: Call): void {
    if (!isTid(result) || result === 0) {
      this.#sink.reject('bad-field');
      return;
    }
    const isReadable = name === 'clone' && hasFlagsFirst(fields.get('arch') ?? '');
    const flags = name === 'clone' ? hexField(fields.get('a0')) : name === 'vfork' ? CLONE.vfork | CLONE.vm : 0;
    if (creator.isInside) this.#sink.reject('birth-in-a-namespace');
    else if (name === 'clone3' || flags === undefined || (name === 'clone' && !isReadable)) {
      this.#awaitChild(result, { creator, epochNs });
    } else if ((flags & CLONE.thread) !== 0) this.#tellThread(creator, result, flags, epochNs);
    else {
      this.#dropAwaited(result); // who had the number before is gone
      const child = this.#childOf(creator.pid, result, epochNs) ?? this.#known.add(result, creator.pid, epochNs);
      child.isInside = creator.bearsInside || (flags & NEW_PID_NS) !== 0;
      this.#tellBirth(child, { creator, epochNs }, flags);
    }
  }

  /** The child, when it has been heard of already. */
  #childOf(creator: number, pid: number, epochNs: bigint): KnownProcess | undefined {
    const child = this.#known.get(pid);
    return child !== undefined && !child.isBorn && isBy(epochNs, child.firstNs) && child.ppid === creator
      ? child
      : undefined;
  }

  #awaitChild(pid: number, birth: Birth): void {
    const child = this.#childOf(birth.creator.pid, pid, birth.epochNs);
    if (child !== undefined) {
      this.#tellBirth(child, birth, 0);
      return;
    }
    this.#dropAwaited(pid);
    const [oldest] = this.#awaited.keys();
    if (oldest !== undefined && this.#awaited.size >= MAX_AWAITED) this.#dropAwaited(oldest);
    this.#awaited.set(pid, birth);
    birth.creator.awaited++;
  }

  #dropAwaited(pid: number): void {
    const birth = this.#awaited.get(pid);
    if (birth === undefined) return;
    this.#forgetAwaited(pid, birth);
    this.#sink.reject('birth-of-unknown-kind');
  }

  #forgetAwaited(pid: number, birth: Birth): void {
    this.#awaited.delete(pid);
    birth.creator.awaited--;
  }

  #tellBirth(child: KnownProcess, { creator, epochNs }: Birth, cloneFlags: number): void {
    const tid = child.pid;
    const creatorPid = creator.pid;
    child.isBorn = true;
    child.executable ??= creator.executable;
    this.#sink.give(epochNs, (at) => ({
      type: 'fork',
      at,
      tid,
      pid: tid,
      creatorTid: creatorPid,
      creatorPid,
      cloneFlags,
    }));
  }

  #tellThread(process: KnownProcess, tid: number, cloneFlags: number, epochNs: bigint): void {
    const { pid } = process;
    process.hasThreads = true;
    this.#sink.give(epochNs, (at) => ({
      type: 'fork',
      at,
      tid,
      pid,
      creatorTid: pid,
      creatorPid: pid,
      cloneFlags,
    }));
  }

  #takeExec(process: KnownProcess, { pid, uid, gid, fields, epochNs }: Call, event: AuditEvent): void {
    const files = filesOf(event, textField(fields.get('exe')));
    const argv = argumentsOf(event);
    if (argv === undefined) this.#sink.reject('incomplete-arguments');
    const comm = textField(fields.get('comm'));
    const cwd = textField(event.cwd?.get('cwd'));
    process.hasThreads = false;
    process.executable = files.executable?.path;
    process.uid = uid;
    this.#sink.give(epochNs, (at) => ({ type: 'exec', at, pid, comm, argv, cwd, uid, ...files }));
    if (process.gid === gid) return;
    process.gid = gid;
    this.#sink.give(epochNs, (at) => ({ type: 'credentials', at, pid, gid, authority: AUTHORITY.sighting }));
  }

  // exit ends the thread that called, whichever it was; the C library ends a process with exit_group.
  #takeExit(process: KnownProcess, { name, pid, fields, epochNs }: Call): void {
    const code = hexField(fields.get('a0'));
    if (name === 'exit' && (process.hasThreads || process.awaited > 0 || !process.isBorn)) {
      this.#sink.reject('exit-of-a-thread');
      return;
    }
    process.endNs = epochNs;
    this.#tellEnd(pid, epochNs, code === undefined ? undefined : code & 0xff, undefined);
  }

  #takeRename(process: KnownProcess, { pid, fields, epochNs }: Call): void {
    const comm = textField(fields.get('comm'));
    if (hexField(fields.get('a0')) !== SET_NAME || comm === undefined) return;
    if (process.hasThreads || process.awaited > 0) return; // which of them has it now?
    this.#sink.give(epochNs, (at) => ({ type: 'rename', at, tid: pid, pid, comm }));
  }

  /** A process that dies of a fault has a record of its own, the only ones that tell of a signal. */
  #takeAbend(fields: Fields, epochNs: bigint): boolean {
    const pid = numberField(fields.get('pid'));
    const signal = numberField(fields.get('sig'));
    if (!isTid(pid) || pid === 0 || signal === undefined || signal < 1 || signal > 64) {
      this.#sink.reject('bad-field');
      return false;
    }
    const process = this.#known.get(pid);
    if (process !== undefined) process.endNs = epochNs;
    this.#tellEnd(pid, epochNs, undefined, signal);
    return true;
  }

  #tellEnd(pid: number, epochNs: bigint, code: number | undefined, signal: number | undefined): void {
    this.#sink.give(epochNs, (at) => ({ type: 'exit', at, tid: pid, pid, isGroupDead: true, code, signal }));
  }
}

/** Not after it, as far as the log tells: serials are given out when calls return, times are those of their beginning. */
function isBy(time: bigint, other: bigint): boolean {
  return time / NS_PER_MS <= other / NS_PER_MS;
}
