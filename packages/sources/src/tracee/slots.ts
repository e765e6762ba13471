// What is looked for in a line, where it stands, and of what kind it is. All
// else is stepped over.

export const SLOT = {
  none: 0,
  tid: 1,
  pid: 2,
  ppid: 3,
  nsTid: 4,
  nsPid: 5,
  pidNs: 6,
  start: 7,
  comm: 8,
  uid: 9,
  container: 10,
  containerBeside: 11,
  syscall: 12,
  eventName: 13,
  name: 14,
  workload: 15,
  process: 16,
  thread: 17,
  user: 18,
  ancestors: 19,
  containerObject: 20,
  args: 21,
  data: 22,
  parentTid: 23,
  parentPid: 24,
  parentStart: 25,
  childTid: 26,
  childPid: 27,
  childStart: 28,
  childNsTid: 29,
  childNsPid: 30,
  parentProcessPid: 31,
  parentProcessStart: 32,
  leaderStart: 33,
  cmdpath: 34,
  pathname: 35,
  device: 36,
  inode: 37,
  ctime: 38,
  mode: 39,
  hash: 40,
  loaderPath: 41,
  loaderDevice: 42,
  loaderInode: 43,
  loaderCtime: 44,
  argv: 45,
  pwd: 46,
  interp: 47,
  exitCode: 48,
  signalCode: 49,
  groupExit: 50,
  newName: 51,
  at: 52,
  hostName: 53,
} as const;
export const SLOTS = 54;
/** Slot -> 1 when there is a value for it. */
export type Slots = Uint8Array;

/** What a value is. */
export type Kind =
  | 'task'
  | 'uint32'
  | 'time'
  | 'text'
  | 'uint64'
  | 'integer'
  | 'boolean'
  | 'mode'
  | 'list'
  | 'eventName'
  | 'object'
  | 'ancestors'
  | 'legacyArgs'
  | 'v1beta1Args';

/** In which dialects a key means this. */
export const LEGACY = 1;
export const V1BETA1 = 2;
export const BOTH = 3;

export interface Field {
  readonly kind: Kind;
  readonly slot: number;
  readonly dialects: number;
  /** What is in the object, where it is one. */
  readonly fields: Fields | undefined;
}
export type Fields = ReadonlyMap<string, Field>;

type Rows = Readonly<Record<string, readonly [kind: Kind, slot: keyof typeof SLOT, fields?: Fields]>>;

function fields(dialects: number, rows: Rows): Fields {
  return new Map(
    Object.entries(rows).map(([key, [kind, slot, inner]]) => [
      key,
      { kind, slot: SLOT[slot], dialects, fields: inner },
    ]),
  );
}

const CONTAINER = fields(BOTH, { id: ['text', 'container'] });
const THREAD = fields(BOTH, {
  start_time: ['time', 'start'],
  name: ['text', 'comm'],
  host_tid: ['task', 'tid'],
  tid: ['task', 'nsTid'],
  syscall: ['text', 'syscall'],
});
const PROCESS = fields(BOTH, {
  host_pid: ['task', 'pid'],
  pid: ['task', 'nsPid'],
  real_user: ['object', 'user', fields(BOTH, { id: ['uint32', 'uid'] })],
  thread: ['object', 'thread', THREAD],
  ancestors: ['ancestors', 'ancestors', fields(BOTH, { host_pid: ['task', 'ppid'] })],
});
const WORKLOAD = fields(BOTH, {
  process: ['object', 'process', PROCESS],
  container: ['object', 'containerObject', CONTAINER],
});

/** Of the event itself. */
export const EVENT: Fields = new Map([
  ...fields(BOTH, { timestamp: ['time', 'at'] }),
  ...fields(LEGACY, {
    threadStartTime: ['time', 'start'],
    processId: ['task', 'nsPid'],
    threadId: ['task', 'nsTid'],
    hostProcessId: ['task', 'pid'],
    hostThreadId: ['task', 'tid'],
    hostParentProcessId: ['task', 'ppid'],
    userId: ['uint32', 'uid'],
    pidNamespace: ['uint32', 'pidNs'],
    processName: ['text', 'comm'],
    hostName: ['text', 'hostName'],
    containerId: ['text', 'containerBeside'],
    container: ['object', 'containerObject', CONTAINER],
    eventName: ['eventName', 'eventName'],
    syscall: ['text', 'syscall'],
    args: ['legacyArgs', 'args'],
  }),
  ...fields(V1BETA1, {
    name: ['eventName', 'name'],
    workload: ['object', 'workload', WORKLOAD],
    data: ['v1beta1Args', 'data'],
  }),
]);

/** Arguments have the same names in both dialects. */
export const ARGUMENTS: Fields = fields(BOTH, {
  parent_tid: ['task', 'parentTid'],
  parent_pid: ['task', 'parentPid'],
  parent_start_time: ['time', 'parentStart'],
  child_tid: ['task', 'childTid'],
  child_pid: ['task', 'childPid'],
  start_time: ['time', 'childStart'],
  child_ns_tid: ['task', 'childNsTid'],
  child_ns_pid: ['task', 'childNsPid'],
  parent_process_pid: ['task', 'parentProcessPid'],
  parent_process_start_time: ['time', 'parentProcessStart'],
  leader_start_time: ['time', 'leaderStart'],
  cmdpath: ['text', 'cmdpath'],
  pathname: ['text', 'pathname'],
  dev: ['uint32', 'device'],
  inode: ['uint64', 'inode'],
  ctime: ['uint64', 'ctime'],
  inode_mode: ['mode', 'mode'],
  sha256: ['text', 'hash'],
  interpreter_pathname: ['text', 'loaderPath'],
  interpreter_dev: ['uint32', 'loaderDevice'],
  interpreter_inode: ['uint64', 'loaderInode'],
  interpreter_ctime: ['uint64', 'loaderCtime'],
  argv: ['list', 'argv'],
  pwd: ['text', 'pwd'],
  interp: ['text', 'interp'],
  exit_code: ['integer', 'exitCode'],
  signal_code: ['integer', 'signalCode'],
  process_group_exit: ['boolean', 'groupExit'],
  new_name: ['text', 'newName'],
});
