// What of the tree is shown at one click, and how many processes that would be.

import type { TaskIndex, TemporalTree, TreeOrder } from '@dendro/engine';
import { type EventNs, TASK_FLAG } from '@dendro/protocol';
import type { TaskColumns } from './task-columns.ts';
import { FATE, isRoot, numbersOf, type TaskNumber } from './task-numbers.ts';

export const CHIPS = ['all', 'running', 'exited', 'new', 'containers', 'root'] as const;
export type Chip = (typeof CHIPS)[number];

export const CHIP_TEXT: Readonly<Record<Chip, { readonly label: string; readonly title: string }>> = {
  all: { label: 'All', title: 'All processes, but what is folded away or hidden' },
  running: { label: 'Running', title: 'Processes that are running' },
  exited: { label: 'Exited', title: 'Processes that have ended and are still known, folded away or not' },
  new: { label: 'New', title: 'Processes that began in the stretch of time that the strip shows' },
  containers: { label: 'Containers', title: 'Processes in containers' },
  root: { label: 'Root', title: 'Programs that run as root, or with the rights of root' },
};

/** Is a process one of these? Threads go with their process. Born in the window means at `newSince` or later. */
export function isOfChip(chip: Chip, tree: TemporalTree, task: TaskIndex, at: EventNs, newSince: EventNs): boolean {
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
      return isRoot(tree, task, at);
  }
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
  const isOne = chipReader(chip, columns, order.at, newSince);
  const kept = new Uint8Array(order.length);
  for (let p = 0; p < order.length; p++) {
    const task = order.tasks[p] as TaskIndex;
    const process = tree.isThread(task) ? tree.leaderOf(task) : task;
    if (process >= 0 && isOne(process)) kept[p] = 1;
  }
  return kept;
}

/** What each chip reads of a process. */
const READS: Readonly<Record<Chip, readonly TaskNumber[]>> = {
  all: [],
  running: ['exit'],
  exited: ['exit'],
  new: ['start', 'fate'],
  containers: ['container'],
  root: ['root'],
};

/** `isOfChip` of one chip and instant, from what is kept from frame to frame. */
function chipReader(chip: Chip, columns: TaskColumns, at: EventNs, newSince: EventNs): (process: number) => boolean {
  const [first = NOTHING, second = NOTHING] = READS[chip].map((what) => numbersOf(columns, what));
  switch (chip) {
    case 'all':
      return () => true;
    case 'running':
      return (task) => (first[task] as number) > at;
    case 'exited':
      return (task) => (first[task] as number) <= at;
    case 'new':
      return (task) => (first[task] as number) >= newSince && ((second[task] as number) & FATE.startKnown) !== 0;
    case 'containers':
    case 'root':
      return (task) => first[task] === 1;
  }
}

const NOTHING = new Float64Array(0);

export type ChipCounts = Readonly<Record<Chip, number>>;

/**
 * Of processes, whatever the chip is now; those that have ended and are folded away count, as the chip shows them.
 * A large tree is counted in steps, so that the page stays quick to answer: each looks at `step` rows, once for a chip.
 */
export function* countChips(
  columns: TaskColumns,
  order: TreeOrder,
  newSince: EventNs,
  step = Number.POSITIVE_INFINITY,
): Generator<undefined, ChipCounts> {
  const counts = { all: 0, running: 0, exited: order.foldedExited, new: 0, containers: 0, root: 0 };
  let left = step;
  for (const chip of CHIPS) {
    for (let from = 0; from < order.length; ) {
      if (left === 0) {
        yield;
        left = step;
      }
      // What was made before a pause is void.
      const fates = numbersOf(columns, 'fate');
      const isOne = chipReader(chip, columns, order.at, newSince);
      const end = Math.min(order.length, from + left);
      left -= end - from;
      for (; from < end; from++) {
        const task = order.tasks[from] as number;
        if ((fates[task] as number) !== 0 && isOne(task)) counts[chip]++; // 0 of a thread
      }
    }
  }
  return counts;
}
