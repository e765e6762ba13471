// What of the tree is shown at one click, and how many processes that would be.

import type { TaskIndex, TemporalTree, TreeOrder } from '@dendro/engine';
import { type EventNs, TASK_FLAG } from '@dendro/protocol';
import type { TaskColumns } from './task-columns.ts';
import { numbersOf } from './task-numbers.ts';

export const CHIPS = ['all', 'running', 'exited', 'new', 'containers', 'root'] as const;
export type Chip = (typeof CHIPS)[number];

export const CHIP_TEXT: Readonly<Record<Chip, { readonly label: string; readonly title: string }>> = {
  all: { label: 'All', title: 'All processes' },
  running: { label: 'Running', title: 'Processes that are running' },
  exited: { label: 'Exited', title: 'Processes that have ended and are still known' },
  new: { label: 'New', title: 'Processes that began in the stretch of time that the strip shows' },
  containers: { label: 'Containers', title: 'Processes in containers' },
  root: { label: 'Root', title: 'Programs that run as root, or with the rights of root' },
};

/**
 * Is a process one of these? Threads go with their process. Born in the window means at `newSince` or later.
 * @param effectiveUid NaN where it is not known; for who asks about all and has it in a column
 */
export function isOfChip(
  chip: Chip,
  tree: TemporalTree,
  task: TaskIndex,
  at: EventNs,
  newSince: EventNs,
  effectiveUid = effectiveUidOf,
): boolean {
  switch (chip) {
    case 'all':
      return true;
    case 'running':
      return tree.exitOf(task) > at;
    case 'exited':
      return tree.exitOf(task) <= at;
    case 'new':
      return tree.startOf(task) >= newSince && (tree.flagsOf(task) & TASK_FLAG.startIsUnknown) === 0;
    case 'containers':
      return (tree.textAt(task, 'container', at) ?? '') !== '';
    case 'root':
      return !tree.isKernelThread(task) && effectiveUid(tree, task, at) === 0;
  }
}

function effectiveUidOf(tree: TemporalTree, task: TaskIndex, at: EventNs): number {
  return tree.numberAt(task, 'euid', at) ?? tree.numberAt(task, 'uid', at) ?? Number.NaN;
}

/** By position: 1 for rows that are shown. Undefined when that is all. */
export function keptByChip(
  chip: Chip,
  columns: TaskColumns,
  order: TreeOrder,
  newSince: EventNs,
): Uint8Array | undefined {
  if (chip === 'all') return undefined;
  const { tree } = columns;
  const effectiveUid = chip === 'root' ? keptUids(columns) : undefined;
  const kept = new Uint8Array(order.length);
  for (let p = 0; p < order.length; p++) {
    const task = order.tasks[p] as TaskIndex;
    const process = tree.isThread(task) ? tree.leaderOf(task) : task;
    if (process >= 0 && isOfChip(chip, tree, process, order.at, newSince, effectiveUid)) kept[p] = 1;
  }
  return kept;
}

function keptUids(columns: TaskColumns): typeof effectiveUidOf {
  const [uids, euids] = [numbersOf(columns, 'uid'), numbersOf(columns, 'euid')];
  return (_tree, task) => {
    const euid = euids[task] as number;
    return Number.isNaN(euid) ? (uids[task] as number) : euid;
  };
}

export type ChipCounts = Readonly<Record<Chip, number>>;

/**
 * Of processes, whatever the chip is now; those that have ended and are folded away count, as the chip shows them.
 * A large tree is counted in steps, so that the page stays quick to answer: each takes some `step` of its rows.
 */
export function* countChips(
  tree: TemporalTree,
  order: TreeOrder,
  newSince: EventNs,
  step = Number.POSITIVE_INFINITY,
): Generator<undefined, ChipCounts> {
  const counts = { all: 0, running: 0, exited: order.foldedExited, new: 0, containers: 0, root: 0 };
  for (let p = 0; p < order.length; p++) {
    const task = order.tasks[p] as TaskIndex;
    if (p % step === step - 1) yield;
    if (!tree.isPresent(task) || tree.isThread(task)) continue;
    for (const chip of CHIPS) if (isOfChip(chip, tree, task, order.at, newSince)) counts[chip]++;
  }
  return counts;
}
