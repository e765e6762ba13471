// Tracee's events as TaskEvents.

import {
  AUTHORITY,
  type EventNs,
  type ExecEvent,
  type ExitEvent,
  type FileInfo,
  type ForkEvent,
  type RenameEvent,
  type TaskEvent,
  type TimeBase,
} from '@dendro/protocol';
import type { EventSink } from '../source.ts';
import { EXEC, EXIT, FORK, isEventName, RENAME } from './args.ts';
import { type Context, contextOf } from './context.ts';
import { epochNs, isObject, type Json, Rejection, type RejectReason } from './fields.ts';

const CORE_DUMPED = 0x80;

/** @returns the event, or why it cannot be one that this decodes: nearly all that Tracee writes, so it is no exception */
export function lifecycleEvent(value: unknown): Json | RejectReason {
  if (!isObject(value)) return 'not-an-object';
  const name = value['eventName'] ?? value['name'];
  if (typeof name !== 'string') return 'not-a-tracee-event';
  return isEventName(name) ? value : 'not-a-lifecycle-event';
}

/** Epoch time of an event. @throws Rejection */
export function timeOf(event: Json): bigint {
  return epochNs(event['timestamp']);
}

/** @throws Rejection; nothing was told then */
export function decodeEvent(event: Json, base: TimeBase, sink: EventSink): void {
  tell(contextOf(event, base), sink);
}

/**
 * Tells what the event says, and, before or after, what its context says of the task itself: it may be the first to
 * mention it.
 * @throws Rejection; nothing was told then
 */
export function tell(context: Context, sink: EventSink): void {
  if (context.name === 'sched_process_exec') {
    // The sighting comes after: the context is already that of the new program.
    sink(execEvent(context));
    tellSighting(context, sink);
    return;
  }
  const event = eventOf(context);
  tellSighting(context, sink);
  sink(event);
}

function eventOf(context: Context): TaskEvent {
  switch (context.name) {
    case 'sched_process_fork':
      return forkEvent(context);
    case 'sched_process_exit':
      return exitEvent(context);
    default:
      return renameEvent(context);
  }
}

function tellSighting(context: Context, sink: EventSink): void {
  const { at, tid, pid, ppid, start, comm, uid, nsTid, nsPid, pidNs, container } = context;
  if (start === undefined || tid === 0 || pid === 0) return;
  const authority = AUTHORITY.event;
  const who = { type: 'observe', at, tid, pid, ppid, start, startIsTick: false, authority } as const;
  sink({ ...who, comm, uid, nsTid, nsPid, pidNs, container });
}

function forkEvent({ at, args, tid, pid }: Context): ForkEvent {
  return {
    type: 'fork',
    at,
    tid: newTask(args[FORK.child_tid]),
    pid: newTask(args[FORK.child_pid]),
    start: args[FORK.start_time] as EventNs | undefined,
    // Who called fork, a thread perhaps; the context is of the same task.
    creatorTid: (args[FORK.parent_tid] as number | undefined) ?? tid,
    creatorPid: (args[FORK.parent_pid] as number | undefined) ?? pid,
    creatorStart: args[FORK.parent_start_time] as EventNs | undefined,
    // The process that it is a child of: not always that of the caller. Only newer releases tell.
    parentPid: args[FORK.parent_process_pid] as number | undefined,
    parentStart: args[FORK.parent_process_start_time] as EventNs | undefined,
    leaderStart: args[FORK.leader_start_time] as EventNs | undefined,
    nsTid: args[FORK.child_ns_tid] as number | undefined,
    nsPid: args[FORK.child_ns_pid] as number | undefined,
  };
}

function execEvent({ at, args, pid, tid, comm, uid, container, start }: Context): ExecEvent {
  const path = args[EXEC.pathname] as string | undefined;
  const loader = args[EXEC.interpreter_pathname] as string | undefined;
  return {
    type: 'exec',
    at,
    pid,
    oldTid: tid,
    start: tid === pid ? start : undefined,
    comm,
    filename: args[EXEC.cmdpath] as string | undefined,
    executable: path === undefined ? undefined : executable(path, args),
    argv: args[EXEC.argv] as readonly string[] | undefined,
    cwd: args[EXEC.pwd] as string | undefined,
    interpreter: loader === undefined ? undefined : interpreter(loader, args),
    interp: args[EXEC.interp] as string | undefined,
    uid,
    container,
  };
}

function executable(path: string, args: Context['args']): FileInfo {
  return {
    path,
    device: args[EXEC.dev] as number | undefined,
    inode: args[EXEC.inode] as string | undefined,
    ctime: args[EXEC.ctime] as string | undefined,
    mode: args[EXEC.inode_mode] as number | undefined,
    hash: args[EXEC.sha256] as string | undefined,
  };
}

/** The loader of a dynamic program. */
function interpreter(path: string, args: Context['args']): FileInfo {
  return {
    path,
    device: args[EXEC.interpreter_dev] as number | undefined,
    inode: args[EXEC.interpreter_inode] as string | undefined,
    ctime: args[EXEC.interpreter_ctime] as string | undefined,
  };
}

function exitEvent({ at, args, tid, pid, comm, start }: Context): ExitEvent {
  const signal = ((args[EXIT.signal_code] as number | undefined) ?? 0) & ~CORE_DUMPED & 0xff;
  const code = args[EXIT.exit_code] as number | undefined;
  return {
    type: 'exit',
    at,
    tid,
    pid,
    start,
    isGroupDead: args[EXIT.process_group_exit] as boolean | undefined,
    comm,
    code: signal !== 0 || code === undefined ? undefined : code & 0xff,
    signal: signal === 0 ? undefined : signal,
  };
}

function renameEvent({ at, args, tid, syscall, start }: Context): RenameEvent {
  // The context is of the task that calls. With prctl that is the one renamed; a write to /proc may be meant for
  // another thread, and an exec says it better itself.
  if (syscall !== 'prctl') throw new Rejection('not-a-lifecycle-event');
  const comm = args[RENAME.new_name] as string | undefined;
  if (comm === undefined) throw new Rejection('missing-field');
  return { type: 'rename', at, tid, start, comm };
}

function newTask(value: unknown): number {
  if (value === undefined) throw new Rejection('missing-field');
  if (value === 0) throw new Rejection('wrong-type');
  return value as number;
}
