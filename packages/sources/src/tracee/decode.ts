// Tracee's events as TaskEvents.

import {
  AUTHORITY,
  type ContainerEvent,
  type EventNs,
  type ExecEvent,
  type ExitEvent,
  eventTimeOf,
  type FileInfo,
  type ForkEvent,
  type RenameEvent,
  type TaskEvent,
  type TimeBase,
} from '@dendro/protocol';
import { containerOf } from '../procfs/container.ts';
import { isAnnouncement } from './announcements.ts';
import type { Context } from './context.ts';
import {
  boolean,
  integer,
  isObject,
  type Json,
  list,
  optional,
  optionalEpochNs,
  Rejection,
  type RejectReason,
  string,
  taskNumber,
  uint32,
  uint64Text,
} from './fields.ts';

type Args = Context['args'];

const LIFECYCLE = new Set([
  'sched_process_fork',
  'sched_process_exec',
  'sched_process_exit',
  'task_rename',
  'cgroup_attach_task',
  'cgroup_mkdir',
  'cgroup_rmdir',
]);
/** Ten years: starts of old daemons and long logs are nearer; what is further away is no time of this host. */
const MAX_DISTANCE_NS = 315_360_000_000_000_000n;
const CORE_DUMPED = 0x80;

/** @returns the event, or why it cannot be one that this decodes: nearly all that Tracee writes, so it is no exception */
export function lifecycleEvent(value: unknown): Json | RejectReason {
  if (!isObject(value)) return 'not-an-object';
  const name = value['eventName'] ?? value['name'];
  if (typeof name !== 'string') return 'not-a-tracee-event';
  return isNeeded(name) ? value : 'not-a-lifecycle-event';
}

export function isNeeded(name: string): boolean {
  return LIFECYCLE.has(name) || isAnnouncement(name);
}

/** @throws Rejection */
export function decodeEvent(context: Context, base: TimeBase): TaskEvent[] {
  const at = eventTime(base, context.epochNs);
  const start = optionalTime(base, context.startEpochNs);
  const seen = sighting(context, at, start);
  switch (context.name) {
    case 'sched_process_fork':
      return [...seen, forkEvent(context, base, at)];
    case 'sched_process_exec':
      // The sighting comes after: the context is already that of the new program.
      return [execEvent(context, at, start), ...seen];
    case 'sched_process_exit':
      return [...seen, exitEvent(context, at, start)];
    case 'task_rename':
      return [...seen, renameEvent(context, at, start)];
    case 'cgroup_attach_task':
      return [...seen, ...containerEvent(context, at, start)];
    default:
      return seen; // a cgroup was made or removed: whose it will be is said when a task is attached to it
  }
}

/** The context says a good deal of the task itself; it may be the first to mention it. */
function sighting(context: Context, at: EventNs, start: EventNs | undefined): TaskEvent[] {
  const { tid, pid, ppid, comm, uid, nsTid, nsPid, pidNs, container } = context;
  if (start === undefined || tid === 0 || pid === 0) return [];
  return [
    {
      type: 'observe',
      at,
      tid,
      pid,
      ppid,
      start,
      startIsTick: false,
      authority: AUTHORITY.event,
      comm,
      uid,
      nsTid,
      nsPid,
      pidNs,
      container,
    },
  ];
}

function forkEvent({ args, tid, pid }: Context, base: TimeBase, at: EventNs): ForkEvent {
  const time = (name: string) => optionalTime(base, optionalEpochNs(args.get(name)));
  const task = (name: string) => optional(args.get(name), taskNumber);
  return {
    type: 'fork',
    at,
    tid: newTask(args.get('child_tid')),
    pid: newTask(args.get('child_pid')),
    start: time('start_time'),
    // Who called fork, a thread perhaps; the context is of the same task.
    creatorTid: task('parent_tid') ?? tid,
    creatorPid: task('parent_pid') ?? pid,
    creatorStart: time('parent_start_time'),
    // The process that it is a child of: not always that of the caller. Only newer releases tell.
    parentPid: task('parent_process_pid'),
    parentStart: time('parent_process_start_time'),
    leaderStart: time('leader_start_time'),
    nsTid: task('child_ns_tid'),
    nsPid: task('child_ns_pid'),
  };
}

