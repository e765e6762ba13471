// What happens on a lawful host, as different sources tell it. Each event comes
// with what it says of whom: an oracle that knows the lives needs no identity
// to be resolved.

import {
  AUTHORITY,
  CLONE,
  type CredentialsEvent,
  type EventNs,
  type ExecEvent,
  type ExitEvent,
  type FileInfo,
  type ForkEvent,
  type ObserveEvent,
  type RenameEvent,
  type ReparentEvent,
  type TaskEvent,
} from '@dendro/protocol';
import {
  type Field,
  type Happening,
  type LawfulHost,
  type Life,
  trueParent,
  trueValue,
  US,
  type Value,
} from './lawful-host.ts';
import type { Random } from './workload.ts';

/** What somebody says of one life. */
export type Statement = { readonly life: Life; readonly at: number } & (
  | {
      /** Concluded: the file name of an exec, as the caller wrote it. */
      readonly how: 'said' | 'seen' | 'concluded';
      readonly field: Field;
      readonly value: Value;
    }
  | { readonly how: 'said' | 'seen'; readonly field: 'parent'; readonly value: Life | undefined }
  | {
      readonly how: 'said';
      readonly field: 'end';
      readonly isLast: boolean;
      /** Undefined where it is not told. */
      readonly status: { readonly code: number | undefined; readonly signal: number | undefined } | undefined;
    }
);

export interface Told {
  readonly event: TaskEvent;
  readonly says: readonly Statement[];
  /** Of the step that it belongs to. */
  readonly step: number;
  /** What is told with one breath has one number. */
  readonly line: number;
}

/** With what authority Tracee's decoder gives on what it tells in passing (packages/sources/src/tracee/decode.ts). */
export const IN_PASSING = AUTHORITY.event;
/** How late a tracer stamps a birth, and a second one anything, at most. */
export const SLACK = 10 * US;
const TICK = 10_000_000;

export interface TraceeDialect {
  /** Does the kernel say who is the last of its group? */
  readonly knowsGroups?: boolean;
  /** Leave out what a fork can do without, now and then? */
  readonly isTerse?: boolean;
}

