// The ancestors of what is at the top of the window stay there, one line each,
// while their subtrees pass below. Where a subtree ends, its line is pushed out
// by what comes after it, so that nothing jumps.

import type { VisibleRows } from './visible-rows.ts';

/** A chain of ancestors can be longer than the window: the eldest and the nearest are shown. */
export const MAX_STICKY = 4;

export interface StickyLine {
  readonly row: number;
  /** px below the upper edge of the window; above it while the line is pushed out */
  readonly top: number;
  /** Ancestors between the line above and this one that are not shown. */
  readonly skipped: number;
}

type Rows = Pick<VisibleRows, 'length' | 'parents' | 'depths' | 'childCounts'>;

export function stickyRows(rows: Rows, scrollTop: number, rowHeight: number): StickyLine[] {
  const lines: StickyLine[] = [];
  const first = Math.floor(scrollTop / rowHeight);
  if (first < 0 || first >= rows.length) return lines;
  const isAligned = scrollTop === first * rowHeight;
  for (let line = 0; line < MAX_STICKY; line++) {
    // The row that the line would cover.
    const row = first + line;
    if (row >= rows.length || depthOf(rows, row) < line) break;
    const ancestor = ancestorAt(rows, row, line);
    // In its place anyway; or a leaf that may go.
    if (ancestor === row && (isAligned || rows.childCounts[row] === 0)) break;
    lines.push({ row: ancestor, top: line * rowHeight, skipped: 0 });
  }
  const last = lines.at(-1);
  if (last === undefined) return lines;
  const next = first + lines.length;
  if (next >= rows.length || depthOf(rows, next) < lines.length) {
    // The first row below the lines is the first after the subtree of the last one.
    lines[lines.length - 1] = { ...last, top: last.top - (scrollTop - first * rowHeight) };
  } else if (lines.length === MAX_STICKY && depthOf(rows, next) > MAX_STICKY) {
    const nearest = rows.parents[next] as number;
    lines[MAX_STICKY - 1] = { ...last, row: nearest, skipped: depthOf(rows, nearest) - MAX_STICKY + 1 };
  }
  return lines;
}

/** How many lines cover the upper edge when this row stands right below them. */
export function stickyAbove(rows: Rows, row: number): number {
  return Math.min(MAX_STICKY, depthOf(rows, row));
}

function ancestorAt(rows: Rows, row: number, depth: number): number {
  let ancestor = row;
  while (depthOf(rows, ancestor) > depth) ancestor = rows.parents[ancestor] as number;
  return ancestor;
}

function depthOf(rows: Rows, row: number): number {
  return rows.depths[row] as number;
}
