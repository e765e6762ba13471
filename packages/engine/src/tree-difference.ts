// What is different between the trees as of two instants: who lives at one of them alone, and what has changed of those
// who live at both. The two trees need not be there at the same time, and can count from different bases: a history
// has filled the same tree anew by then, perhaps with another boot of the host.

import {
  type EventNs,
  epochOf,
  FIELDS,
  type FieldName,
  type FieldValue,
  fieldName,
  type TaskId,
  type TimeBase,
} from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import type { TemporalTree } from './temporal-tree.ts';

/** A tree as of an instant. */
export interface TreeMoment {
  readonly tree: TemporalTree;
  readonly base: TimeBase;
  readonly at: EventNs;
}

export interface DifferenceOptions {
  /** Of each list of the answer, at most so many entries. */
  readonly limit: number;
  /** Also of threads. Default false. */
  readonly threads?: boolean | undefined;
}

/** As it was at the second instant; of who had ended by then, as at the first, with its end. */
export interface DifferentTask {
  readonly taskId: TaskId;
  readonly isThread: boolean;
  readonly pid: number;
  readonly tid: number;
  readonly comm: string | undefined;
  readonly uid: number | undefined;
  readonly startEpochNs: bigint;
  /** Undefined of who lives at the second instant. */
  readonly exitEpochNs: bigint | undefined;
  readonly exitCode: number | undefined;
  readonly signal: number | undefined;
}

export interface ChangedField {
  readonly field: Exclude<FieldName, 'parent'>;
  /** Undefined: not known. */
  readonly from: FieldValue;
  readonly to: FieldValue;
}

export interface ParentThen {
  readonly taskId: TaskId;
  readonly pid: number;
  readonly comm: string | undefined;
}

/** Lists in order of task ids, each no longer than the limit; `totals` says how long they would be. */
export interface TreeDifference {
  readonly born: readonly DifferentTask[];
  readonly died: readonly DifferentTask[];
  readonly changed: readonly (DifferentTask & { readonly fields: readonly ChangedField[] })[];
  /** `from` and `to`: undefined where no parent is known. */
  readonly reparented: readonly (DifferentTask & {
    readonly from: ParentThen | undefined;
    readonly to: ParentThen | undefined;
  })[];
  readonly totals: {
    readonly born: number;
    readonly died: number;
    readonly changed: number;
    readonly reparented: number;
  };
}

interface Remembered extends Omit<DifferentTask, 'taskId' | 'comm' | 'uid'> {
  /** By field id. */
  readonly values: readonly FieldValue[];
  readonly parent: ParentThen | undefined;
}

export type RememberedTree = ReadonlyMap<TaskId, Remembered>;

/** What is compared, of everyone who lives. The tree may be filled anew afterwards. */
export function rememberTree({ tree, base, at }: TreeMoment, { threads = false }: DifferenceOptions): RememberedTree {
  const living = new Map<TaskId, Remembered>();
  const parents = new Map<TaskIndex, ParentThen>();
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (!tree.isPresent(task) || !tree.isAliveAt(task, at)) continue;
    const isThread = tree.isThread(task);
    if (isThread && !threads) continue;
    const exit = tree.exitOf(task);
    living.set(tree.taskIdOf(task), {
      isThread,
      pid: tree.pidOf(task),
      tid: tree.tidOf(task),
      startEpochNs: epochOf(base, tree.startOf(task)),
      exitEpochNs: exit === Number.POSITIVE_INFINITY ? undefined : epochOf(base, exit),
      exitCode: tree.exitCodeOf(task),
      signal: tree.exitSignalOf(task),
      values: [...tree.valuesAt(task, at)],
      parent: parentOf(tree, isThread ? tree.leaderOf(task) : task, at, parents),
    });
  }
  return living;
}

function parentOf(
  tree: TemporalTree,
  task: TaskIndex,
  at: EventNs,
  known: Map<TaskIndex, ParentThen>,
): ParentThen | undefined {
  const parent = task === NO_TASK ? NO_TASK : tree.parentAt(task, at);
  if (parent === NO_TASK) return undefined;
  const before = known.get(parent);
  if (before !== undefined) return before;
  const found = { taskId: tree.taskIdOf(parent), pid: tree.pidOf(parent), comm: tree.textAt(parent, 'comm', at) };
  known.set(parent, found);
  return found;
}

/** @param secondEpochNs the instant of the second tree */
export function differenceOf(
  first: RememberedTree,
  second: RememberedTree,
  secondEpochNs: bigint,
  { limit }: DifferenceOptions,
): TreeDifference {
  const born = [...second.keys()].filter((id) => !first.has(id));
  const died = [...first.keys()].filter((id) => !second.has(id));
  const changed: [TaskId, Remembered, readonly ChangedField[]][] = [];
  const reparented: [TaskId, Remembered, Remembered][] = [];
  for (const [id, before] of first) {
    const after = second.get(id);
    if (after === undefined) continue;
    const fields = changedFields(before.values, after.values);
    if (fields.length > 0) changed.push([id, after, fields]);
    if (before.parent?.taskId !== after.parent?.taskId) reparented.push([id, before, after]);
  }
  const isFirst = (a: readonly [TaskId, ...unknown[]], b: readonly [TaskId, ...unknown[]]) => a[0] - b[0];
  const firstOf = <T>(list: T[], compare: (a: T, b: T) => number) => list.sort(compare).slice(0, limit);
  const byId = (ids: TaskId[]) => firstOf(ids, (a, b) => a - b);
  const describe = (id: TaskId, task: Remembered) => described(id, task, secondEpochNs);
  const totals = {
    born: born.length,
    died: died.length,
    changed: changed.length,
    reparented: reparented.length,
  };
  return {
    born: byId(born).map((id) => describe(id, second.get(id) as Remembered)),
    died: byId(died).map((id) => describe(id, first.get(id) as Remembered)),
    changed: firstOf(changed, isFirst).map(([id, task, fields]) => ({ ...describe(id, task), fields })),
    reparented: firstOf(reparented, isFirst).map(([id, before, after]) => {
      return { ...describe(id, after), from: before.parent, to: after.parent };
    }),
    totals,
  };
}

/** What happened after the second instant is not part of the answer. */
function described(taskId: TaskId, { values, parent: _, ...task }: Remembered, secondEpochNs: bigint): DifferentTask {
  const hasEnded = task.exitEpochNs !== undefined && task.exitEpochNs <= secondEpochNs;
  return {
    taskId,
    ...task,
    comm: values[FIELDS.comm.id] as string | undefined,
    uid: values[FIELDS.uid.id] as number | undefined,
    ...(hasEnded ? {} : { exitEpochNs: undefined, exitCode: undefined, signal: undefined }),
  };
}

function changedFields(before: readonly FieldValue[], after: readonly FieldValue[]): ChangedField[] {
  const fields: ChangedField[] = [];
  for (let id = 0; id < Math.max(before.length, after.length); id++) {
    const [from, to] = [before[id], after[id]];
    if (isSame(from, to)) continue;
    const field = fieldName(id);
    if (field !== undefined && field !== 'parent') fields.push({ field, from, to });
  }
  return fields;
}

/** Nearly always it is the very same. Two files that are alike were parsed of the same text. */
function isSame(one: FieldValue, other: FieldValue): boolean {
  if (Object.is(one, other)) return true;
  return typeof one === 'object' && typeof other === 'object' && JSON.stringify(one) === JSON.stringify(other);
}
