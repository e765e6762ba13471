// The output of `strace -f -ttt` in, TaskEvents out. Every line gives events, is
// part of a call that goes on in another line, or is counted by the reason why
// it is of no use.
//
// A call has the time at which it began, an exec the time at which it returned,
// where strace says that (a line of its own, or -T). A birth is told when the
// call returns, which for vfork is long after the child's first lines: the tree
// puts it where its time says.

import { isTid, type TaskEvent } from '@dendro/protocol';
import { LineReader } from '../input/line-reader.ts';
import type { EventSink } from '../source.ts';
import { signalNumber } from './arguments.ts';
import { CallReader, WANTED_CALLS } from './calls.ts';
import { readAttached, readReturn, readSaid, readStraceLine, type Said, undatedKind } from './line.ts';
import type { StraceReject } from './reject-reason.ts';
import { type TracedTask, TracedTasks } from './tasks.ts';
import { UnnamedLines } from './unnamed-lines.ts';

/** strace cuts what is longer unless it is told not to. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

const REFUSALS = {
  'time-of-day': 'its lines say the time of day but not the day, as -t and -tt do; record with strace -f -ttt -o FILE',
  'no-time': 'its lines have no time of day; record with strace -f -ttt -o FILE',
} as const;

export interface StraceDecoderOptions {
  readonly maxLineBytes?: number | undefined;
  /** Does it tell of what happens now? Default false. */
  readonly isLive?: boolean | undefined;
}

export class StraceDecoder {
  readonly #reader: LineReader<StraceReject>;
  readonly #tasks = new TracedTasks();
  readonly #calls: CallReader;
  readonly #unnamed = new UnnamedLines();
  #dated = 0;
  #decoded = 0;
  #refusal: string | undefined;
  /** The beginning of a call that strace was printing when it said something else. */
  #broken = '';

  /** @param sink gets `clock` before the first event */
  constructor(sink: EventSink, { maxLineBytes = MAX_LINE_BYTES, isLive }: StraceDecoderOptions = {}) {
    this.#reader = new LineReader(sink, (text) => this.#line(text), { maxLineBytes, isLive });
    this.#calls = new CallReader(this.#tasks, this.#reader);
  }

  /** Lines so far, empty ones left out. */
  get lines(): number {
    return this.#reader.lines;
  }

  /** Lines that gave events. */
  get decoded(): number {
    return this.#decoded;
  }

  get rejected(): Readonly<Record<string, number>> {
    return this.#reader.rejected;
  }

  get refusal(): string | undefined {
    return this.#refusal;
  }

  get notices(): string[] {
    const notices = this.#reader.notices;
    const { cutExecs } = this.#calls;
    if (cutExecs > 0) {
      notices.push(
        `Arguments of ${cutExecs} programs were cut by strace, and end with three dots: record with -s 65535 -v.`,
      );
    }
    if (this.#tasks.forgotten > 0) {
      notices.push(`So much goes on at once that ${this.#tasks.forgotten} tasks were forgotten before their end.`);
    }
    return notices;
  }

  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  /** The feed is over. */
  end(): void {
    this.#reader.endLines();
    if (this.#broken !== '') this.#reader.reject('truncated');
    this.#takeWaiting(undefined);
    this.#tellQuietEnds();
    this.#reader.settle();
  }

  #line(line: string): void {
    const text = this.#withBroken(line);
    const attached = readAttached(text);
    if (attached === undefined) this.#read(text);
    else {
      this.#noteAttached(attached.tid);
      this.#broken = attached.before;
    }
  }

