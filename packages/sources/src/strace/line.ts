// A line of strace: who, when, and what is left.
//
//     14677 1795459682.798034 execve("/bin/true", …       strace -f -ttt -o FILE
//     [pid 14677] 1795459682.798034 execve("/bin/true", … on standard error
//     1795459682.798034 execve("/bin/true", …             the same, while only one is traced
//     14677<bash> 1795459682.798034 execve(…              with --decode-pids=comm

export interface StraceLine {
  /** Undefined where the line does not say. */
  readonly tid: number | undefined;
  readonly epochNs: bigint;
  /** One character for one byte. */
  readonly rest: string;
}

const WHO = String.raw`(?:\[pid +(\d{1,7})(?:<.{0,64}?>)?\] |(\d{1,7})(?:<.{0,64}?>)? +)?`;
const LINE = new RegExp(String.raw`^${WHO}(\d{9,10})(?:\.(\d{1,9}))? (?:\[[^\]]{1,20}\] ){0,2}`);
const WHAT = String.raw`(?:\w+\(|<\.\.\. |\+\+\+ |--- )`;
const TIME_OF_DAY = new RegExp(String.raw`^${WHO}\d\d:\d\d:\d\d(?:\.\d+)? ${WHAT}`);
const UNDATED = new RegExp(String.raw`^${WHO}(?: *\d{1,8}\.\d{1,9} )?(?:\w+\(.*\) +=|\+\+\+ |<\.\.\. \w+ resumed>)`);
const NS_DIGITS = 9;

/** @returns undefined when it is none */
export function readStraceLine(text: string): StraceLine | undefined {
  const match = LINE.exec(text);
  if (match === null) return undefined;
  const [whole, inBrackets, bare, seconds = '', fraction = ''] = match;
  const tid = inBrackets ?? bare;
  return {
    tid: tid === undefined ? undefined : Number(tid),
    epochNs: BigInt(seconds + fraction.padEnd(NS_DIGITS, '0')),
    rest: text.slice(whole.length),
  };
}

/** Is it a line of strace that does not say of which day it is, and which option wrote it so? */
export function undatedKind(text: string): 'time-of-day' | 'no-time' | undefined {
  if (TIME_OF_DAY.test(text)) return 'time-of-day';
  return UNDATED.test(text.slice(0, 4096)) ? 'no-time' : undefined;
}

const ATTACHED = /^(.*?)(?:strace: )?Process (\d{1,7}) attached(?: with \d+ threads)?$/s;

/** What strace says of itself on standard error, perhaps in the middle of a call that it is printing. */
export function readAttached(text: string): { readonly before: string; readonly tid: number } | undefined {
  if (!text.endsWith(' attached') && !text.endsWith(' threads')) return undefined; // as nearly all do
  const match = ATTACHED.exec(text);
  return match === null ? undefined : { before: match[1] ?? '', tid: Number(match[2]) };
}

export type Said =
  | { readonly kind: 'call'; readonly name: string; readonly args: string; readonly isUnfinished: boolean }
  | { readonly kind: 'resumed'; readonly name: string; readonly args: string }
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'superseded'; readonly by: number }
  | { readonly kind: 'signal' }
  | { readonly kind: 'unknown' };

const CALL = /^([a-z_]\w{0,63})\(/;
const RESUMED = /^<\.\.\. ([a-z_]\w{0,63}) resumed>/;
const EXITED = /^\+\+\+ exited with (\d{1,3}) \+\+\+$/;
const KILLED = /^\+\+\+ killed by (SIG\w{1,16}(?:\+\d+)?)(?: \(core dumped\))? \+\+\+$/;
const SUPERSEDED = /^\+\+\+ superseded by execve in pid (\d{1,7})(?:<.{0,64}?>)? \+\+\+$/;
const UNFINISHED = '<unfinished ...>';

export function readSaid(rest: string): Said {
  const call = CALL.exec(rest);
  if (call !== null) {
    const isUnfinished = rest.endsWith(UNFINISHED);
    const args = rest.slice(call[0].length, isUnfinished ? -UNFINISHED.length : undefined);
    return { kind: 'call', name: call[1] ?? '', args, isUnfinished };
  }
  const resumed = RESUMED.exec(rest);
  if (resumed !== null) return { kind: 'resumed', name: resumed[1] ?? '', args: rest.slice(resumed[0].length) };
  if (rest.startsWith('+++ ')) return readEnd(rest);
  return { kind: rest.startsWith('--- ') ? 'signal' : 'unknown' };
}

function readEnd(rest: string): Said {
  const code = EXITED.exec(rest)?.[1];
  if (code !== undefined) return { kind: 'exited', code: Number(code) };
  const signal = KILLED.exec(rest)?.[1];
  if (signal !== undefined) return { kind: 'killed', signal };
  const by = SUPERSEDED.exec(rest)?.[1];
  return by === undefined ? { kind: 'unknown' } : { kind: 'superseded', by: Number(by) };
}

export interface Returned {
  readonly args: string;
  /** Undefined where the call did not return. */
  readonly result: number | undefined;
  /** The tid as strace sees it, where it adds that (-Y). */
  readonly translated: number | undefined;
}

const RESULT = /^ = (-?\d{1,10}|\?|0x[0-9a-f]{1,16})(?:<.{0,64}?>)?(?: |$)/s;
const TRANSLATED = /^ = \d+(?:<.{0,64}?>)? \/\* (\d{1,7}) in strace's PID NS \*\//s;

/** The end of a call: `ARGS)   = RESULT …`. Undefined when it has none. */
export function readReturn(text: string): Returned | undefined {
  const equals = text.lastIndexOf(' = ');
  if (equals < 0) return undefined;
  let close = equals;
  while (text[close - 1] === ' ') close--;
  const tail = text.slice(equals, equals + 160);
  const result = RESULT.exec(tail)?.[1];
  if (text[close - 1] !== ')' || result === undefined) return undefined;
  const translated = TRANSLATED.exec(tail)?.[1];
  return {
    args: text.slice(0, close - 1),
    result: result === '?' ? undefined : Number(result),
    translated: translated === undefined ? undefined : Number(translated),
  };
}
