// The difference of two instants as JSON, from memory or from a history. Times are epoch nanoseconds in decimal, what
// is not known is null.

import { type DifferentTask, differenceOf, type ParentThen, rememberTree, type TreeDifference } from '@dendro/engine';
import { eventTimeOf, type FieldValue } from '@dendro/protocol';
import { outOfRange } from './answers.ts';
import type { HostTree } from './host-tree.ts';
import type { DifferenceQuestion } from './messages.ts';

export interface DifferentTaskJson {
  readonly taskId: number;
  readonly kind: 'process' | 'thread';
  readonly pid: number;
  readonly tid: number;
  readonly comm: string | null;
  readonly uid: number | null;
  readonly startTime: string;
  readonly exitTime: string | null;
  readonly exitCode: number | null;
  readonly signal: number | null;
}

interface ParentJson {
  readonly taskId: number;
  readonly pid: number;
  readonly comm: string | null;
}

export interface ChangedFieldJson {
  readonly field: string;
  readonly from: NonNullable<FieldValue> | null;
  readonly to: NonNullable<FieldValue> | null;
}

export interface DifferenceJson {
  readonly born: DifferentTaskJson[];
  readonly died: DifferentTaskJson[];
  readonly changed: (DifferentTaskJson & { readonly fields: ChangedFieldJson[] })[];
  readonly reparented: (DifferentTaskJson & { readonly from: ParentJson | null; readonly to: ParentJson | null })[];
  readonly counts: TreeDifference['totals'];
  /** Why some may be missing at one of the two instants. */
  readonly lacks: readonly string[];
}

/** Of what is in memory. @throws DendroError DENDRO_TIME_OUT_OF_RANGE */
export function differenceInMemory(host: HostTree, question: DifferenceQuestion): DifferenceJson {
  const { firstEpochNs, secondEpochNs, options } = question;
  const { base } = host;
  const { tree } = host.host;
  const lacks = new Set<string>();
  const [first, second] = [firstEpochNs, secondEpochNs].map((epochNs) => {
    if (!host.reaches(epochNs)) throw outOfRange(base);
    const at = eventTimeOf(base, epochNs);
    for (const { sentence } of host.lacks(at, false)) lacks.add(sentence);
    return rememberTree({ tree, base, at }, options);
  }) as [ReturnType<typeof rememberTree>, ReturnType<typeof rememberTree>];
  return differenceJson(differenceOf(first, second, secondEpochNs, options), [...lacks]);
}

export function differenceJson(difference: TreeDifference, lacks: readonly string[]): DifferenceJson {
  const { born, died, changed, reparented, totals } = difference;
  return {
    born: born.map(taskJson),
    died: died.map(taskJson),
    changed: changed.map((task) => ({
      ...taskJson(task),
      fields: task.fields.map(({ field, from, to }) => ({ field, from: from ?? null, to: to ?? null })),
    })),
    reparented: reparented.map((task) => ({ ...taskJson(task), from: parentJson(task.from), to: parentJson(task.to) })),
    counts: totals,
    lacks,
  };
}

function taskJson(task: DifferentTask): DifferentTaskJson {
  const { taskId, isThread, pid, tid, comm, uid, startEpochNs, exitEpochNs, exitCode, signal } = task;
  return {
    taskId,
    kind: isThread ? 'thread' : 'process',
    pid,
    tid,
    comm: comm ?? null,
    uid: uid ?? null,
    startTime: String(startEpochNs),
    exitTime: exitEpochNs === undefined ? null : String(exitEpochNs),
    exitCode: exitCode ?? null,
    signal: signal ?? null,
  };
}

function parentJson(parent: ParentThen | undefined): ParentJson | null {
  return parent === undefined ? null : { taskId: parent.taskId, pid: parent.pid, comm: parent.comm ?? null };
}
