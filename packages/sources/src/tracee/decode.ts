// Tracee's events as TaskEvents, in both dialects of its JSON: the legacy one
// (`eventName`, bare 64-bit numbers) and v1beta1 (`name`, `workload`, `data`).
//
// A line is from outside: every field is checked, and what does not fit is a
// reason to leave the line out, never to guess.

import {
  AUTHORITY,
  type EventNs,
  eventTimeOf,
  type FileInfo,
  isTid,
  parseRfc3339Ns,
  type TaskEvent,
  type TimeBase,
} from '@dendro/protocol';

/** Why a line was left out. */
export type RejectReason =
  | 'not-json'
  | 'not-an-object'
  | 'not-a-tracee-event'
  | 'not-a-lifecycle-event'
  | 'missing-field'
  | 'wrong-type'
  | 'bad-timestamp'
  | 'line-too-long'
  | 'truncated';

/** Thrown, and caught where the line is counted. */
export class Rejection extends Error {
  readonly reason: RejectReason;

  constructor(reason: RejectReason) {
    super(reason);
    this.reason = reason;
  }
}

type Json = Record<string, unknown>;

/** What both dialects say of the task that an event happened in. */
interface Context {
  readonly name: string;
  readonly epochNs: bigint;
  readonly tid: number;
  readonly pid: number;
  readonly ppid: number;
  readonly nsTid: number | undefined;
  readonly nsPid: number | undefined;
  readonly startEpochNs: bigint | undefined;
  readonly comm: string | undefined;
  readonly uid: number | undefined;
  readonly container: string | undefined;
  /** The event's own arguments by name. */
  readonly args: ReadonlyMap<string, unknown>;
}

const LIFECYCLE = new Set(['sched_process_fork', 'sched_process_exec', 'sched_process_exit']);
/** EventNs is exact for so long on either side of the base; a time further away is no time of this host. */
const MAX_OFFSET_NS = 2n ** 53n;

/** Epoch time of an event. @throws Rejection */
export function timeOf(event: Json): bigint {
  return epochNs(event['timestamp']);
}

/** @throws Rejection when the value is no lifecycle event, or one that is not whole */
export function checkedEvent(value: unknown): Json {
  if (!isObject(value)) throw new Rejection('not-an-object');
  const name = value['eventName'] ?? value['name'];
  if (typeof name !== 'string') throw new Rejection('not-a-tracee-event');
  if (!LIFECYCLE.has(name)) throw new Rejection('not-a-lifecycle-event');
  return value;
}

/**
 * Adds the TaskEvents of one checked event to `out`.
 * @throws Rejection; `out` is as it was then
 */
export function decodeEvent(event: Json, base: TimeBase, out: TaskEvent[]): void {
  const context = typeof event['eventName'] === 'string' ? legacyContext(event) : v1beta1Context(event);
  const at = offset(base, context.epochNs);
  const start = context.startEpochNs === undefined ? undefined : offset(base, context.startEpochNs);
  switch (context.name) {
    case 'sched_process_fork': {
      const events = [...sighting(context, at, start), forkEvent(context, base, at)];
      out.push(...events);
      return;
    }
    case 'sched_process_exec': {
      // The sighting comes after: the context is already that of the new program.
      const exec = execEvent(context, at, start);
      out.push(exec, ...sighting(context, at, start));
      return;
    }
    default: {
      const events = [...sighting(context, at, start), exitEvent(context, at, start)];
      out.push(...events);
    }
  }
}

/** The context says a good deal of the task itself; it may be the first to mention it. */
function sighting(context: Context, at: EventNs, start: EventNs | undefined): TaskEvent[] {
  if (start === undefined) return [];
  const { tid, pid, ppid, comm, uid, nsTid, nsPid, container } = context;
  const { event: authority } = AUTHORITY;
  return [
    { type: 'observe', at, tid, pid, ppid, start, startIsTick: false, authority, comm, uid, nsTid, nsPid, container },
  ];
}

