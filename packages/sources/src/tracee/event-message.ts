// An event as it comes over gRPC, turned into what its line of JSON would say:
// so both are decoded by the same code (decode.ts).
//
//   protobuf                               line
//   timestamp { seconds nanos }            "2023-11-14T22:13:25Z", here its nanoseconds as text
//   host_pid { value: 12 }                 12
//   str_array { }                          [ ]
//
// Nothing is checked here but what is needed to walk through it: it is decoded as any line from outside.

import { isObject, type Json } from './fields.ts';

const SECOND_NS = 1_000_000_000n;

/** @param message as protobufjs gives it: names as in the .proto, 64-bit numbers as text, what is not there left out */
export function eventOfMessage(message: unknown): unknown {
  if (!isObject(message)) return message;
  const { timestamp, workload, data } = message;
  return {
    ...message,
    timestamp: timeText(timestamp),
    ...(isObject(workload) ? { workload: workloadOf(workload) } : {}),
    ...(Array.isArray(data) ? { data: data.map(argumentOf) } : {}),
  };
}

function workloadOf(workload: Json): Json {
  const { process } = workload;
  return isObject(process) ? { ...workload, process: processOf(process) } : workload;
}

function processOf(process: Json): Json {
  const { host_pid, pid, real_user, thread, ancestors } = process;
  return {
    host_pid: unwrapped(host_pid),
    pid: unwrapped(pid),
    ...(isObject(real_user) ? { real_user: { id: unwrapped(real_user['id']) } } : {}),
    ...(isObject(thread) ? { thread: threadOf(thread) } : {}),
    // Of the parent only the pid is asked for.
    ancestors: Array.isArray(ancestors)
      ? ancestors
          .slice(0, 1)
          .map((parent: unknown) => (isObject(parent) ? { host_pid: unwrapped(parent['host_pid']) } : parent))
      : [],
  };
}

function threadOf(thread: Json): Json {
  return {
    ...thread,
    start_time: timeText(thread['start_time']),
    host_tid: unwrapped(thread['host_tid']),
    tid: unwrapped(thread['tid']),
  };
}

/** A message without its number holds 0, the default of protobuf. */
function unwrapped(wrapper: unknown): unknown {
  return isObject(wrapper) ? (wrapper['value'] ?? 0) : wrapper;
}

function timeText(timestamp: unknown): unknown {
  if (!isObject(timestamp)) return timestamp;
  const { seconds = '0', nanos = 0 } = timestamp;
  if (typeof seconds !== 'string' || !/^-?\d{1,20}$/.test(seconds) || !Number.isInteger(nanos)) return 'no time';
  return String(BigInt(seconds) * SECOND_NS + BigInt(nanos as number));
}

/** Here too an argument is its name and one more key that says its type. */
function argumentOf(value: unknown): unknown {
  return isObject(value) && value['name'] === undefined ? { ...value, name: '' } : value;
}
