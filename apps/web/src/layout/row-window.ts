// Which rows are in the page. All rows are of one height, so this is a division
// and costs the same for ten rows and for a million.

/** Height of a row by how densely they stand, px. As in tree.css. */
export const ROW_HEIGHTS = { comfortable: 26, compact: 20 } as const;
export type Density = keyof typeof ROW_HEIGHTS;

/** Rows above and below what can be seen, so that scrolling shows no blank. */
const OVERSCAN = 6;
/** A window taller than this many rows scrolls inside it: tree.css limits its height. */
export const MAX_VIEW_ROWS = 80;

export interface RowWindow {
  readonly first: number;
  /** Row after the last one. */
  readonly end: number;
}

/** Where the list stands. The head of the columns, above the rows, is as high as one. */
export interface Scrolled {
  readonly scrollTop: number;
  /** Without the head. */
  readonly viewHeight: number;
  readonly rowHeight: number;
}

export function rowWindow({ scrollTop, viewHeight, rowHeight }: Scrolled, count: number): RowWindow {
  const height = Math.min(viewHeight, MAX_VIEW_ROWS * rowHeight);
  // A browser that bounces at the end of a list reports positions outside it.
  const top = Math.max(0, Math.min(scrollTop, count * rowHeight - height));
  return {
    first: Math.max(0, Math.floor(top / rowHeight) - OVERSCAN),
    end: Math.min(count, Math.ceil((top + height) / rowHeight) + OVERSCAN),
  };
}

/** The nearest that a list of so many rows can be scrolled to. */
export function scrollTopWithin(top: number, { viewHeight, rowHeight }: Scrolled, count: number): number {
  return Math.max(0, Math.min(top, count * rowHeight - viewHeight));
}

/**
 * Where to scroll to so that a row can be seen whole; `scrollTop` when it can be already.
 * @param covered rows that lie over the upper edge of the window when this one stands there
 */
export function scrollTopShowing(row: number, { scrollTop, viewHeight, rowHeight }: Scrolled, covered = 0): number {
  const top = row * rowHeight;
  const free = top - covered * rowHeight;
  if (free < scrollTop) return Math.max(0, free);
  return Math.max(scrollTop, top + rowHeight - viewHeight);
}

/** Where to scroll to so that a row is in the middle, unless it can be seen already. */
export function scrollTopCentring(row: number, scrolled: Scrolled, covered = 0): number {
  const { scrollTop, viewHeight, rowHeight } = scrolled;
  if (scrollTopShowing(row, scrolled, covered) === scrollTop) return scrollTop;
  return Math.max(0, row * rowHeight - (viewHeight - rowHeight) / 2);
}
