// Which rows of the tree a person sees: collapsed subtrees are left out, and
// with a filter all that neither matches nor leads to a match.

import type { TreeOrder } from '@dendro/engine';

export interface VisibleRows {
  readonly length: number;
  /** row -> position in the order */
  readonly positions: Int32Array;
  /** row -> row of its parent, -1 for a root */
  readonly parents: Int32Array;
  /** row -> its place among the rows with the same parent, from 1 */
  readonly places: Int32Array;
  /** row -> rows directly below it */
  readonly childCounts: Int32Array;
  readonly rootCount: number;
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
  const rows = new Rows(order);
  let position = 0;
  while (position < order.length) {
    rows.add(position);
    const end = order.subtreeEnds[position] as number;
    position = end > position + 1 && isCollapsed(position) ? end : position + 1;
  }
  return rows.finish(rows.length, () => true);
}

function matchingRows(order: TreeOrder, matches: (position: number) => boolean): VisibleRows {
  // before[p]: matches at positions below p, so that "any match in the subtree" is one subtraction.
  const before = new Int32Array(order.length + 1);
  for (let p = 0; p < order.length; p++) before[p + 1] = (before[p] as number) + (matches(p) ? 1 : 0);
  const count = (from: number, to: number) => (before[to] as number) - (before[from] as number);
  const rows = new Rows(order);
  let position = 0;
  while (position < order.length) {
    const end = order.subtreeEnds[position] as number;
    if (count(position, end) === 0) position = end;
    else rows.add(position++);
  }
  return rows.finish(before[order.length] as number, (p) => count(p, p + 1) === 1);
}

class Rows {
  readonly #depths: Uint16Array;
  readonly #positions: Int32Array;
  readonly #parents: Int32Array;
  readonly #places: Int32Array;
  readonly #childCounts: Int32Array;
  /** depth -> last row at that depth: the parent of a row is the last one a level up. */
  readonly #lastAtDepth: number[] = [];
  #roots = 0;
  length = 0;

  constructor(order: TreeOrder) {
    this.#depths = order.depths;
    this.#positions = new Int32Array(order.length);
    this.#parents = new Int32Array(order.length);
    this.#places = new Int32Array(order.length);
    this.#childCounts = new Int32Array(order.length);
  }

  add(position: number): void {
    const row = this.length++;
    const depth = this.#depths[position] as number;
    const parent = depth === 0 ? -1 : (this.#lastAtDepth[depth - 1] as number);
    this.#lastAtDepth[depth] = row;
    this.#positions[row] = position;
    this.#parents[row] = parent;
    if (parent < 0) this.#places[row] = ++this.#roots;
    else {
      const place = (this.#childCounts[parent] as number) + 1;
      this.#childCounts[parent] = place;
      this.#places[row] = place;
    }
  }

  finish(matches: number, isMatch: (position: number) => boolean): VisibleRows {
    return {
      length: this.length,
      positions: this.#positions.subarray(0, this.length),
      parents: this.#parents.subarray(0, this.length),
      places: this.#places.subarray(0, this.length),
      childCounts: this.#childCounts.subarray(0, this.length),
      rootCount: this.#roots,
      matches,
      isMatch,
    };
  }
}