function forkEvent(context: Context, base: TimeBase, at: EventNs): TaskEvent {
  const { args } = context;
  const time = (name: string) => (args.has(name) ? offset(base, epochNs(args.get(name))) : undefined);
  const tid = (name: string) => (args.has(name) ? taskNumber(args.get(name)) : undefined);
  return {
    type: 'fork',
    at,
    tid: taskNumber(needed(args, 'child_tid')),
    pid: taskNumber(needed(args, 'child_pid')),
    start: time('start_time'),
    // The context is that of the task that forks.
    creatorTid: tid('parent_tid') ?? context.tid,
    creatorPid: tid('parent_pid') ?? context.pid,
    creatorStart: time('parent_start_time'),
    parentPid: tid('parent_process_pid'),
    parentStart: time('parent_process_start_time'),
    leaderStart: time('leader_start_time'),
    nsTid: tid('child_ns_tid'),
    nsPid: tid('child_ns_pid'),
  };
}

function execEvent(context: Context, at: EventNs, start: EventNs | undefined): TaskEvent {
  const { args, pid, tid, comm, uid, container } = context;
  return {
    type: 'exec',
    at,
    pid,
    oldTid: tid,
    start: tid === pid ? start : undefined,
    comm,
    filename: text(args, 'cmdpath'),
    executable: file(args, 'pathname', 'dev', 'inode', 'ctime', 'inode_mode', 'sha256'),
    argv: texts(args, 'argv'),
    cwd: text(args, 'pwd') || undefined,
    interpreter: file(args, 'interpreter_pathname', 'interpreter_dev', 'interpreter_inode', 'interpreter_ctime'),
    interp: text(args, 'interp') || undefined,
    uid,
    container,
  };
}

function exitEvent(context: Context, at: EventNs, start: EventNs | undefined): TaskEvent {
  const { args, tid, pid, comm } = context;
  const isGroupDead = args.get('process_group_exit');
  if (isGroupDead !== undefined && typeof isGroupDead !== 'boolean') throw new Rejection('wrong-type');
  const status = integer(args.get('signal_code') ?? 0);
  const signal = status & 0x7f; // bit 7 says that a core was dumped
  return {
    type: 'exit',
    at,
    tid,
    pid,
    start,
    isGroupDead,
    comm,
    code: signal === 0 && args.has('exit_code') ? integer(args.get('exit_code')) & 0xff : undefined,
    signal: signal === 0 ? undefined : signal,
  };
}

function legacyContext(event: Json): Context {
  const args = new Map<string, unknown>();
  for (const arg of list(event['args'])) {
    if (!isObject(arg) || typeof arg['name'] !== 'string') throw new Rejection('wrong-type');
    args.set(arg['name'], arg['value'] ?? undefined);
  }
  const container = event['container'];
  const start = event['threadStartTime'];
  return {
    name: String(event['eventName']),
    epochNs: epochNs(event['timestamp']),
    tid: taskNumber(event['hostThreadId']),
    pid: taskNumber(event['hostProcessId']),
    ppid: taskNumber(event['hostParentProcessId']),
    nsTid: optional(event['threadId'], taskNumber),
    nsPid: optional(event['processId'], taskNumber),
    startEpochNs: start === undefined || integerText(start) === '0' ? undefined : epochNs(start),
    comm: optional(event['processName'], string),
    uid: optional(event['userId'], integer),
    container: (isObject(container) && typeof container['id'] === 'string' && container['id']) || undefined,
    args,
  };
}

