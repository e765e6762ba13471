// Which rows of the tree a person sees: collapsed subtrees are left out, or, with
// a filter, all that neither matches nor leads to a match.

import type { TreeOrder } from '@dendro/engine';
import type { Found } from './found.ts';

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
}

/** @param isCollapsed by position */
export function openRows(order: TreeOrder, isCollapsed: (position: number) => boolean): VisibleRows {
  const rows = new Rows(order);
  let position = 0;
  while (position < order.length) {
    rows.add(position);
    const end = order.subtreeEnds[position] as number;
    position = end > position + 1 && isCollapsed(position) ? end : position + 1;
  }
  return rows.finish();
}

/** A filter opens whatever leads to a match, collapsed or not. */
export function matchingRows(order: TreeOrder, matches: Found): VisibleRows {
  const rows = new Rows(order);
  let position = 0;
  while (position < order.length) {
    const end = order.subtreeEnds[position] as number;
    if (matches.countIn(position, end) === 0) position = end;
    else rows.add(position++);
  }
  return rows.finish();
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

  finish(): VisibleRows {
    return {
      length: this.length,
      positions: this.#positions.subarray(0, this.length),
      parents: this.#parents.subarray(0, this.length),
      places: this.#places.subarray(0, this.length),
      childCounts: this.#childCounts.subarray(0, this.length),
      rootCount: this.#roots,
    };
  }
}
