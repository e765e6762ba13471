// What an event of Tracee says, whichever of its two dialects it is in: the
// legacy one (`eventName`, bare 64-bit numbers, context and event side by side)
// or v1beta1 (`name`, `workload`, `data`, 64-bit numbers in quotes).

import {
  epochNs,
  isObject,
  type Json,
  list,
  object,
  optional,
  optionalEpochNs,
  Rejection,
  string,
  taskNumber,
  uint32,
} from './fields.ts';

/** The event, and the task that it happened in: of a fork the one that forks. */
export interface Context {
  readonly name: string;
  readonly epochNs: bigint;
  readonly tid: number;
  readonly pid: number;
  /** 0 where it is not told. */
  readonly ppid: number;
  readonly nsTid: number | undefined;
  readonly nsPid: number | undefined;
  readonly pidNs: number | undefined;
  readonly startEpochNs: bigint | undefined;
  readonly comm: string | undefined;
  readonly uid: number | undefined;
  readonly container: string | undefined;
  /** What the task sees as the name of its host: in a container the container's. */
  readonly hostName: string | undefined;
  /** The syscall that the task is in. */
  readonly syscall: string | undefined;
  /** The event's own arguments by name; those without a value are left out. */
  readonly args: ReadonlyMap<string, unknown>;
}

export function isLegacy(event: Json): boolean {
  return typeof event['eventName'] === 'string';
}

/** @throws Rejection */
export function contextOf(event: Json): Context {
  return isLegacy(event) ? legacyContext(event) : v1beta1Context(event);
}

function legacyContext(event: Json): Context {
  return {
    name: string(event['eventName']),
    epochNs: epochNs(event['timestamp']),
    tid: taskNumber(event['hostThreadId']),
    pid: taskNumber(event['hostProcessId']),
    ppid: taskNumber(event['hostParentProcessId']),
    nsTid: optional(event['threadId'], taskNumber),
    nsPid: optional(event['processId'], taskNumber),
    pidNs: optional(event['pidNamespace'], uint32) || undefined,
    startEpochNs: optionalEpochNs(event['threadStartTime']),
    comm: optional(event['processName'], string),
    uid: optional(event['userId'], uint32),
    // Older releases have the id beside the context and no object.
    container: containerId(event['container']) ?? (optional(event['containerId'], string) || undefined),
    hostName: optional(event['hostName'], string),
    syscall: optional(event['syscall'], string),
    args: argsOf(event),
  };
}

function v1beta1Context(event: Json): Context {
  const at = epochNs(event['timestamp']);
  const workload = object(event['workload']);
  const process = object(workload['process']);
  const thread = object(process['thread']);
  const [parent] = list(process['ancestors'] ?? []);
  const user = optional(process['real_user'], object);
  return {
    name: string(event['name']),
    epochNs: at,
    tid: taskNumber(thread['host_tid']),
    pid: taskNumber(process['host_pid']),
    ppid: isObject(parent) ? taskNumber(parent['host_pid']) : 0,
    nsTid: optional(thread['tid'], taskNumber),
    nsPid: optional(process['pid'], taskNumber),
    pidNs: undefined,
    startEpochNs: optionalEpochNs(thread['start_time']),
    comm: optional(thread['name'], string),
    uid: optional(user?.['id'], uint32),
    container: containerId(workload['container']),
    hostName: undefined,
    syscall: optional(thread['syscall'], string),
    args: argsOf(event),
  };
}

/** The event's own arguments by name; those without a value are left out. @throws Rejection */
export function argsOf(event: Json): Map<string, unknown> {
  return isLegacy(event) ? legacyArgs(list(event['args'] ?? [])) : v1beta1Args(list(event['data'] ?? []));
}

/** Of an event that is of no task: the name of the host, unless it was told in a container. */
export function announcingHost(event: Json): string | undefined {
  const isInContainer = containerId(event['container']) ?? (optional(event['containerId'], string) || undefined);
  return isInContainer === undefined ? optional(event['hostName'], string) : undefined;
}

/** Is it in a container, or at least in a pid namespace of its own? */
export function isContained(
  { container, pid }: { readonly container: string | undefined; readonly pid: number },
  nsPid: number | undefined,
): boolean {
  return container !== undefined || (nsPid !== undefined && nsPid !== pid);
}

/** `{"name": N, "type": T, "value": V}` */
function legacyArgs(list: readonly unknown[]): Map<string, unknown> {
  const args = new Map<string, unknown>();
  for (const item of list) {
    const { name, value } = namedItem(item);
    if (value !== undefined && value !== null) args.set(name, value);
  }
  return args;
}

/** `{"name": N, "<type>": V}`; an array of strings is `{"value": […]}`, or `{}` when it is empty. */
function v1beta1Args(data: readonly unknown[]): Map<string, unknown> {
  const args = new Map<string, unknown>();
  for (const item of data) {
    const named = namedItem(item);
    for (const type in named) {
      const value = named[type];
      if (type === 'name' || value === undefined || value === null) continue;
      args.set(named.name, type === 'str_array' && isObject(value) ? (value['value'] ?? []) : value);
      break;
    }
  }
  return args;
}

function namedItem(item: unknown): Json & { readonly name: string } {
  if (!isObject(item) || typeof item['name'] !== 'string') throw new Rejection('wrong-type');
  return item as Json & { readonly name: string };
}

function containerId(container: unknown): string | undefined {
  const id = optional(container, object)?.['id'];
  return optional(id, string) || undefined;
}
