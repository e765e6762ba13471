// What `strace -f -ttt` wrote, as calls and ends.
//
//     TID SECONDS.MICROS execve("/bin/true", ["true"], 0x0 /* env elided */) = 0
//     TID SECONDS.MICROS vfork( <unfinished ...>          another line came in between
//     TID SECONDS.MICROS <... vfork resumed>) = 14711
//     TID SECONDS.MICROS +++ exited with 0 +++
//
// For tests only: strace escapes what it prints, and its text is ours.
//
// A thread stands still while strace prints it. So a call happened after the
// time of its line, and before the time of the line that strace printed next
// (or that resumed it): both are kept, as a span.

import type { EventNs } from '@dendro/protocol';

/** Something happened at an unknown time in [from, to]. */
export interface Span {
  readonly from: EventNs;
  readonly to: EventNs;
}

export interface StraceCall {
  /** Who called, under the tid that it had then. */
  readonly tid: number;
  readonly name: string;
  /** Without the brackets; escaped as strace escapes it. */
  readonly args: string;
  /** `to` is Infinity for a call that never returned. */
  readonly during: Span;
  /** Undefined where it did not return, -1 where it failed. */
  readonly result: number | undefined;
}

export interface StraceEnd {
  readonly tid: number;
  readonly at: EventNs;
  readonly code: number | undefined;
  /** Its name, as `SIGKILL`. */
  readonly signal: string | undefined;
}

/** A thread was still there at this time: it began a call, or was given a signal. */
export interface StraceSign {
  readonly tid: number;
  readonly at: EventNs;
}

export interface StraceText {
  /** By the time at which they began. */
  readonly calls: readonly StraceCall[];
  readonly ends: readonly StraceEnd[];
  readonly signs: readonly StraceSign[];
}

type Draft = { -readonly [Key in keyof StraceCall]: StraceCall[Key] };

const LINE = /^(\d+) (\d+)\.(\d{6}) (.*)$/;
const RESULT = /^(.*)\)\s+= (-?\d+|\?)(?: .*)?$/;
const NEVER = Number.POSITIVE_INFINITY as EventNs;

/** @param epochNs epoch time of EventNs 0 */
export function parseStraceText(text: string, epochNs: bigint): StraceText {
  const lines = text.split('\n').flatMap((line) => {
    const [, tid, seconds = '', micros = '', rest = ''] = LINE.exec(line) ?? [];
    if (tid === undefined) return [];
    const at = Number(BigInt(seconds) * 1_000_000_000n + BigInt(micros) * 1000n - epochNs) as EventNs;
    return [{ tid: Number(tid), at, rest }];
  });
  const calls: Draft[] = [];
  const ends: StraceEnd[] = [];
  const signs: StraceSign[] = [];
  const unfinished = new Map<number, Draft>(); // tid -> the call that it is in
  for (const [i, { tid, at, rest }] of lines.entries()) {
    const [, code, signal] = /^\+\+\+ (?:exited with (\d+)|killed by (\w+))/.exec(rest) ?? [];
    const [, execCaller] = /^\+\+\+ superseded by execve in pid (\d+)/.exec(rest) ?? [];
    const [, resumed] = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest) ?? [];
    const [, name, begun = ''] = /^(\w+)\((.*)$/.exec(rest) ?? [];
    if (code !== undefined || signal !== undefined) {
      ends.push({ tid, at, code: code === undefined ? undefined : Number(code), signal });
    } else if (execCaller !== undefined) {
      // From here on the caller has the leader's tid, and its exec returns under that.
      moveKey(unfinished, Number(execCaller), tid);
    } else if (resumed !== undefined) {
      const call = unfinished.get(tid);
      if (call === undefined) throw new Error(`strace resumes a call of ${tid} that it never began: ${rest}`);
      unfinished.delete(tid);
      finish(call, call.args + resumed, at);
    } else {
      signs.push({ tid, at });
      if (name === undefined) continue; // a signal
      const call: Draft = { tid, name, args: '', during: { from: at, to: NEVER }, result: undefined };
      calls.push(call);
      if (begun.endsWith(' <unfinished ...>')) {
        call.args = begun.slice(0, -' <unfinished ...>'.length);
        unfinished.set(tid, call);
      } else finish(call, begun, lines[i + 1]?.at ?? NEVER);
    }
  }
  return { calls, ends, signs };
}

function finish(call: Draft, text: string, to: EventNs): void {
  const [, args, result] = RESULT.exec(text) ?? [];
  if (args === undefined) throw new Error(`strace tells no result of ${call.name}(${text}`);
  call.args = args;
  if (result === '?') return;
  call.during = { from: call.during.from, to };
  call.result = Number(result);
}

function moveKey<Key, Value>(map: Map<Key, Value>, from: Key, to: Key): void {
  const value = map.get(from);
  map.delete(from);
  if (value !== undefined) map.set(to, value);
}

/** The first string in quotes, with its escapes undone; undefined where there is none. */
export function firstString(args: string): string | undefined {
  const [, quoted] = /"((?:[^"\\]|\\.)*)"/.exec(args) ?? [];
  return quoted === undefined ? undefined : unescaped(quoted);
}

/** strace writes bytes beyond ASCII, and some others, as octal or C escapes. */
function unescaped(text: string): string {
  const letters: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f' };
  const bytes = text.replace(/\\(?:([0-7]{1,3})|(.))/g, (_, octal: string | undefined, letter: string) =>
    octal === undefined ? (letters[letter] ?? letter) : String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