/** A tracer that knows starts, in order. Before each event it tells, in passing, of the task that it happened to. */
export function tellTracee(
  host: LawfulHost,
  random: Random,
  { knowsGroups = true, isTerse = true }: TraceeDialect = {},
): Told[] {
  const told: Told[] = [];
  const { init } = host;
  const mayLeaveOut = <T>(value: T): T | undefined => (isTerse && random.below(3) === 0 ? undefined : value);
  let line = 0;
  const add = (step: number, event: TaskEvent, says: readonly Statement[]) => told.push({ event, says, step, line });
  const inPassing = (step: number, life: Life, at: number, before: Partial<Record<Field, Value>> = {}) => {
    const parent = trueParent(life.leader, at);
    const event: ObserveEvent = {
      type: 'observe',
      at: at as EventNs,
      tid: life.tid,
      pid: life.leader.tid,
      ppid: parent?.tid ?? 0,
      start: life.start as EventNs,
      startIsTick: false,
      authority: IN_PASSING,
      comm: (before.comm ?? trueValue(life, 'comm', at)) as string,
      uid: (before.uid ?? trueValue(life, 'uid', at)) as number,
      nsTid: life.nsTid,
      nsPid: life.nsPid,
      pidNs: life.pidNs,
      container: trueValue(life, 'container', at) as string | undefined,
    };
    add(step, event, sightingsOf(event, life, parent));
  };

  const first = { ...whole(init, 0), startIsTick: false, authority: IN_PASSING };
  add(0, first, sightingsOf(first, init, undefined));
  for (const happening of host.happenings) {
    const { life, at, luck, step } = { life: init, ...happening };
    line++;
    switch (happening.what) {
      case 'birth': {
        // Stamped when the child has been made.
        const late = at + random.below(SLACK + 1);
        const creator = life.creator as Life;
        const isThread = life.leader !== life;
        const parent = trueParent(life.leader, at);
        const named = mayLeaveOut(parent);
        const isNamed = named !== undefined && (!life.isSibling || luck % 3 !== 0);
        inPassing(step, creator, late);
        const event: ForkEvent = {
          type: 'fork',
          at: late as EventNs,
          tid: life.tid,
          pid: life.leader.tid,
          start: life.start as EventNs,
          creatorTid: creator.tid,
          creatorPid: creator.leader.tid,
          creatorStart: mayLeaveOut(creator.start as EventNs),
          leaderStart: isThread ? mayLeaveOut(life.leader.start as EventNs) : undefined,
          parentPid: isNamed ? named.tid : undefined,
          parentStart: isNamed ? mayLeaveOut(named.start as EventNs) : undefined,
          // What makes a sibling of it is told one way or the other.
          cloneFlags: (life.isSibling && !isNamed) || luck % 2 === 0 ? flagsOf(happening) : undefined,
          nsTid: mayLeaveOut(life.nsTid),
          nsPid: mayLeaveOut(life.nsPid),
        };
        const says: Statement[] = [];
        if (isNamed && !isThread) says.push({ life, at, how: 'said', field: 'parent', value: named });
        if (event.nsTid !== undefined) says.push({ life, at, how: 'said', field: 'nsTid', value: event.nsTid });
        if (event.nsPid !== undefined) says.push({ life, at, how: 'said', field: 'nsPid', value: event.nsPid });
        add(step, event, says);
        break;
      }
      case 'exec': {
        const { caller, image } = happening;
        const cwd = mayLeaveOut(trueValue(life, 'cwd', at) as string);
        const event: ExecEvent = {
          type: 'exec',
          at: at as EventNs,
          pid: life.tid,
          // By now the caller has the leader's tid, and not every tracer tells which it had.
          oldTid: mayLeaveOut(caller.tid) ?? life.tid,
          start: life.start as EventNs,
          comm: image.comm,
          filename: image.filename,
          executable: fileOf(image.executable),
          argv: image.argv,
          cwd,
          interpreter: fileOf(image.interpreter),
          interp: image.interp,
          uid: trueValue(life, 'uid', at) as number,
          container: trueValue(life, 'container', at) as string | undefined,
        };
        const { comm, executable, argv, interpreter, interp } = image;
        const says = { comm, executable, argv, interpreter, interp, cwd, uid: event.uid, container: event.container };
        add(step, event, statementsOf(life, at, 'said', says));
        // Its context is already that of the new program.
        inPassing(step, life, at);
        break;
      }
      case 'rename': {
        inPassing(step, life, at, { comm: trueValue(life, 'comm', at - 1) });
        const event: RenameEvent = {
          type: 'rename',
          at: at as EventNs,
          tid: life.tid,
          pid: life.leader.tid,
          start: life.start as EventNs,
          comm: happening.comm,
        };
        add(step, event, statementsOf(life, at, 'said', { comm: happening.comm }));
        break;
      }
      case 'credentials': {
        const { field, id } = happening;
        inPassing(step, life, at, { uid: trueValue(life, 'uid', at - 1) });
        const event: CredentialsEvent = {
          type: 'credentials',
          at: at as EventNs,
          pid: life.tid,
          start: life.start as EventNs,
          [field]: id,
        };
        add(step, event, statementsOf(life, at, 'said', { [field]: id }));
        break;
      }
      case 'exit': {
        if (happening.isQuiet) break;
        const { isLast, code, signal } = happening;
        inPassing(step, life, at);
        const event: ExitEvent = {
          type: 'exit',
          at: at as EventNs,
          tid: life.tid,
          pid: life.leader.tid,
          start: life.start as EventNs,
          isGroupDead: knowsGroups ? isLast : undefined,
          comm: trueValue(life, 'comm', at) as string,
          code,
          signal,
        };
        add(step, event, [{ life, at, how: 'said', field: 'end', isLast, status: { code, signal } }]);
        break;
      }
      case 'reparent': {
        if (!happening.isTold) break;
        const { parent } = happening;
        inPassing(step, life, at);
        const event: ReparentEvent = {
          type: 'reparent',
          at: at as EventNs,
          pid: life.tid,
          start: life.start as EventNs,
          parentPid: parent.tid,
        };
        add(step, event, [{ life, at, how: 'said', field: 'parent', value: parent }]);
        break;
      }
      case 'glance':
        inPassing(step, life, at);
        break;
      default: // of these a tracer knows nothing
    }
  }
  return told;
}