function v1beta1Context(event: Json): Context {
  const workload = object(event['workload']);
  const process = object(workload['process']);
  const thread = object(process['thread']);
  const [parent] = list(process['ancestors'] ?? []);
  const user = process['real_user'];
  const container = workload['container'];
  const start = thread['start_time'];
  return {
    name: String(event['name']),
    epochNs: epochNs(event['timestamp']),
    tid: taskNumber(thread['host_tid']),
    pid: taskNumber(process['host_pid']),
    ppid: isObject(parent) ? taskNumber(parent['host_pid']) : 0,
    nsTid: optional(thread['tid'], taskNumber),
    nsPid: optional(process['pid'], taskNumber),
    startEpochNs: start === undefined || start === null ? undefined : epochNs(start),
    comm: optional(thread['name'], string),
    uid: isObject(user) ? optional(user['id'], integer) : undefined,
    container: (isObject(container) && typeof container['id'] === 'string' && container['id']) || undefined,
    args: v1beta1Args(list(event['data'] ?? [])),
  };
}

/** `{"name": N, "<type>": V}`; an array of strings is `{"value": […]}`, or `{}` when it is empty. */
function v1beta1Args(data: readonly unknown[]): Map<string, unknown> {
  const args = new Map<string, unknown>();
  for (const item of data) {
    if (!isObject(item) || typeof item['name'] !== 'string') throw new Rejection('wrong-type');
    const [type, value] = Object.entries(item).find(([key]) => key !== 'name') ?? [];
    if (type === undefined || value === null) continue;
    args.set(item['name'], type === 'str_array' && isObject(value) ? (value['value'] ?? []) : value);
  }
  return args;
}

function file(
  args: ReadonlyMap<string, unknown>,
  path: string,
  device: string,
  inode: string,
  ctime: string,
  mode?: string,
  hash?: string,
): FileInfo | undefined {
  const name = text(args, path);
  if (name === undefined || name === '') return undefined;
  const modeValue = mode === undefined ? undefined : args.get(mode);
  return {
    path: name,
    device: optional(args.get(device), integer),
    inode: optional(args.get(inode), integerText),
    ctime: optional(args.get(ctime), integerText),
    // With decoded data it is a text such as "-rwxr-xr-x": the path is worth more than the line.
    mode: typeof modeValue === 'number' ? modeValue : undefined,
    hash: hash === undefined ? undefined : text(args, hash) || undefined,
  };
}

function texts(args: ReadonlyMap<string, unknown>, name: string): readonly string[] | undefined {
  const value = args.get(name);
  if (value === undefined || value === null) return undefined;
  return list(value).map(string);
}

function text(args: ReadonlyMap<string, unknown>, name: string): string | undefined {
  return optional(args.get(name), string);
}

function needed(args: ReadonlyMap<string, unknown>, name: string): unknown {
  const value = args.get(name);
  if (value === undefined) throw new Rejection('missing-field');
  return value;
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value);
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new Rejection(value === undefined ? 'missing-field' : 'wrong-type');
  return value;
}

function integer(value: unknown): number {
  if (value === undefined) throw new Rejection('missing-field');
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new Rejection('wrong-type');
  return value;
}

/** A 64-bit number: bare and short, or as text. */
function integerText(value: unknown): string {
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return value;
  return String(integer(value));
}

/** A tid or pid. */
function taskNumber(value: unknown): number {
  const number = integer(value);
  if (!isTid(number)) throw new Rejection('wrong-type');
  return number;
}

/** Epoch nanoseconds: a number, the same as text, or RFC 3339. */
function epochNs(value: unknown): bigint {
  if (value === undefined) throw new Rejection('missing-field');
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value === 'string') {
    if (/^\d{1,19}$/.test(value)) return BigInt(value);
    const time = parseRfc3339Ns(value);
    if (time !== undefined) return time;
  }
  throw new Rejection('bad-timestamp');
}

function offset(base: TimeBase, epoch: bigint): EventNs {
  const distance = epoch - base.epochNs;
  if (distance > MAX_OFFSET_NS || distance < -MAX_OFFSET_NS) throw new Rejection('bad-timestamp');
  return eventTimeOf(base, epoch);
}

function object(value: unknown): Json {
  if (!isObject(value)) throw new Rejection(value === undefined ? 'missing-field' : 'wrong-type');
  return value;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Rejection(value === undefined ? 'missing-field' : 'wrong-type');
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
