// What a workload did, as strace saw it: the truth that a tree of the same
// workload is held against. A tid means one life here: the recording is
// shorter than a turn of the pid space, which is checked.

import type { EventNs } from '@dendro/protocol';
import { firstString, parseStraceText, type Span, type StraceCall, type StraceText } from './strace-text.ts';

/** What strace tells over time: the name of every task, the program of a process. */
export type TrueField = 'comm' | 'executable';

export interface TrueChange {
  readonly during: Span;
  readonly value: string;
}

export interface TrueBirth {
  /** The thread that called. */
  readonly creator: TrueTask;
  readonly during: Span;
  readonly isThread: boolean;
  /** CLONE_PARENT: the parent is that of the creator. */
  readonly isSibling: boolean;
  /** What the call gave to the creator: the tid as the creator's pid namespace counts it. */
  readonly number: number;
}

export interface TrueEnd {
  readonly during: Span;
  readonly code: number | undefined;
  /** Its name, as `SIGKILL`. */
  readonly signal: string | undefined;
}

/** What the root is before its first exec: a copy of strace, whose own fork strace does not tell. */
const TRACER: Readonly<Record<TrueField, string>> = { comm: 'strace', executable: '/usr/bin/strace' };
const MAX_COMM_BYTES = 15;

export class TrueTask {
  readonly tid: number;
  /** Undefined for the root. */
  readonly birth: TrueBirth | undefined;
  /** The thread group leader; the task itself when it is one. */
  readonly process: TrueTask;
  /** Oldest first; of a thread no executables. */
  readonly changes: Readonly<Record<TrueField, TrueChange[]>> = { comm: [], executable: [] };
  /** What this process gave birth to, whichever of its threads called. */
  readonly created: TrueTask[] = [];
  /** Of execve calls that left everything as it was. */
  readonly failedExecs: Span[] = [];
  /** Undefined for a thread that became the leader by exec: its tid vanished without an end of its own. */
  end: TrueEnd | undefined;
  /** The process to which wait(2) gave its end: the last parent that it had. Undefined where strace saw none. */
  reaper: TrueTask | undefined;

  constructor(tid: number, birth: TrueBirth | undefined) {
    this.tid = tid;
    this.birth = birth;
    this.process = birth?.isThread ? birth.creator.process : this;
    birth?.creator.process.created.push(this);
  }

  /** What it had from its creator. */
  atBirth(field: TrueField): string {
    if (this.birth === undefined) return TRACER[field];
    const { creator, during } = this.birth;
    const from = field === 'comm' ? creator : creator.process;
    // Whoever calls fork does nothing else meanwhile, so that any time of the birth will do.
    return from.changes[field].findLast((change) => change.during.from < during.from)?.value ?? from.atBirth(field);
  }

  /** What held until a change of its own. */
  before(field: TrueField, change: TrueChange): string {
    const own = this.changes[field];
    return own[own.indexOf(change) - 1]?.value ?? this.atBirth(field);
  }

  /** The parent as of its birth; undefined for the root and its siblings. */
  get firstParent(): TrueTask | undefined {
    if (this.birth === undefined) return undefined;
    const { creator, isSibling } = this.birth;
    return isSibling ? creator.process.firstParent : creator.process;
  }
}

/** @returns the tasks by tid, in the order of their births */
export function readStraceTruth(text: string, epochNs: bigint): ReadonlyMap<number, TrueTask> {
  const strace = parseStraceText(text, epochNs);
  const tasks = bear(strace);
  const byTid = (tid: number) => tasks.get(tid) ?? fail(`strace tells of no birth of ${tid}`);
  for (const call of strace.calls) note(byTid(call.tid), call, byTid);
  for (const { tid, at, code, signal } of strace.ends) {
    const task = byTid(tid);
    if (task.end !== undefined) fail(`strace tells two ends of ${tid}`);
    task.end = { during: { from: lastSignOf(task, at, strace, byTid), to: at }, code, signal };
  }
  return tasks;
}

const BIRTHS: ReadonlySet<string> = new Set(['clone', 'clone3', 'fork', 'vfork']);

