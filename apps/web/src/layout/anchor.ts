// Rows must not move under the pointer. When rows appear or vanish above, the
// list is scrolled by as much as its anchor row was pushed.

/** What stood in the window when it was last drawn. */
export interface DrawnRows<Id> {
  /** The row that `ids` begins with. */
  readonly first: number;
  /** What the rows from `first` on are known by: those in view and some below. */
  readonly ids: readonly Id[];
  readonly scrollTop: number;
  readonly viewHeight: number;
}

/**
 * The row that has to stay where it is: the one under the pointer, else the selected one, else the first in view.
 * Only rows in view count.
 * @returns -1 when there is none
 */
export function anchorRow(drawn: DrawnRows<unknown>, rowHeight: number, hovered: number, selected: number): number {
  const first = Math.max(drawn.first, Math.floor(drawn.scrollTop / rowHeight));
  const last = Math.min(
    drawn.first + drawn.ids.length - 1,
    Math.floor((drawn.scrollTop + drawn.viewHeight - 1) / rowHeight),
  );
  for (const row of [hovered, selected]) if (row >= first && row <= last) return row;
  return first <= last ? first : -1;
}

/**
 * Where to scroll to so that the anchor stays in place. When the anchor itself is gone, the nearest row below it
 * that is still there takes its place, and without one the nearest above.
 * @param rowOf the new row of an id, -1 when it is not shown any more
 */
export function anchoredScrollTop<Id>(
  drawn: DrawnRows<Id>,
  anchor: number,
  rowHeight: number,
  rowOf: (id: Id) => number,
): number {
  const { first, ids, scrollTop } = drawn;
  if (anchor < 0) return scrollTop;
  const from = anchor - first;
  for (let i = from; i < ids.length; i++) {
    const moved = rowOf(ids[i] as Id);
    if (moved >= 0) return Math.max(0, scrollTop + (moved - anchor) * rowHeight);
  }
  for (let i = from - 1; i >= 0; i--) {
    const moved = rowOf(ids[i] as Id);
    if (moved >= 0) return Math.max(0, scrollTop + (moved - (first + i)) * rowHeight);
  }
  return scrollTop;
}
