// The SYSCALL record of an event: who called what, when, and how it went.

import { type EventNs, eventTimeOf, isTid, resolutionAt, type TimeBase } from '@dendro/protocol';
import type { AuditEvent } from './event-join.ts';
import { type Fields, numberField } from './record.ts';
import { type CallName, callOf } from './syscalls.ts';

export type EventReject =
  | 'incomplete-event'
  | 'incomplete-arguments'
  | 'bad-field'
  | 'unknown-architecture'
  | 'birth-in-a-namespace'
  | 'birth-of-unknown-kind'
  | 'exit-of-a-thread'
  | 'time-out-of-range';

export interface Call {
  readonly pid: number;
  readonly ppid: number;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly name: CallName | 'other' | undefined;
  readonly hasFailed: boolean;
  readonly result: number | undefined;
  readonly fields: Fields;
  readonly epochNs: bigint;
}

export const NS_PER_MS = 1_000_000n;
/** As nanoseconds no more than the time by which the tree takes a mention before a birth for one of the newborn. */
const SERIALS_PER_MS = 100_000;
const MAX_ID = 0xffff_fffe;

export function readCall(event: AuditEvent): Call | EventReject {
  const fields = event.syscall;
  if (fields === undefined) return 'incomplete-event';
  const pid = numberField(fields.get('pid'));
  const ppid = numberField(fields.get('ppid')) ?? 0;
  const number = numberField(fields.get('syscall'));
  if (!isTid(pid) || pid === 0 || !isTid(ppid) || number === undefined) return 'bad-field';
  return {
    pid,
    ppid,
    uid: idField(fields.get('uid')),
    gid: idField(fields.get('gid')),
    name: callOf(fields.get('arch') ?? '', number, fields.get('SYSCALL')),
    hasFailed: fields.get('success') === 'no',
    result: numberField(fields.get('exit')),
    fields,
    epochNs: timeOf(event),
  };
}

export function isExec({ name, hasFailed }: Call): boolean {
  return !hasFailed && (name === 'execve' || name === 'execveat');
}

function idField(value: string | undefined): number | undefined {
  const id = numberField(value);
  return id !== undefined && id >= 0 && id <= MAX_ID ? id : undefined;
}

/** The log tells milliseconds. Events of one are kept in their order by their serial, in the nanoseconds. */
export function timeOf({ epochMs, serial }: AuditEvent): bigint {
  return BigInt(epochMs) * NS_PER_MS + BigInt(serial % SERIALS_PER_MS);
}

/** As an event time; far from the base, where single nanoseconds are not told apart, serials are wider apart. */
export function eventTimeInOrder(base: TimeBase, epochNs: bigint): EventNs {
  const serial = epochNs % NS_PER_MS;
  const ms = eventTimeOf(base, epochNs - serial);
  const stepNs = resolutionAt(ms);
  return (ms + (Number(serial) % Math.floor(SERIALS_PER_MS / stepNs)) * stepNs) as EventNs;
}