function bear({ calls, signs, ends }: StraceText): Map<number, TrueTask> {
  const births = calls.filter(({ name, result }) => BIRTHS.has(name) && result !== undefined && result > 0);
  const traced = new Set([...signs, ...ends].map(({ tid }) => tid));
  const firstSignOf = new Map(signs.toReversed().map(({ tid, at }) => [tid, at]));
  const named = new Set(births.map(({ result }) => result));
  const root = calls[0]?.tid ?? fail('strace tells nothing');
  const tasks = new Map([[root, new TrueTask(root, undefined)]]);
  for (const { tid, args, during, result: number = 0 } of births) {
    const child = traced.has(number) ? number : childInNamespace(during);
    const creator = tasks.get(tid) ?? fail(`strace tells of no birth of ${tid}`);
    if (tasks.has(child)) fail(`strace tells two births of ${child}`);
    const [isThread, isSibling] = [/\bCLONE_THREAD\b/.test(args), /\bCLONE_PARENT\b/.test(args)];
    tasks.set(child, new TrueTask(child, { creator, during, isThread, isSibling, number }));
  }
  return tasks;

  // A caller in a pid namespace of its own is given a number that means nothing outside. The child is who was first
  // heard of during the call, and is nobody else's: a vfork lasts until the child calls exec.
  function childInNamespace({ from, to }: Span): number {
    const candidates = [...firstSignOf].filter(
      ([tid, at]) => from <= at && at <= to && !named.has(tid) && !tasks.has(tid),
    );
    const [only, ...others] = candidates;
    if (only === undefined || others.length > 0) fail(`strace does not say who was born at ${from}`);
    return only[0];
  }
}

function note(task: TrueTask, call: StraceCall, byTid: (tid: number) => TrueTask): void {
  const { name, args, during, result } = call;
  if (name === 'execve' || name === 'execveat') {
    if (result === -1) task.failedExecs.push(during);
    if (result !== 0) return;
    const { path, comm } = imageOf(call);
    task.process.changes.executable.push({ during, value: path });
    task.process.changes.comm.push({ during, value: comm });
  } else if (name === 'prctl' && args.startsWith('PR_SET_NAME, ') && result === 0) {
    task.changes.comm.push({ during, value: cutComm(firstString(args) ?? '') });
  } else if (name === 'wait4' && result !== undefined && result > 0) {
    byTid(hostTidOf(task.process, result)).reaper = task.process;
  }

  function hostTidOf(parent: TrueTask, number: number): number {
    return parent.created.find(({ birth }) => birth?.number === number)?.tid ?? number;
  }
}

/**
 * The last that was heard of a task that was gone at `at`. A thread that called exit goes by itself; any other, and
 * the leader, goes no sooner than the last thread of its process begins the last thing it does.
 */
function lastSignOf(task: TrueTask, at: EventNs, strace: StraceText, byTid: (tid: number) => TrueTask): EventNs {
  const exit = strace.calls.find(({ tid, name }) => tid === task.tid && (name === 'exit' || name === 'exit_group'));
  if (exit !== undefined && task.process !== task) return exit.during.from;
  const last = strace.signs.findLast((sign) => sign.at <= at && byTid(sign.tid).process === task.process);
  return last?.at ?? fail(`strace tells nothing of ${task.tid} before its end`);
}

/** What the kernel calls the file and the task after an exec: execve(PATH, …), execveat(FD<FILE>, PATH, …). */
function imageOf({ name, args }: StraceCall): { path: string; comm: string } {
  const path = firstString(args) ?? fail(`an exec without a path: ${args}`);
  if (name === 'execve') return { path, comm: cutComm(baseName(path)) };
  const [, fd, file = ''] = /^(\d+)<([^>]*)>/.exec(args) ?? fail(`an exec without a file: ${args}`);
  if (path.startsWith('/')) return { path, comm: cutComm(baseName(path)) };
  return path === ''
    ? { path: `/dev/fd/${fd}`, comm: cutComm(baseName(file)) }
    : { path: `/dev/fd/${fd}/${path}`, comm: cutComm(baseName(path)) };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function cutComm(name: string): string {
  return Buffer.from(name).subarray(0, MAX_COMM_BYTES).toString();
}

function fail(why: string): never {
  throw new Error(why);
}
