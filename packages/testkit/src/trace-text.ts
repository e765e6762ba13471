// The text form of a trace (the file `trace` of tracefs), as TaskEvents.
//
// For tests only: a recording that was kept as text, and a second opinion on
// the binary decoder. The text form escapes nothing, so a process can forge
// records with its name; nothing that matters may be read from it.
//
//     COMM-TID (TGID) [CPU] FLAGS SECONDS.MICROSECONDS: EVENT: BODY
//
// The COMM of the header was looked up when the text was made and may be of a
// later time: it is never used. It may hold a line break, and so may names in
// the body. So a record is found by what follows COMM, and what lies between
// two such places is the body of the first and the COMM of the second.

import { CLONE, type EventNs, type ExecEvent, type TaskEvent } from '@dendro/protocol';

export interface TraceText {
  /** Records of any kind. */
  readonly records: number;
  /** Records of a kind that is known here and of a form that is not. */
  readonly unparsed: number;
  /** In the order of the text, which is that of time but for a record that was committed late. Event time is boot time. */
  readonly events: readonly TaskEvent[];
}

const ANCHOR = /-(\d+)\s+(?:\(\s*(?:\d+|-+)\)\s+)?\[\d{3,}\] \S{4,7}\s+(\d+)\.(\d{6}): /g;
// Greedy, and anchored at the end: what is in a name looks like anything.
const BODY = {
  task_newtask: /^pid=(\d+) comm=([\s\S]{0,15}) clone_flags=([0-9a-f]+) oom_score_adj=-?\d+\n/,
  task_rename: /^pid=(\d+) oldcomm=[\s\S]{0,15} newcomm=([\s\S]{0,15}) oom_score_adj=-?\d+\n/,
  sched_prepare_exec: /^interp=([\s\S]*) filename=([\s\S]*) pid=\d+ comm=[\s\S]{0,15}\n/,
  sched_process_exec: /^filename=([\s\S]*) pid=(\d+) old_pid=(\d+)\n/,
  sched_process_exit: /^comm=([\s\S]{0,15}) pid=(\d+) prio=-?\d+(?: group_dead=(true|false))?\n/,
  tracing_mark_write: /^wall=(\d+)\.(\d{1,9})\n/,
} as const;

/** @param text the whole file; characters that were no UTF-8 are lost already */
export function parseTraceText(text: string): TraceText {
  const anchors = [...text.matchAll(ANCHOR)];
  const events: TaskEvent[] = [];
  const interps = new Map<number, string>(); // tid of the caller -> what interprets the script that it runs next
  let unparsed = 0;
  anchors.forEach((anchor, i) => {
    const [header, tid = '', seconds = '', micros = ''] = anchor;
    const end = anchors[i + 1]?.index ?? text.length;
    const [, name = '', body = ''] = /^(\w+): ([\s\S]*)$/.exec(text.slice(anchor.index + header.length, end)) ?? [];
    if (!(name in BODY)) return;
    const at = (Number(seconds) * 1e9 + Number(micros) * 1e3) as EventNs;
    const event = readBody(name as keyof typeof BODY, body, Number(tid), at);
    if (event === undefined) unparsed++;
    else if (event.type === 'interp') interps.set(Number(tid), event.interp);
    else events.push(event.type === 'exec' ? withInterp(event, interps) : event);
  });
  return { records: anchors.length, unparsed, events };
}

/** Part of the next exec of the same thread. */
interface InterpLine {
  readonly type: 'interp';
  readonly interp: string;
}

/** A program that is no script is called its own interpreter. */
function withInterp(exec: ExecEvent, interps: Map<number, string>): ExecEvent {
  const caller = exec.oldTid ?? exec.pid;
  const interp = interps.get(caller);
  interps.delete(caller);
  return interp === undefined || interp === exec.filename ? exec : { ...exec, interp };
}

function readBody(name: keyof typeof BODY, body: string, tid: number, at: EventNs): TaskEvent | InterpLine | undefined {
  const [, a = '', b = '', c] = BODY[name].exec(body) ?? [];
  if (a === '' && b === '') return undefined;
  switch (name) {
    case 'task_newtask': {
      const cloneFlags = Number.parseInt(c ?? '', 16);
      const pid = (cloneFlags & CLONE.thread) === 0 ? Number(a) : undefined;
      return { type: 'fork', at, tid: Number(a), pid, creatorTid: tid, cloneFlags, comm: b };
    }
    case 'task_rename':
      return { type: 'rename', at, tid: Number(a), comm: b };
    case 'sched_prepare_exec':
      return { type: 'interp', interp: a };
    case 'sched_process_exec':
      return { type: 'exec', at, pid: Number(b), oldTid: Number(c), filename: a };
    case 'sched_process_exit':
      return { type: 'exit', at, tid: Number(b), isGroupDead: c === undefined ? undefined : c === 'true', comm: a };
    case 'tracing_mark_write':
      return { type: 'clock', epochNs: BigInt(a) * 1_000_000_000n + BigInt(b.padEnd(9, '0')) - BigInt(at) };
  }
}
