// The calls that change what the tree knows: births, programs, names, users,
// folders, pid namespaces.
//
// A task in a pid namespace of its own is given a number for its child that
// means nothing outside. The child is who was first heard of during the call,
// or soon after, and is nobody else's; where several may be it, nothing is said.

import { AUTHORITY, type EventNs, isTid, type TaskEvent } from '@dendro/protocol';
import { entersPidNs, flagsOf, readCloneFlags, readExec, readFolderOf, readQuoted, readRename } from './arguments.ts';
import type { StraceReject } from './reject-reason.ts';
import type { TracedTask, TracedTasks } from './tasks.ts';

export interface FinishedCall {
  readonly name: string;
  readonly args: string;
  /** Undefined where the call did not return. */
  readonly result: number | undefined;
  readonly translated: number | undefined;
  readonly begunNs: bigint;
  readonly returnedNs: bigint;
}

export interface CallSink {
  give(epochNs: bigint, make: (at: EventNs) => TaskEvent): void;
  reject(reason: StraceReject): void;
}

const BIRTHS: ReadonlySet<string> = new Set(['clone', 'clone3', 'fork', 'vfork']);
const EXECS: ReadonlySet<string> = new Set(['execve', 'execveat']);
const USER_CALLS: ReadonlySet<string> = new Set(['setuid', 'setreuid', 'setresuid']);
const GROUP_CALLS: ReadonlySet<string> = new Set(['setgid', 'setregid', 'setresgid']);
export const WANTED_CALLS: ReadonlySet<string> = new Set([
  ...BIRTHS,
  ...EXECS,
  ...[...USER_CALLS, ...GROUP_CALLS].flatMap((name) => [name, `${name}32`]),
  'prctl',
  'chdir',
  'fchdir',
  'unshare',
  'setns',
  'exit_group',
]);

const MAX_AWAITED = 1024;
const MAX_COMM_BYTES = 15;
const NUMBER = /^\d{1,10}$/;

interface Birth {
  readonly creator: TracedTask;
  readonly begunNs: bigint;
  readonly flags: number;
  readonly nsTid: number | undefined;
}

export class CallReader {
  readonly #tasks: TracedTasks;
  readonly #sink: CallSink;
  /** Heard of, and born by nobody that has been told; in the order of their first lines. */
  readonly #strangers = new Set<TracedTask>();
  /** Births whose child has not been heard of. */
  #awaited: Birth[] = [];
  #cutExecs = 0;

  constructor(tasks: TracedTasks, sink: CallSink) {
    this.#tasks = tasks;
    this.#sink = sink;
  }

  /** Execs of which strace did not tell all arguments. */
  get cutExecs(): number {
    return this.#cutExecs;
  }

  /** A task that has not been heard of before. */
  meet(tid: number, epochNs: bigint): TracedTask {
    const task = this.#tasks.add(tid, epochNs);
    const [birth, ...others] = this.#awaited;
    if (birth === undefined || others.length > 0) {
      const [oldest] = this.#strangers;
      if (oldest !== undefined && this.#strangers.size >= MAX_AWAITED) this.#strangers.delete(oldest);
      this.#strangers.add(task);
    } else {
      this.#awaited = [];
      this.#bear(task, birth);
    }
    return task;
  }

  /** @returns whether it gave an event */
  take(task: TracedTask, call: FinishedCall): boolean {
    const { name, args, result } = call;
    if (name === 'exit_group') {
      const code = /^-?\d{1,10}/.exec(args)?.[0];
      if (code !== undefined) task.exiting = { epochNs: call.begunNs, code: Number(code) & 0xff };
      return false;
    }
    if (result === undefined || result < 0) return false; // nothing has changed
    if (BIRTHS.has(name)) return result > 0 && this.#takeBirth(task, call);
    if (EXECS.has(name)) return this.#takeExec(task, call);
    switch (name) {
      case 'prctl':
        return this.#takeRename(task, call);
      case 'chdir':
      case 'fchdir':
        return this.#takeFolder(task, call);
      case 'unshare':
      case 'setns':
        task.bearsInside ||= entersPidNs(flagsOf(args.slice(args.indexOf(', ') + 1).trim()));
        return false;
      default:
        return this.#takeIds(task, call);
    }
  }

  #takeBirth(creator: TracedTask, { name, args, result = 0, translated, begunNs, returnedNs }: FinishedCall): boolean {
    const flags = readCloneFlags(name, args);
    if (flags === undefined) this.#sink.reject('unreadable-call');
    const isForeign = creator.isInside && translated === undefined;
    const nsTid = isForeign && !entersPidNs(flags ?? 0) && !creator.bearsInside ? result : undefined;
    const birth: Birth = { creator, begunNs, flags: flags ?? 0, nsTid };
    if (flags === undefined) return false;
    if (isForeign) return this.#takeForeignBirth(birth, returnedNs);
    const tid = translated ?? result;
    if (!isTid(tid)) {
      this.#sink.reject('bad-pid');
      return false;
    }
    // Whoever has this tid and was heard of during the call is the child; who had it before that is another.
    const known = this.#tasks.get(tid);
    const isChild = known !== undefined && !known.isBorn && known !== creator && known.firstNs >= begunNs;
    const child = isChild ? known : this.#tasks.add(tid, begunNs);
    this.#bear(child, birth);
    return true;
  }

