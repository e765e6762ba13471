// Which rows are in the page. All rows are of one height, so this is a division
// and costs the same for ten rows and for a million.

export const ROW_HEIGHT = 26;
/** The head of the columns stays in view above the rows and is as high as one. */
export const HEAD_HEIGHT = ROW_HEIGHT;
/** Rows above and below what can be seen, so that scrolling shows no blank. */
const OVERSCAN = 6;
/** A window taller than this many rows (2,184 px) scrolls inside it: tree.css limits its height. */
export const MAX_VIEW_ROWS = 84;

export interface RowWindow {
  readonly first: number;
  /** Row after the last one. */
  readonly end: number;
}

export function rowWindow(scrollTop: number, viewHeight: number, count: number): RowWindow {
  const height = Math.min(viewHeight, MAX_VIEW_ROWS * ROW_HEIGHT);
  // A browser that bounces at the end of a list reports positions outside it.
  const top = Math.max(0, Math.min(scrollTop, count * ROW_HEIGHT - height));
  return {
    first: Math.max(0, Math.floor(top / ROW_HEIGHT) - OVERSCAN),
    end: Math.min(count, Math.ceil((top + height) / ROW_HEIGHT) + OVERSCAN),
  };
}

/** Where to scroll to so that a row can be seen whole; `scrollTop` when it can be already. */
export function scrollTopShowing(row: number, scrollTop: number, viewHeight: number, isCentred = false): number {
  const top = row * ROW_HEIGHT;
  const bottom = top + ROW_HEIGHT;
  if (top >= scrollTop && bottom <= scrollTop + viewHeight) return scrollTop;
  if (isCentred) return Math.max(0, top - (viewHeight - ROW_HEIGHT) / 2);
  return top < scrollTop ? top : bottom - viewHeight;
}
