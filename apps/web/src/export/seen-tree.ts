// Which rows of the tree are written: those that are seen, or, with what is
// folded, all that query, chip and subtree let through. Whatever is not written
// is counted.

import type { TaskIndex, TemporalTree, TreeOrder } from '@dendro/engine';
import type { EventNs, TaskId } from '@dendro/protocol';
import { type Chip, keptByChip } from '../layout/chips.ts';
import type { Found } from '../layout/found.ts';
import { withoutOwn } from '../layout/own.ts';
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
  readonly rows: readonly SeenRow[];
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
  const written: SeenRow[] = [];
  let foldedInAll = 0;
  let grouped = 0;
  for (let row = 0; row < rows.length; row++) {
    const position = rows.positions[row] as number;
    const parent = rows.parents[row] as number;
    const siblings = parent < 0 ? rows.rootCount : (rows.childCounts[parent] as number);
    const isGroup = (rows.groups[row] as number) >= 0;
    // An open group has its members below it.
    const alike = isGroup ? (rows.sizes[row] as number) : 0;
    const isOpenGroup = isGroup && (rows.childCounts[row] as number) > 0;
    const below = (order.subtreeEnds[position] as number) - position - 1;
    const folded = !isGroup && !isFiltered && (rows.childCounts[row] as number) === 0 ? below : 0;
    foldedInAll += folded;
    if (isGroup && !isOpenGroup) grouped += alike - 1;
    written.push({
      id: tree.taskIdOf(order.tasks[position] as TaskIndex),
      parent,
      depth: rows.depths[row] as number,
      isLast: rows.places[row] === siblings,
      folded,
      alike,
      isMatch: found?.has(position),
    });
  }
  return {
    at: order.at,
    rows: written,
    total: order.length,
    folded: foldedInAll,
    grouped,
    hiddenKernelThreads: order.hiddenKernelThreads,
    foldedExited: order.foldedExited,
  };
}

function openRows(
  { tree, order, found, isFiltered, own }: SeenOf,
  { chip, newSince, hidesOwn }: SeenChoice,
): VisibleRows {
  const ofChip = keptByChip(chip, tree, order, newSince);
  const kept = hidesOwn ? withoutOwn(tree, order, own, ofChip) : ofChip;
  return visibleRows(order, { isCollapsed: () => false, matches: isFiltered ? found : undefined, kept });
}
