// Numbers of tasks that are kept from frame to frame, by TaskIndex.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { type EventNs, TASK_FLAG } from '@dendro/protocol';
import { NumberColumn, type TaskColumns } from './task-columns.ts';

/** What a process is, and how it ended: a sum of these; 0 for a thread, and where no task is. */
export const FATE = { process: 1, startKnown: 2, failed: 4, killed: 8 } as const;

type NumberOf = (tree: TemporalTree, task: TaskIndex, at: EventNs) => number;

const NUMBERS = {
  /** NaN where it is not known, as of all but these. */
  uid: (tree, task, at) => tree.numberAt(task, 'uid', at) ?? Number.NaN,
  euid: (tree, task, at) => tree.numberAt(task, 'euid', at) ?? Number.NaN,
  /** 1 of those in a container, 0 of others. */
  container: (tree, task, at) => ((tree.textAt(task, 'container', at) ?? '') === '' ? 0 : 1),
  /** 1 of programs that run as root or with the rights of root, 0 of others. */
  root: (tree, task, at) => (isRoot(tree, task, at) ? 1 : 0),
  ppid: parentPid,
  tid: (tree, task) => tree.tidOf(task),
  /** EventNs. */
  start: (tree, task) => tree.startOf(task),
  /** EventNs; Infinity while it lives. */
  exit: (tree, task) => tree.exitOf(task),
  fate: fateOf,
  /** TaskIndex | NO_TASK: of one that has ended, the last one. */
  parent: lastParent,
} as const satisfies Readonly<Record<string, NumberOf>>;

export type TaskNumber = keyof typeof NUMBERS;

/** TaskIndex -> number. Void after the next fact that makes the tree larger. */
export function numbersOf(columns: TaskColumns, what: TaskNumber): Float64Array {
  const numberOf: NumberOf = NUMBERS[what];
  const make = (tree: TemporalTree) =>
    new NumberColumn((task, at) => (tree.isPresent(task) ? numberOf(tree, task, at) : ABSENT[what]));
  return columns.column(what, make).values;
}

const ABSENT: Readonly<Record<TaskNumber, number>> = {
  uid: Number.NaN,
  euid: Number.NaN,
  container: 0,
  root: 0,
  ppid: Number.NaN,
  tid: 0,
  start: Number.POSITIVE_INFINITY,
  exit: Number.NEGATIVE_INFINITY,
  fate: 0,
  parent: -1,
};

export function isRoot(tree: TemporalTree, task: TaskIndex, at: EventNs): boolean {
  const uid = tree.numberAt(task, 'euid', at) ?? tree.numberAt(task, 'uid', at);
  return uid === 0 && !tree.isKernelThread(task);
}

function fateOf(tree: TemporalTree, task: TaskIndex): number {
  if (tree.isThread(task)) return 0;
  const isStartKnown = (tree.flagsOf(task) & TASK_FLAG.startIsUnknown) === 0;
  let fate: number = FATE.process | (isStartKnown ? FATE.startKnown : 0);
  if ((tree.exitSignalOf(task) ?? 0) > 0) fate |= FATE.killed;
  else if ((tree.exitCodeOf(task) ?? 0) > 0) fate |= FATE.failed;
  return fate;
}

function lastParent(tree: TemporalTree, task: TaskIndex, at: EventNs): number {
  return tree.parentAt(task, Math.min(at, tree.exitOf(task)) as EventNs);
}

function parentPid(tree: TemporalTree, task: TaskIndex, at: EventNs): number {
  const process = tree.isThread(task) ? tree.leaderOf(task) : task;
  const parent = process < 0 ? -1 : lastParent(tree, process, at);
  return parent < 0 ? Number.NaN : tree.pidOf(parent as TaskIndex);
}
