// What an event of Tracee says, whichever of its two dialects it is in: the
// legacy one (`eventName`, bare 64-bit numbers, context and event side by side)
// or v1beta1 (`name`, `workload`, `data`, 64-bit numbers in quotes).
//
// This is the reader of parsed JSON, which takes every line that can be taken;
// scan.ts reads the usual ones from their bytes, to the same result.

import type { EventNs, TimeBase } from '@dendro/protocol';
import { ARGS, type ArgType, type EventName, isEventName } from './args.ts';
import {
  boolean,
  epochNs,
  eventTime,
  integer,
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
  uint64Text,
} from './fields.ts';

/** The value of an argument, by its type in `ARGS`; undefined where it has none. */
export type ArgValue = number | string | boolean | readonly string[] | undefined;

/** The event, and the task that it happened in: of a fork the one that forks. */
export interface Context {
  readonly name: EventName;
  readonly at: EventNs;
  readonly tid: number;
  readonly pid: number;
  /** 0 where it is not told. */
  readonly ppid: number;
  readonly nsTid: number | undefined;
  readonly nsPid: number | undefined;
  readonly pidNs: number | undefined;
  readonly start: EventNs | undefined;
  readonly comm: string | undefined;
  readonly uid: number | undefined;
  readonly container: string | undefined;
  /** The syscall that the task is in. */
  readonly syscall: string | undefined;
  /** The event's own arguments that count, each in its place of `ARGS`. */
  readonly args: readonly ArgValue[];
}

/** @throws Rejection */
export function contextOf(event: Json, base: TimeBase): Context {
  return typeof event['eventName'] === 'string' ? legacyContext(event, base) : v1beta1Context(event, base);
}

function legacyContext(event: Json, base: TimeBase): Context {
  const name = eventName(event['eventName']);
  return {
    name,
    at: eventTime(base, epochNs(event['timestamp'])),
    tid: taskNumber(event['hostThreadId']),
    pid: taskNumber(event['hostProcessId']),
    ppid: taskNumber(event['hostParentProcessId']),
    nsTid: optional(event['threadId'], taskNumber),
    nsPid: optional(event['processId'], taskNumber),
    pidNs: optional(event['pidNamespace'], uint32) || undefined,
    start: optionalTime(event['threadStartTime'], base),
    comm: optional(event['processName'], string),
    uid: optional(event['userId'], uint32),
    // Older releases have the id beside the context and no object.
    container: containerId(event['container']) ?? (optional(event['containerId'], string) || undefined),
    syscall: optional(event['syscall'], string),
    args: argsOf(name, legacyArgs(list(event['args'] ?? [])), base),
  };
}

function v1beta1Context(event: Json, base: TimeBase): Context {
  const name = eventName(event['name']);
  const workload = object(event['workload']);
  const process = object(workload['process']);
  const thread = object(process['thread']);
  const [parent] = list(process['ancestors'] ?? []);
  const user = optional(process['real_user'], object);
  return {
    name,
    at: eventTime(base, epochNs(event['timestamp'])),
    tid: taskNumber(thread['host_tid']),
    pid: taskNumber(process['host_pid']),
    ppid: isObject(parent) ? taskNumber(parent['host_pid']) : 0,
    nsTid: optional(thread['tid'], taskNumber),
    nsPid: optional(process['pid'], taskNumber),
    pidNs: undefined,
    start: optionalTime(thread['start_time'], base),
    comm: optional(thread['name'], string),
    uid: optional(user?.['id'], uint32),
    container: containerId(workload['container']),
    syscall: optional(thread['syscall'], string),
    args: argsOf(name, v1beta1Args(list(event['data'] ?? [])), base),
  };
}

function eventName(value: unknown): EventName {
  if (typeof value !== 'string' || !isEventName(value)) throw new Rejection('not-a-lifecycle-event');
  return value;
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

function argsOf(event: EventName, values: ReadonlyMap<string, unknown>, base: TimeBase): ArgValue[] {
  return ARGS[event].map(({ name, type }) => optional(values.get(name), (value) => READ[type](value, base)));
}

const READ: Readonly<Record<ArgType, (value: unknown, base: TimeBase) => ArgValue>> = {
  task: taskNumber,
  time: optionalTime,
  uint32,
  // Tracee can be told to write it out, as in "-rwxr-xr-x": the rest of the line is worth more than that.
  mode: (value) => (typeof value === 'string' ? undefined : uint32(value)),
  uint64: uint64Text,
  integer,
  boolean,
  // An empty text is none.
  string: (value) => string(value) || undefined,
  comm: string,
  strings: (value) => list(value).map(string),
};

function optionalTime(value: unknown, base: TimeBase): EventNs | undefined {
  const epoch = optionalEpochNs(value);
  return epoch === undefined ? undefined : eventTime(base, epoch);
}

function containerId(container: unknown): string | undefined {
  const id = optional(container, object)?.['id'];
  return optional(id, string) || undefined;
}