/** The kernel's trace events, in order: no starts, no users, no arguments, no codes. */
export function tellTracefs(host: LawfulHost): Told[] {
  const told: Told[] = [];
  for (const happening of host.happenings) {
    const { life, at, step } = { life: host.init, ...happening };
    const add = (event: TaskEvent, says: readonly Statement[]) => told.push({ event, says, step, line: told.length });
    switch (happening.what) {
      case 'birth': {
        const creator = life.creator as Life;
        const comm = trueValue(creator, 'comm', at) as string;
        const event: ForkEvent = {
          type: 'fork',
          at: at as EventNs,
          tid: life.tid,
          // Whose thread the creator is, nobody knows here.
          pid: life.leader === life ? life.tid : undefined,
          creatorTid: creator.tid,
          cloneFlags: flagsOf(happening),
          comm,
        };
        add(event, statementsOf(life, at, 'said', { comm }));
        break;
      }
      case 'exec': {
        // The kernel names the task first.
        const named = at - US;
        const { comm, filename } = happening.image;
        const rename: RenameEvent = { type: 'rename', at: named as EventNs, tid: life.tid, comm };
        add(rename, statementsOf(life, named, 'said', { comm }));
        const oldTid = happening.caller.tid;
        const event: ExecEvent = { type: 'exec', at: at as EventNs, pid: life.tid, oldTid, filename };
        add(event, [{ life, at, how: 'concluded', field: 'executable', value: filename }]);
        break;
      }
      case 'rename': {
        const { comm } = happening;
        add({ type: 'rename', at: at as EventNs, tid: life.tid, comm }, statementsOf(life, at, 'said', { comm }));
        break;
      }
      case 'exit': {
        if (happening.isQuiet) break;
        const { isLast } = happening;
        const comm = trueValue(life, 'comm', at) as string;
        const event: ExitEvent = { type: 'exit', at: at as EventNs, tid: life.tid, isGroupDead: isLast, comm };
        add(event, [{ life, at, how: 'said', field: 'end', isLast, status: undefined }]);
        break;
      }
      default: // of these the trace events say nothing
    }
  }
  return told;
}

export interface ProcfsDialect {
  /** Of 8 things that can be read, so many cannot. */
  readonly unreadable?: number;
  /** Are there whole scans? */
  readonly scans?: boolean;
}

/** What is seen in /proc at times, in order: first of all init, then whoever is looked at. */
export function tellProcfs(
  host: LawfulHost,
  random: Random,
  { unreadable = 0, scans = false }: ProcfsDialect = {},
): Told[] {
  const told: Told[] = [];
  const look = (step: number, life: Life, at: number) => {
    const event = unread(isHollow(life, at) ? hollow(life, at) : whole(life, at), unreadable, random);
    told.push({ event, says: sightingsOf(event, life, trueParent(life, at)), step, line: told.length });
  };
  look(0, host.init, 0);
  for (const happening of host.happenings) {
    const { at, step, what } = happening;
    if (what === 'look' || what === 'glance') look(step, happening.life, at);
    if (what !== 'scan' || !scans) continue;
    for (const life of happening.seen) look(step, life, at);
    told.push({ event: { type: 'scan', at: at as EventNs, from: at as EventNs }, says: [], step, line: told.length });
  }
  return told;
}

/** The same, stamped somewhat later: all of one step alike. Steps for which `isSure` holds are stamped as they were. */
export function late(told: readonly Told[], random: Random, isSure = (_step: number) => false): Told[] {
  const delays = new Map<number, number>();
  return told.map((one) => {
    const { event, step } = one;
    const delay = delays.get(step) ?? (isSure(step) ? 0 : random.below(SLACK + 1));
    delays.set(step, delay);
    return 'at' in event ? { ...one, event: { ...event, at: (event.at + delay) as EventNs } } : one;
  });
}

