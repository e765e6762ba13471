// Rows must not move under the pointer. When rows appear or vanish above, the
// list is scrolled by as much as its anchor row was pushed.

/** What stood in the rows when they were last drawn. */
export interface DrawnRows {
  /** row -> TaskId */
  readonly tasks: ArrayLike<number>;
  readonly scrollTop: number;
  readonly viewHeight: number;
}

/**
 * The row that has to stay where it is: the one under the pointer, else the selected one, else the first in view.
 * Only rows in view count.
 */
export function anchorRow(drawn: DrawnRows, rowHeight: number, hovered: number, selected: number): number {
  const first = Math.floor(drawn.scrollTop / rowHeight);
  const last = Math.min(drawn.tasks.length - 1, Math.floor((drawn.scrollTop + drawn.viewHeight - 1) / rowHeight));
  for (const row of [hovered, selected]) if (row >= first && row <= last) return row;
  return first <= last ? first : -1;
}

/**
 * Where to scroll to so that the anchor stays in place. When the anchor itself is gone, the nearest row below it
 * that is still there takes its place.
 * @param rowOf the new row of a TaskId, -1 when it is not shown any more
 */
export function anchoredScrollTop(
  drawn: DrawnRows,
  anchor: number,
  rowHeight: number,
  rowOf: (task: number) => number,
): number {
  if (anchor < 0) return drawn.scrollTop;
  for (let row = anchor; row < drawn.tasks.length; row++) {
    const moved = rowOf(drawn.tasks[row] as number);
    if (moved >= 0) return Math.max(0, drawn.scrollTop + (moved - anchor) * rowHeight);
  }
  return drawn.scrollTop;
}
