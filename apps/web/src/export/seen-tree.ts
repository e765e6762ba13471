// Which rows of the tree are written: those that are seen, or, with what is
// folded, all that query, chip and subtree let through. Whatever is not written
// is counted.

import type { TaskIndex, TemporalTree, TreeOrder } from '@dendro/engine';
import type { EventNs, TaskId } from '@dendro/protocol';
import { type Chip, keptByChip } from '../layout/chips.ts';
import type { Found } from '../layout/found.ts';
import { withoutOwn } from '../layout/own.ts';
import { TaskColumns } from '../layout/task-columns.ts';
import { type VisibleRows, visibleRows } from '../layout/visible-rows.ts';

export interface SeenRow {
  readonly id: TaskId;
  /** Row of its parent, -1 of a root. */
  readonly parent: number;
  readonly depth: number;
  readonly isLast: boolean;
  /** Tasks below it that are folded away. */
  readonly folded: number;
  /** How many alike siblings it stands for; 0 where it is itself. */
  readonly alike: number;
  /** Was it asked for, or does it lead to one that was? Undefined without a query. */
  readonly isMatch: boolean | undefined;
}

export interface SeenTree {
  readonly at: EventNs;
  /** Rows that are written. */
  readonly length: number;
  /** Good as long as it is kept, whatever becomes of the tree. */
  rowAt(row: number): SeenRow;
  /** Tasks of the tree, or of the subtree that is shown. */
  readonly total: number;
  /** Of these: in rows that are folded, and in rows that stand for several. */
  readonly folded: number;
  readonly grouped: number;
  readonly hiddenKernelThreads: number;
  readonly foldedExited: number;
}

export interface SeenOf {
  readonly tree: TemporalTree;
  readonly order: TreeOrder;
  readonly rows: VisibleRows;
  readonly found: Found | undefined;
  readonly isFiltered: boolean;
  readonly own: readonly number[];
}

export interface SeenChoice {
  /** Also what is folded away, each of those that are alike by itself. */
  readonly withFolded: boolean;
  readonly chip: Chip;
  /** What the chip `new` counts from. */
  readonly newSince: EventNs;
  readonly hidesOwn: boolean;
}

export function seenTree(seen: SeenOf, choice: SeenChoice): SeenTree {
  const { tree, order, found, isFiltered } = seen;
  const rows = choice.withFolded ? openRows(seen, choice) : seen.rows;
  const { positions, parents, childCounts, groups, sizes, places, depths, length } = rows;
  // Slots are given to others in time: who is meant is noted at once, all else when it is asked for.
  const ids = Float64Array.from({ length }, (_, row) =>
    tree.taskIdOf(order.tasks[positions[row] as number] as TaskIndex),
  );
  const foldedAt = (row: number): number => {
    const isOpen = isFiltered || (groups[row] as number) >= 0 || (childCounts[row] as number) > 0;
    const position = positions[row] as number;
    return isOpen ? 0 : (order.subtreeEnds[position] as number) - position - 1;
  };
  let folded = 0;
  let grouped = 0;
  for (let row = 0; row < length; row++) {
    folded += foldedAt(row);
    // An open group has its members below it.
    if ((groups[row] as number) >= 0 && childCounts[row] === 0) grouped += (sizes[row] as number) - 1;
  }
  return {
    at: order.at,
    length,
    rowAt: (row) => {
      const parent = parents[row] as number;
      const siblings = parent < 0 ? rows.rootCount : (childCounts[parent] as number);
      return {
        id: ids[row] as TaskId,
        parent,
        depth: depths[row] as number,
        isLast: places[row] === siblings,
        folded: foldedAt(row),
        alike: sizes[row] as number,
        isMatch: found?.has(positions[row] as number),
      };
    },
    total: order.length,
    folded,
    grouped,
    hiddenKernelThreads: order.hiddenKernelThreads,
    foldedExited: order.foldedExited,
  };
}

function openRows(
  { tree, order, found, isFiltered, own }: SeenOf,
  { chip, newSince, hidesOwn }: SeenChoice,
): VisibleRows {
  const ofChip = keptByChip(chip, TaskColumns.of(tree, order), order, newSince);
  const kept = hidesOwn ? withoutOwn(tree, order, own, ofChip) : ofChip;
  return visibleRows(order, { isCollapsed: () => false, matches: isFiltered ? found : undefined, kept });
}