/** Everything that /proc has of a task that runs; of a thread little is its own. */
function whole(life: Life, at: number): ObserveEvent {
  const text = (field: Field) => trueValue(life, field, at) as string | undefined;
  const { nsTid, nsPid, pidNs } = life;
  const seen = { ...hollow(life, at), nsTid };
  if (life.leader !== life) return { ...seen, uid: undefined, gid: undefined };
  const argv = trueValue(life, 'argv', at) as readonly string[];
  return {
    ...seen,
    executable: fileOf(text('executable')),
    argv: argv.length === 0 ? undefined : argv,
    cwd: text('cwd'),
    container: text('container'),
    nsPid,
    pidNs,
  };
}

/** What is left in /proc of a task without a thread. */
function hollow(life: Life, at: number): ObserveEvent {
  const parent = life.leader === life ? parentInProc(life, at) : undefined;
  return {
    type: 'observe',
    at: at as EventNs,
    tid: life.tid,
    pid: life.leader.tid,
    ppid: parent?.tid ?? 0,
    start: (Math.floor(life.start / TICK) * TICK) as EventNs,
    startIsTick: true,
    comm: trueValue(life, 'comm', at) as string,
    uid: trueValue(life, 'uid', at) as number,
    gid: trueValue(life, 'gid', at) as number,
  };
}

/** Has it no thread of its own, or none any more? */
function isHollow(life: Life, at: number): boolean {
  const left = life.left.findLast((time) => time <= at);
  return life.exit <= at || (left !== undefined && !life.execs.some((exec) => exec > left && exec <= at));
}

/** A zombie is given to others too when its parent ends before it is waited for. */
function parentInProc(life: Life, at: number): Life | undefined {
  let parent = trueParent(life, at);
  while (parent !== undefined && parent.exit <= at) parent = trueParent(parent, at);
  return parent;
}

/** Leaves out some of what can be unreadable. */
function unread(event: ObserveEvent, eighths: number, random: Random): ObserveEvent {
  const read = <T>(value: T): T | undefined => (random.below(8) < eighths ? undefined : value);
  const { executable, argv, cwd, uid, gid, container, nsTid, nsPid, pidNs } = event;
  return {
    ...event,
    executable: read(executable),
    argv: read(argv),
    cwd: read(cwd),
    uid: read(uid),
    gid: read(gid),
    container: read(container),
    nsTid: read(nsTid),
    nsPid: read(nsPid),
    pidNs: read(pidNs),
  };
}

function sightingsOf(event: ObserveEvent, life: Life, parent: Life | undefined): Statement[] {
  const { at, comm, nsTid, nsPid, pidNs } = event;
  const own = { comm, nsTid, nsPid, pidNs };
  // A thread's own ids are not kept, and what else it has is its process'.
  if (life.leader !== life) return statementsOf(life, at, 'seen', own);
  const { argv, cwd, uid, gid, container } = event;
  const executable = event.executable?.path;
  const says = statementsOf(life, at, 'seen', { ...own, executable, argv, cwd, uid, gid, container });
  if (parent !== undefined) says.push({ life, at, how: 'seen', field: 'parent', value: parent });
  return says;
}

function statementsOf(
  life: Life,
  at: number,
  how: 'said' | 'seen',
  values: Partial<Record<Field, Value>>,
): Statement[] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => ({ life, at, how, field: field as Field, value }));
}

function flagsOf(birth: Happening & { readonly what: 'birth' }): number {
  const { life, isVfork } = birth;
  return (
    (life.leader === life ? 0 : CLONE.thread | CLONE.vm) |
    (life.isSibling ? CLONE.parent : 0) |
    (isVfork ? CLONE.vfork | CLONE.vm : 0)
  );
}

function fileOf(path: string | undefined): FileInfo | undefined {
  return path === undefined ? undefined : { path };
}
