// What the process connector of a kernel (cn_proc) told of a workload, as
// lives: which one a pid meant is settled by the time. The truth that a tree
// of the same workload, made of its trace, is held against.
//
//     cpu0 seq=869770 ts=1773970106332 fork parent 15442/15442 child 15446/15446
//     cpu0 seq=869771 ts=1773970293741 exit 15446/15446 code=0 sig=17 parent=15442/15442
//
// Numbers are TID/PID, times nanoseconds since the boot. The parent of a fork
// is the real parent: who called, but of a thread, and with CLONE_PARENT, the
// parent of who called. Lines are nearly in the order of time.

import type { EventNs } from '@dendro/protocol';

export class ConnectorLife {
  readonly tid: number;
  /** Undefined where the task was there before the connector was listened to. */
  readonly birth: ConnectorBirth | undefined;
  /** The thread group leader; the task itself when it is one. */
  readonly process: ConnectorLife;
  readonly threads: ConnectorLife[] = [];
  readonly execs: EventNs[] = [];
  readonly names: { readonly at: EventNs; readonly comm: string }[] = [];
  /** Of this one thread; a leader can go before its process does. */
  exit: ConnectorExit | undefined;

  constructor(tid: number, birth?: ConnectorBirth, leader?: ConnectorLife) {
    this.tid = tid;
    this.birth = birth;
    this.process = leader ?? this;
    leader?.threads.push(this);
  }
}

export interface ConnectorBirth {
  readonly at: EventNs;
  /** The thread that is the real parent. */
  readonly parent: ConnectorLife;
}

export interface ConnectorExit {
  readonly at: EventNs;
  /** The real parent by then; undefined for a thread, which is gone at once. */
  readonly parent: ConnectorLife | undefined;
}

/** @returns the lives of each tid, oldest first */
export function readConnectorTruth(text: string): ReadonlyMap<number, readonly ConnectorLife[]> {
  const lives = new Map<number, ConnectorLife[]>();
  const records = [...text.matchAll(/^cpu\d+ seq=\d+ ts=(\d+) (.*)$/gm)];
  const timed = records.map(([, ts, what = '']) => ({ at: Number(ts) as EventNs, what }));
  for (const { at, what } of timed.sort((a, b) => a.at - b.at)) note(lives, at, what);
  return lives;
}

function note(lives: Map<number, ConnectorLife[]>, at: EventNs, what: string): void {
  const fork = /^fork parent (\d+)\/\d+ child (\d+)\/(\d+)$/.exec(what);
  const exit = /^exit (\d+)\/\d+ code=\w+ sig=-?\d+ parent=(\d+)\/\d+$/.exec(what);
  const exec = /^exec (\d+)\/\d+$/.exec(what);
  const comm = /^comm (\d+)\/\d+ '(.*)'$/.exec(what);
  if (fork) {
    const [parent = 0, tid = 0, pid = 0] = fork.slice(1).map(Number);
    const birth = { at, parent: livingOf(parent) };
    const life = new ConnectorLife(tid, birth, tid === pid ? undefined : livingOf(pid));
    lives.set(tid, [...(lives.get(tid) ?? []), life]);
  } else if (exit) {
    const [tid = 0, parent = 0] = exit.slice(1).map(Number);
    const life = livingOf(tid);
    if (life.exit !== undefined) throw new Error(`the connector told two exits of ${tid}, the second at ${at}`);
    life.exit = { at, parent: parent === 0 ? undefined : livingOf(parent) };
  } else if (exec) livingOf(Number(exec[1])).execs.push(at);
  else if (comm) livingOf(Number(comm[1])).names.push({ at, comm: comm[2] ?? '' });
  else if (/^comm \d+\/\d+ '/.test(what))
    return; // the rest of a name with a line break is lost
  else if (!/^(?:uid|gid|sid|coredump) /.test(what)) throw new Error(`the connector told what nobody knows: ${what}`);

  /** Who has the tid now. */
  function livingOf(tid: number): ConnectorLife {
    const known = lives.get(tid)?.at(-1);
    if (known !== undefined) return known;
    const before = new ConnectorLife(tid);
    lives.set(tid, [before]);
    return before;
  }
}
