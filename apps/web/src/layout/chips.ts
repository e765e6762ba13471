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

type Test = (process: TaskIndex) => boolean;
/** What a test reads of processes: from columns, or one by one. */
interface Reading {
  readonly effectiveUid: (process: TaskIndex) => number | undefined;
}

/** @returns whether a process is one of these; threads go with theirs. Born in the window means at `newSince` or later. */
function testOf(chip: Chip, tree: TemporalTree, at: EventNs, newSince: EventNs, { effectiveUid }: Reading): Test {
  switch (chip) {
    case 'all':
      return () => true;
    case 'running':
      return (process) => tree.exitOf(process) > at;
    case 'exited':
      return (process) => tree.exitOf(process) <= at;
    case 'new':
      return (process) => tree.startOf(process) >= newSince && (tree.flagsOf(process) & TASK_FLAG.startIsUnknown) === 0;
    case 'containers':
      return (process) => (tree.textAt(process, 'container', at) ?? '') !== '';
    case 'root':
      return (process) => effectiveUid(process) === 0 && !tree.isKernelThread(process);
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
  const isOfChip = testOf(chip, tree, order.at, newSince, {
    effectiveUid: chip === 'root' ? keptUids(columns) : () => undefined,
  });
  const kept = new Uint8Array(order.length);
  for (let p = 0; p < order.length; p++) {
    const task = order.tasks[p] as TaskIndex;
    const process = tree.isThread(task) ? tree.leaderOf(task) : task;
    if (process >= 0 && isOfChip(process)) kept[p] = 1;
  }
  return kept;
}

function keptUids(columns: TaskColumns): Reading['effectiveUid'] {
  const [uids, euids] = [numbersOf(columns, 'uid'), numbersOf(columns, 'euid')];
  return (process) => {
    const euid = euids[process] as number;
    return Number.isNaN(euid) ? uids[process] : euid;
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
  const { at } = order;
  const effectiveUid = (process: TaskIndex) => tree.numberAt(process, 'euid', at) ?? tree.numberAt(process, 'uid', at);
  const tests = CHIPS.map((chip) => [chip, testOf(chip, tree, at, newSince, { effectiveUid })] as const);
  const counts = { all: 0, running: 0, exited: order.foldedExited, new: 0, containers: 0, root: 0 };
  for (let p = 0; p < order.length; p++) {
    const task = order.tasks[p] as TaskIndex;
    if (p % step === step - 1) yield;
    if (!tree.isPresent(task) || tree.isThread(task)) continue;
    for (const [chip, isOfChip] of tests) if (isOfChip(task)) counts[chip]++;
  }
  return counts;
}