  // What strace says of itself on standard error can stand in the middle of a call. The call goes on in the next line.
  #withBroken(text: string): string {
    const broken = this.#broken;
    this.#broken = '';
    if (broken === '') return text;
    if (broken.length + text.length <= MAX_LINE_BYTES && readStraceLine(text) === undefined) return broken + text;
    this.#reader.reject('unreadable-call');
    return text;
  }

  // strace names the new task before the call that bore it has returned.
  #noteAttached(tid: number): void {
    if (!isTid(tid) || tid === 0) this.#reader.reject('bad-pid');
    else if (this.#tasks.get(tid) === undefined) this.#unnamed.attached(tid);
  }

  #read(text: string): void {
    const line = readStraceLine(text);
    if (line === undefined) {
      this.#readOther(text);
      return;
    }
    this.#dated++;
    const { tid, epochNs, rest } = line;
    if (tid === undefined) {
      this.#readUnnamed(epochNs, rest);
      return;
    }
    if (!isTid(tid) || tid === 0) {
      this.#reader.reject('bad-pid');
      return;
    }
    if (!this.#unnamed.isEmpty) {
      if (this.#unnamed.isOther(tid) && this.#unnamed.add({ tid, epochNs, rest, lineNumber: this.#reader.lineNumber }))
        return;
      this.#takeWaiting(this.#unnamed.isOther(tid) ? undefined : tid);
    }
    this.#take(tid, epochNs, rest);
  }

  #readOther(text: string): void {
    const undated = this.#dated === 0 ? undatedKind(text) : undefined;
    if (undated !== undefined) this.#refusal ??= REFUSALS[undated];
    this.#reader.reject(undated === undefined ? 'not-strace' : 'no-date');
  }

  // Without -o strace names nobody as long as it traces one task only. Who that was is said when there are more.
  #readUnnamed(epochNs: bigint, rest: string): void {
    const only = this.#unnamed.isEmpty ? (this.#tasks.only()?.tid ?? this.#unnamed.onlyAttached) : undefined;
    if (only !== undefined && this.#tasks.size <= 1) this.#take(only, epochNs, rest);
    else if (this.#tasks.size > 0) this.#reader.reject('unknown-pid');
    else if (this.#unnamed.add({ tid: undefined, epochNs, rest, lineNumber: this.#reader.lineNumber })) {
      const tid = this.#unnamed.ownTid(rest);
      if (tid !== undefined && isTid(tid)) this.#takeWaiting(tid);
    } else {
      this.#takeWaiting(undefined);
      this.#reader.reject('unknown-pid');
    }
  }

  /** @param unnamed whose the lines without a name are, when that is known */
  #takeWaiting(unnamed: number | undefined): void {
    const lineNumber = this.#reader.lineNumber;
    for (const line of this.#unnamed.take()) {
      this.#reader.lineNumber = line.lineNumber;
      const tid = line.tid ?? unnamed;
      if (tid === undefined) this.#reader.reject('unknown-pid');
      else this.#take(tid, line.epochNs, line.rest);
    }
    this.#reader.lineNumber = lineNumber;
  }

  #take(tid: number, epochNs: bigint, rest: string): void {
    const said = readSaid(rest);
    const task = this.#tasks.get(tid) ?? this.#calls.meet(tid, epochNs);
    switch (said.kind) {
      case 'call':
        this.#begin(task, epochNs, said);
        return;
      case 'resumed':
        this.#resume(task, epochNs, said);
        return;
      case 'exited':
        this.#end(task, epochNs, { code: said.code });
        return;
      case 'killed':
        this.#end(task, epochNs, { signal: signalNumber(said.signal) });
        return;
      case 'superseded':
        this.#supersede(task, said.by);
        return;
      default:
        this.#reader.reject(said.kind === 'signal' ? 'not-a-lifecycle-call' : 'not-strace');
    }
  }

  #begin(task: TracedTask, epochNs: bigint, { name, args, isUnfinished }: Extract<Said, { kind: 'call' }>): void {
    this.#tasks.close(task);
    if (!WANTED_CALLS.has(name)) this.#reader.reject('not-a-lifecycle-call');
    else if (isUnfinished) {
      if (!this.#tasks.open(task, { name, args, epochNs })) this.#reader.reject('unreadable-call');
      if (name === 'exit_group')
        this.#finish(task, name, `${args.trimEnd().replace(/\)$/, '')}) = ?`, epochNs, epochNs);
    } else this.#finish(task, name, args, epochNs, epochNs);
  }

  #resume(task: TracedTask, epochNs: bigint, { name, args }: Extract<Said, { kind: 'resumed' }>): void {
    const call = this.#tasks.close(task);
    if (call?.name === name) this.#finish(task, name, call.args + args, call.epochNs, epochNs);
    else this.#reader.reject(WANTED_CALLS.has(name) ? 'resumed-without-beginning' : 'not-a-lifecycle-call');
  }

  #finish(task: TracedTask, name: string, text: string, begunNs: bigint, returnedNs: bigint): void {
    const returned = readReturn(text);
    if (returned === undefined) this.#reader.reject('unreadable-call');
    else if (this.#calls.take(task, { name, ...returned, begunNs, returnedNs })) this.#decoded++;
  }

  #end(task: TracedTask, epochNs: bigint, how: { readonly code?: number; readonly signal?: number | undefined }): void {
    this.#decoded++;
    this.#reader.give(epochNs, exitOf(task, how));
    this.#tasks.remove(task.tid);
  }

  // The thread that called exec has the leader's tid from here on, and its exec returns under that.
  #supersede(task: TracedTask, by: number): void {
    const caller = this.#tasks.get(by);
    if (caller === undefined || caller === task) {
      this.#reader.reject('resumed-without-beginning');
      return;
    }
    const call = this.#tasks.close(caller);
    this.#tasks.remove(by);
    task.execCaller = by;
    if (call !== undefined) this.#tasks.open(task, call);
  }

  // With -qq strace says nothing of ends: then the call of exit_group has to do.
  #tellQuietEnds(): void {
    for (const task of this.#tasks.all()) {
      if (task.exiting === undefined) continue;
      this.#reader.give(task.exiting.epochNs, exitOf(task, { code: task.exiting.code }));
    }
  }
}

function exitOf(
  { tid, pid }: TracedTask,
  { code, signal }: { readonly code?: number; readonly signal?: number | undefined },
): (at: Extract<TaskEvent, { type: 'exit' }>['at']) => TaskEvent {
  // A leader is waited for, and so told of, when all its threads are gone.
  const isGroupDead = pid === undefined ? undefined : pid === tid;
  return (at) => ({ type: 'exit', at, tid, pid, isGroupDead, code, signal });
}
