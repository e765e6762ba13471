// A process and its descendants on an axis of time: one bar for each life, in the
// order of the tree. Who did not live in the window and leads to nobody who did is
// left out, and counted (lineage-family.ts).

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';
import type { LineageFamily } from './lineage-family.ts';
import type { TimeWindow } from './time-window.ts';

/** The life of a process: 0 is the left edge of the window, 1 the right one. */
export interface Bar {
  readonly left: number;
  readonly right: number;
  /** It goes on beyond the edge. */
  readonly isCutLeft: boolean;
  readonly isCutRight: boolean;
  /** It lives at the instant that is shown, which is in the window: the bar has no end yet. */
  readonly isOpen: boolean;
}

export interface LifeRow {
  readonly kind: 'life';
  readonly task: TaskIndex;
  readonly depth: number;
  /** Row of the parent, -1 of the first. */
  readonly parent: number;
  /** Undefined: it did not live in the window, and leads to somebody who did. */
  readonly bar: Bar | undefined;
}

export interface MoreRow {
  readonly kind: 'more';
  readonly depth: number;
  readonly parent: number;
  readonly count: number;
}

export type LifetimeRow = LifeRow | MoreRow;

export function livesWithin(tree: TemporalTree, task: TaskIndex, { from, to }: TimeWindow): boolean {
  return tree.startOf(task) <= to && tree.exitOf(task) >= from;
}

/** @param at the instant that is shown: nothing is known of what comes after it */
export function lifetimeRows(
  tree: TemporalTree,
  family: LineageFamily,
  window: TimeWindow,
  at: EventNs,
): LifetimeRow[] {
  const { members } = family;
  const rows: LifetimeRow[] = [];
  const rowOf: number[] = []; // member -> row
  const open: number[] = []; // members whose subtree is not finished
  const closeTo = (depth: number): void => {
    while (open.length > depth) {
      const position = open.pop() as number;
      const { more, depth } = members[position] as (typeof members)[number];
      if (more > 0) rows.push({ kind: 'more', depth: depth + 1, parent: rowOf[position] as number, count: more });
    }
  };
  members.forEach(({ task, parent, depth }, i) => {
    closeTo(depth);
    rowOf.push(rows.length);
    const above = parent < 0 ? -1 : (rowOf[parent] as number);
    rows.push({ kind: 'life', task, depth, parent: above, bar: barOf(tree, task, window, at) });
    open.push(i);
  });
  closeTo(0);
  return rows;
}

function barOf(tree: TemporalTree, task: TaskIndex, window: TimeWindow, at: EventNs): Bar | undefined {
  if (!livesWithin(tree, task, window)) return undefined;
  const start = tree.startOf(task);
  const exit = tree.exitOf(task);
  const isAlive = exit > at;
  const end = isAlive ? at : exit;
  if (end < window.from) return undefined; // it lives, and the window begins after the instant that is shown
  const place = (ns: number) => (ns - window.from) / (window.to - window.from);
  return {
    left: Math.max(0, place(start)),
    right: Math.min(1, place(end)),
    isCutLeft: start < window.from,
    isCutRight: end > window.to,
    isOpen: isAlive && end <= window.to,
  };
}
