// /proc/PID/stat (proc_pid_stat(5)). The name in it is hostile: it may hold
// blanks, brackets and line breaks, so the last bracket ends it.

/** What one stat line says. */
export interface StatLine {
  readonly tid: number;
  readonly comm: string;
  readonly state: string;
  readonly ppid: number;
  readonly isKernelThread: boolean;
  /** Threads of the process, the leader included. */
  readonly threads: number;
  /** Start in ticks of 10 ms since boot. */
  readonly startTicks: number;
  /**
   * Where code and stack of the program lie, as one number: an exec puts them elsewhere, and nothing else does.
   * 0 where the kernel does not tell this user.
   */
  readonly image: number;
}

const PF_KTHREAD = 0x0020_0000;
// Numbered from the field after the name, which is field 3 in the manual.
const STATE = 0;
const PPID = 1;
const FLAGS = 6;
const THREADS = 17;
const START = 19;
const START_CODE = 23;
const END_CODE = 24;
const START_STACK = 25;
/** What a worker of a work queue does at the moment stands behind its name, which is only the first part. */
const WORKER = /^(kworker\/u?\d+:\d+\w*)[-+]/;

/** @returns undefined when it is not a stat line */
export function parseStatLine(line: string): StatLine | undefined {
  const open = line.indexOf('(');
  const close = line.lastIndexOf(')');
  if (open < 2 || close < open) return undefined;
  const fields = line.slice(close + 2).split(' ');
  const tid = number(line.slice(0, open - 1));
  const ppid = number(fields[PPID]);
  const flags = number(fields[FLAGS]);
  const threads = number(fields[THREADS]);
  const startTicks = number(fields[START]);
  const state = fields[STATE];
  if (tid === undefined || ppid === undefined || flags === undefined) return undefined;
  if (threads === undefined || startTicks === undefined || state === undefined) return undefined;
  const isKernelThread = (flags & PF_KTHREAD) !== 0;
  const name = line.slice(open + 1, close);
  const comm = isKernelThread ? (WORKER.exec(name)?.[1] ?? name) : name;
  return { tid, comm, state, ppid, isKernelThread, threads, startTicks, image: imageOf(fields) };
}

/** Has the task itself ended? Of a leader, other threads may go on. */
export function isDead(stat: StatLine): boolean {
  return stat.state === 'Z' || stat.state === 'X';
}

/** Has the whole process ended? It is waited for. */
export function hasEnded(stat: StatLine): boolean {
  return isDead(stat) && stat.threads <= 1;
}

function imageOf(fields: readonly string[]): number {
  const stack = number(fields[START_STACK]) ?? 0;
  // Where they may not be seen, the stack is 0 and the code at 1.
  return stack === 0 ? 0 : stack + (number(fields[START_CODE]) ?? 0) + (number(fields[END_CODE]) ?? 0);
}

function number(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined;
  return Number(text);
}