  #takeForeignBirth(birth: Birth, returnedNs: bigint): boolean {
    const candidates = [...this.#strangers].filter(
      (task) => task.firstNs >= birth.begunNs && task.firstNs <= returnedNs && this.#tasks.get(task.tid) === task,
    );
    const [only, ...others] = candidates;
    if (only !== undefined && others.length === 0) {
      this.#bear(only, birth);
      return true;
    }
    if (only !== undefined || this.#awaited.length > 0) this.#sink.reject('birth-in-a-namespace');
    if (only === undefined && this.#awaited.length < MAX_AWAITED) this.#awaited.push(birth);
    if (this.#awaited.length > 1) this.#awaited = []; // whose is the next? nobody can say
    return false;
  }

  #bear(child: TracedTask, { creator, begunNs, flags, nsTid }: Birth): void {
    const { tid } = child;
    const isThread = (flags & 0x10000) !== 0;
    this.#strangers.delete(child);
    child.isBorn = true;
    child.pid = isThread ? creator.pid : tid;
    enterFolder(child, creator, isThread);
    child.isInside = creator.isInside || creator.bearsInside || entersPidNs(flags);
    const creatorPid = creator.pid;
    const pid = child.pid;
    this.#sink.give(begunNs, (at) => ({
      type: 'fork',
      at,
      tid,
      pid,
      creatorTid: creator.tid,
      creatorPid,
      cloneFlags: flags,
      nsTid,
      nsPid: isThread ? undefined : nsTid,
    }));
  }

  #takeExec(task: TracedTask, { name, args, returnedNs }: FinishedCall): boolean {
    const exec = readExec(name, args);
    if (exec === undefined) {
      this.#sink.reject('unreadable-call');
      return false;
    }
    const { filename, argv } = exec;
    const { tid } = task;
    const cwd = task.folder.path;
    const oldTid = task.execCaller ?? tid;
    // Whoever calls exec is the leader from then on, with the leader's tid.
    task.pid = tid;
    task.execCaller = undefined;
    if (argv?.isCut) this.#cutExecs++;
    const comm = filename.startsWith('/dev/fd/') ? undefined : cutComm(baseName(filename));
    this.#sink.give(returnedNs, (at) => ({
      type: 'exec',
      at,
      pid: tid,
      oldTid,
      comm,
      filename,
      argv: argv?.texts,
      cwd,
    }));
    return true;
  }

  #takeRename({ tid, pid }: TracedTask, { args, begunNs }: FinishedCall): boolean {
    const rename = readRename(args);
    if (rename === undefined) return false;
    const { name } = rename;
    if (name === undefined) {
      this.#sink.reject('unreadable-call');
      return false;
    }
    const comm = cutComm(name.text);
    this.#sink.give(begunNs, (at) => ({ type: 'rename', at, tid, pid, comm }));
    return true;
  }

  // fchdir names a descriptor, and its folder only where strace was told to (-y).
  #takeFolder({ tid, pid, folder }: TracedTask, { name, args, begunNs }: FinishedCall): boolean {
    const path = name === 'fchdir' ? readFolderOf(args) : readQuoted(args, 0);
    const isKnown = path !== undefined && !path.isCut;
    if (!isKnown && name === 'chdir') this.#sink.reject('unreadable-call');
    const cwd = isKnown ? joined(folder.path, path.text) : undefined;
    folder.path = cwd;
    this.#sink.give(begunNs, (at) => ({ type: 'chdir', at, tid, pid, cwd }));
    return true;
  }

  #takeIds(task: TracedTask, { name, args, begunNs }: FinishedCall): boolean {
    const call = name.replace(/32$/, '');
    const isUser = USER_CALLS.has(call);
    if (!isUser && !GROUP_CALLS.has(call)) return false;
    const [real = ''] = args.split(', ', 1);
    const id = NUMBER.test(real) ? Number(real) : undefined;
    if (id === undefined || id >= 0xffff_ffff) return false; // -1: it stays as it is
    const pid = task.pid ?? task.tid;
    // Without privileges setuid changes the effective user only, and strace does not say who had them.
    const authority = call === 'setuid' || call === 'setgid' ? AUTHORITY.inferred : AUTHORITY.event;
    this.#sink.give(begunNs, (at) => ({
      type: 'credentials',
      at,
      pid,
      authority,
      uid: isUser ? id : undefined,
      gid: isUser ? undefined : id,
    }));
    return true;
  }
}

/** A thread shares the folder of its process, from its birth on; what it has done before that was told was told of it alone. */
function enterFolder(child: TracedTask, creator: TracedTask, isThread: boolean): void {
  const path = child.folder.path ?? creator.folder.path;
  if (isThread) child.folder = creator.folder;
  child.folder.path = path;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function cutComm(name: string): string {
  const bytes = Buffer.from(name);
  return bytes.length <= MAX_COMM_BYTES ? name : bytes.subarray(0, MAX_COMM_BYTES).toString();
}

function joined(folder: string | undefined, path: string): string | undefined {
  if (path.startsWith('/')) return path;
  if (/(?:^|\/)\.\.?(?:\/|$)/.test(path)) return undefined; // where a link leads back to, strace does not say
  return folder === undefined ? undefined : `${folder === '/' ? '' : folder}/${path}`;
}
