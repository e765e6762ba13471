// Which rows of the tree a person sees: collapsed subtrees are left out, and
// with a filter all that neither matches nor leads to a match.

import type { TreeOrder } from '@dendro/engine';

export interface VisibleRows {
  readonly length: number;
  /** row -> position in the order */
  readonly positions: Int32Array;
  /** Rows that match the filter; all of them without one. */
  readonly matches: number;
  /** Does the row at this position match? Always true without a filter. */
  isMatch(position: number): boolean;
}

/**
 * @param isCollapsed by position; not asked with a filter, which opens whatever leads to a match
 * @param matches by position; undefined without a filter
 */
export function visibleRows(
  order: TreeOrder,
  isCollapsed: (position: number) => boolean,
  matches: ((position: number) => boolean) | undefined,
): VisibleRows {
  return matches === undefined ? openRows(order, isCollapsed) : matchingRows(order, matches);
}

function openRows(order: TreeOrder, isCollapsed: (position: number) => boolean): VisibleRows {
  const positions = new Int32Array(order.length);
  let length = 0;
  let position = 0;
  while (position < order.length) {
    positions[length++] = position;
    const end = order.subtreeEnds[position] as number;
    position = end > position + 1 && isCollapsed(position) ? end : position + 1;
  }
  return { length, positions: positions.subarray(0, length), matches: length, isMatch: () => true };
}

function matchingRows(order: TreeOrder, matches: (position: number) => boolean): VisibleRows {
  // before[p]: matches at positions below p, so that "any match in the subtree" is one subtraction.
  const before = new Int32Array(order.length + 1);
  for (let p = 0; p < order.length; p++) before[p + 1] = (before[p] as number) + (matches(p) ? 1 : 0);
  const count = (from: number, to: number) => (before[to] as number) - (before[from] as number);
  const positions = new Int32Array(order.length);
  let length = 0;
  let position = 0;
  while (position < order.length) {
    const end = order.subtreeEnds[position] as number;
    if (count(position, end) === 0) position = end;
    else positions[length++] = position++;
  }
  return {
    length,
    positions: positions.subarray(0, length),
    matches: before[order.length] as number,
    isMatch: (p) => count(p, p + 1) === 1,
  };
}
