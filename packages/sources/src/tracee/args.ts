// The events of Tracee that the tree is made of, and those of their arguments
// that count. Everything else in a line is passed over.

export type ArgType =
  | 'task'
  | 'time'
  | 'uint32'
  | 'mode'
  | 'uint64'
  | 'integer'
  | 'boolean'
  | 'string'
  | 'comm'
  | 'strings';

export interface Arg {
  readonly name: string;
  readonly type: ArgType;
}

const FORK_TYPES = {
  child_tid: 'task',
  child_pid: 'task',
  start_time: 'time',
  parent_tid: 'task',
  parent_pid: 'task',
  parent_start_time: 'time',
  parent_process_pid: 'task',
  parent_process_start_time: 'time',
  leader_start_time: 'time',
  child_ns_tid: 'task',
  child_ns_pid: 'task',
} as const;
const EXEC_TYPES = {
  cmdpath: 'string',
  pathname: 'string',
  argv: 'strings',
  pwd: 'string',
  interp: 'string',
  dev: 'uint32',
  inode: 'uint64',
  ctime: 'uint64',
  inode_mode: 'mode',
  sha256: 'string',
  interpreter_pathname: 'string',
  interpreter_dev: 'uint32',
  interpreter_inode: 'uint64',
  interpreter_ctime: 'uint64',
} as const;
const EXIT_TYPES = { exit_code: 'integer', signal_code: 'integer', process_group_exit: 'boolean' } as const;
const RENAME_TYPES = { new_name: 'comm' } as const;

/** Place of each argument of an event among its arguments. */
export const FORK = placesOf(FORK_TYPES);
export const EXEC = placesOf(EXEC_TYPES);
export const EXIT = placesOf(EXIT_TYPES);
export const RENAME = placesOf(RENAME_TYPES);

export const ARGS = {
  sched_process_fork: argsOf(FORK_TYPES),
  sched_process_exec: argsOf(EXEC_TYPES),
  sched_process_exit: argsOf(EXIT_TYPES),
  task_rename: argsOf(RENAME_TYPES),
} as const;
export type EventName = keyof typeof ARGS;
/** Arguments of the event that has most. */
export const MOST_ARGS = Math.max(...Object.values(ARGS).map((args) => args.length));

export function isEventName(name: string): name is EventName {
  return Object.hasOwn(ARGS, name);
}

function placesOf<Name extends string>(types: Readonly<Record<Name, ArgType>>): Readonly<Record<Name, number>> {
  return Object.fromEntries(Object.keys(types).map((name, place) => [name, place])) as Record<Name, number>;
}

function argsOf(types: Readonly<Record<string, ArgType>>): readonly Arg[] {
  return Object.entries(types).map(([name, type]) => ({ name, type }));
}
