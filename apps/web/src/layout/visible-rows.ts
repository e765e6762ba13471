// Which rows of the tree a person sees: collapsed subtrees are left out, and
// with a filter all that neither matches nor leads to a match. Siblings that are
// alike can stand in one row of their own, and below it when that is open.

import type { TreeOrder } from '@dendro/engine';
import { Found } from './found.ts';
import type { SiblingGroups } from './sibling-groups.ts';

export interface VisibleRows {
  readonly length: number;
  /** row -> position in the order; of a group, that of its eldest member */
  readonly positions: Int32Array;
  /** row -> number of the group that it stands for, -1 where it is that of a task */
  readonly groups: Int32Array;
  /** row -> members that stand in this row, or below it; 0 where it is that of a task */
  readonly sizes: Int32Array;
  /** row -> depth; roots are 0 */
  readonly depths: Uint16Array;
  /** row -> row of its parent, -1 for a root */
  readonly parents: Int32Array;
  /** row -> its place among the rows with the same parent, from 1 */
  readonly places: Int32Array;
  /** row -> rows directly below it */
  readonly childCounts: Int32Array;
  readonly rootCount: number;
}

export interface RowChoice {
  /** By position. Not asked with a filter, which opens whatever leads to a match. */
  readonly isCollapsed: (position: number) => boolean;
  /** The filter. */
  readonly matches?: Found | undefined;
  /** Positions that are shown, with what leads to them; all when undefined. Unlike a filter, it leaves folding alone. */
  readonly kept?: Uint8Array | undefined;
  /** Not heeded with a filter: whoever matches stands by itself. */
  readonly groups?: SiblingGroups | undefined;
  /** By number. */
  readonly isGroupOpen?: (group: number) => boolean;
  /** Members that stand beside their group while it is closed, by position. */
  readonly isApart?: (position: number) => boolean;
}

export function visibleRows(order: TreeOrder, choice: RowChoice): VisibleRows {
  return choice.matches === undefined ? openRows(order, choice) : matchingRows(order, choice.matches, choice.kept);
}

/** What is still to be laid out: the siblings in `[at, end)` and all below them. */
interface Stretch {
  at: number;
  readonly end: number;
  /** Levels below where the order has them: members of an open group are one deeper. */
  readonly shift: number;
  /** The group that the first of them is laid out for. */
  readonly member: number;
}

function openRows(order: TreeOrder, { isCollapsed, kept, groups, isGroupOpen, isApart }: RowChoice): VisibleRows {
  const { subtreeEnds, depths } = order;
  const count = kept === undefined ? undefined : counter(order.length, (p) => kept[p] === 1);
  const rows = new Rows(order.length + (groups?.length ?? 0));
  const stretches: Stretch[] = [{ at: 0, end: order.length, shift: 0, member: -1 }];
  /** group -> does it have a row? */
  const isPlaced = new Uint8Array(groups?.length ?? 0);
  for (;;) {
    const stretch = stretches.at(-1);
    if (stretch === undefined) break;
    const { at: p, shift } = stretch;
    if (p >= stretch.end) {
      stretches.pop();
      continue;
    }
    const end = subtreeEnds[p] as number;
    if (count !== undefined && count(p, end) === 0) {
      stretch.at = end;
      continue;
    }
    const group = groups?.groupAt(p) ?? -1;
    if (groups !== undefined && group >= 0 && stretch.member !== group) {
      const members = groups.membersOf(group);
      const isOpen = isGroupOpen?.(group) ?? false;
      const size = isOpen ? members.length : countIn(members, isApart);
      if (size > 1) {
        if (isPlaced[group] === 0) {
          isPlaced[group] = 1;
          rows.add(members[0] as number, (depths[p] as number) + shift, group, size);
          if (isOpen) {
            for (let i = members.length - 1; i >= 0; i--) {
              const at = members[i] as number;
              stretches.push({ at, end: subtreeEnds[at] as number, shift: shift + 1, member: group });
            }
          }
        }
        if (isOpen || !isApart?.(p)) {
          stretch.at = end;
          continue;
        }
      }
    }
    rows.add(p, (depths[p] as number) + shift);
    stretch.at = end > p + 1 && isCollapsed(p) ? end : p + 1;
  }
  return rows.finish();
}

function countIn(members: readonly number[], isApart: ((position: number) => boolean) | undefined): number {
  if (isApart === undefined) return members.length;
  let size = 0;
  for (const member of members) if (!isApart(member)) size++;
  return size;
}

function matchingRows(order: TreeOrder, matches: Found, kept?: Uint8Array): VisibleRows {
  const shown =
    kept === undefined ? matches : new Found(kept.map((isKept, p) => (isKept === 1 && matches.has(p) ? 1 : 0)));
  const rows = new Rows(order.length);
  let position = 0;
  while (position < order.length) {
    const end = order.subtreeEnds[position] as number;
    if (shown.countIn(position, end) === 0) position = end;
    else rows.add(position, order.depths[position++] as number);
  }
  return rows.finish();
}

/** @returns how many there are in `[from, to)`: one subtraction */
function counter(length: number, isCounted: (position: number) => boolean): (from: number, to: number) => number {
  const before = new Int32Array(length + 1);
  for (let p = 0; p < length; p++) before[p + 1] = (before[p] as number) + (isCounted(p) ? 1 : 0);
  return (from, to) => (before[to] as number) - (before[from] as number);
}

/** That of an order: what is deeper stands there. */
const MAX_DEPTH = 65_535;

class Rows {
  readonly #positions: Int32Array;
  readonly #groups: Int32Array;
  readonly #sizes: Int32Array;
  readonly #depths: Uint16Array;
  readonly #parents: Int32Array;
  readonly #places: Int32Array;
  readonly #childCounts: Int32Array;
  /** depth -> last row at that depth: the parent of a row is the last one a level up. */
  readonly #lastAtDepth: number[] = [];
  #roots = 0;
  length = 0;

  constructor(capacity: number) {
    this.#positions = new Int32Array(capacity);
    this.#groups = new Int32Array(capacity);
    this.#sizes = new Int32Array(capacity);
    this.#depths = new Uint16Array(capacity);
    this.#parents = new Int32Array(capacity);
    this.#places = new Int32Array(capacity);
    this.#childCounts = new Int32Array(capacity);
  }

  add(position: number, depth: number, group = -1, size = 0): void {
    const row = this.length++;
    const parent = depth === 0 ? -1 : (this.#lastAtDepth[depth - 1] as number);
    this.#lastAtDepth[depth] = row;
    this.#positions[row] = position;
    this.#groups[row] = group;
    this.#sizes[row] = size;
    this.#depths[row] = Math.min(depth, MAX_DEPTH);
    this.#parents[row] = parent;
    if (parent < 0) this.#places[row] = ++this.#roots;
    else {
      const place = (this.#childCounts[parent] as number) + 1;
      this.#childCounts[parent] = place;
      this.#places[row] = place;
    }
  }

  finish(): VisibleRows {
    const { length } = this;
    return {
      length,
      positions: this.#positions.subarray(0, length),
      groups: this.#groups.subarray(0, length),
      sizes: this.#sizes.subarray(0, length),
      depths: this.#depths.subarray(0, length),
      parents: this.#parents.subarray(0, length),
      places: this.#places.subarray(0, length),
      childCounts: this.#childCounts.subarray(0, length),
      rootCount: this.#roots,
    };
  }
}