function execEvent({ args, pid, tid, comm, uid, container }: Context, at: EventNs, start?: EventNs): ExecEvent {
  return {
    type: 'exec',
    at,
    pid,
    oldTid: tid,
    start: tid === pid ? start : undefined,
    comm,
    filename: text(args, 'cmdpath'),
    executable: executable(args),
    argv: optional(args.get('argv'), list)?.map(string),
    cwd: text(args, 'pwd'),
    interpreter: interpreter(args),
    interp: text(args, 'interp'),
    uid,
    container,
  };
}

function exitEvent({ args, tid, pid, comm }: Context, at: EventNs, start?: EventNs): ExitEvent {
  const signal = (optional(args.get('signal_code'), integer) ?? 0) & ~CORE_DUMPED & 0xff;
  const code = optional(args.get('exit_code'), integer);
  return {
    type: 'exit',
    at,
    tid,
    pid,
    start,
    isGroupDead: optional(args.get('process_group_exit'), boolean),
    comm,
    code: signal !== 0 || code === undefined ? undefined : code & 0xff,
    signal: signal === 0 ? undefined : signal,
  };
}

function renameEvent({ args, tid, pid, syscall }: Context, at: EventNs, start?: EventNs): RenameEvent {
  // The context is of the task that calls. With prctl that is the one renamed; a write to /proc may be meant for
  // another thread, and an exec says it better itself.
  if (syscall !== 'prctl') throw new Rejection('not-a-lifecycle-event');
  return { type: 'rename', at, tid, pid, start, comm: string(args.get('new_name')) };
}

/** A task is moved, mostly by another one, which the context is of. */
function containerEvent({ args, tid, pid }: Context, at: EventNs, start?: EventNs): ContainerEvent[] {
  const container = containerOf(`0::${string(args.get('cgroup_path'))}`);
  const moved = newTask(args.get('pid'));
  if (container === undefined) return [];
  return [{ type: 'container', at, tid: moved, ...(moved === tid ? { pid, start } : {}), container }];
}

function executable(args: Args): FileInfo | undefined {
  const path = text(args, 'pathname');
  if (path === undefined) return undefined;
  const mode = args.get('inode_mode');
  return {
    path,
    device: optional(args.get('dev'), uint32),
    inode: optional(args.get('inode'), uint64Text),
    ctime: optional(args.get('ctime'), uint64Text),
    // Tracee can be told to write it out, as in "-rwxr-xr-x": the rest of the line is worth more than that.
    mode: typeof mode === 'string' ? undefined : optional(mode, uint32),
    hash: text(args, 'sha256'),
  };
}

/** The loader of a dynamic program. */
function interpreter(args: Args): FileInfo | undefined {
  const path = text(args, 'interpreter_pathname');
  if (path === undefined) return undefined;
  return {
    path,
    device: optional(args.get('interpreter_dev'), uint32),
    inode: optional(args.get('interpreter_inode'), uint64Text),
    ctime: optional(args.get('interpreter_ctime'), uint64Text),
  };
}

/** An empty text is none. */
function text(args: Args, name: string): string | undefined {
  return optional(args.get(name), string) || undefined;
}

function newTask(value: unknown): number {
  const number = taskNumber(value);
  if (number === 0) throw new Rejection('wrong-type');
  return number;
}

function optionalTime(base: TimeBase, epoch: bigint | undefined): EventNs | undefined {
  return epoch === undefined ? undefined : eventTime(base, epoch);
}

function eventTime(base: TimeBase, epoch: bigint): EventNs {
  const distance = epoch - base.epochNs;
  if (distance > MAX_DISTANCE_NS || distance < -MAX_DISTANCE_NS) throw new Rejection('bad-timestamp');
  return eventTimeOf(base, epoch);
}
