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
}

const PF_KTHREAD = 0x0020_0000;
// Numbered from the field after the name, which is field 3 in the manual.
const STATE = 0;
const PPID = 1;
const FLAGS = 6;
const THREADS = 17;
const START = 19;

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
  return { tid, comm: line.slice(open + 1, close), state, ppid, isKernelThread, threads, startTicks };
}

function number(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined;
  return Number(text);
}
