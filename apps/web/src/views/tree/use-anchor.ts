// Keeps rows where they are under the pointer: before other rows are drawn it
// compares where the anchor row is with where it was, and says where to scroll to.

import { type RefObject, useLayoutEffect, useRef } from 'react';
import { anchoredScrollTop, anchorRow, type DrawnRows } from '../../layout/anchor.ts';
import type { Scrolled } from '../../layout/row-window.ts';
import { useRowHeight } from '../../state/tree-store.ts';
import type { RowId, TreeRows } from './tree-rows.ts';
import type { Viewport } from './use-row-window.ts';

export interface AnchorOptions {
  readonly treeRows: TreeRows;
  readonly scroller: RefObject<HTMLDivElement | null>;
  /** Where the pointer is in the page, while it is over the rows. */
  readonly pointerY: RefObject<number | undefined>;
  readonly selected: RowId | undefined;
}

export interface Anchor {
  /** Undefined while the rows are those that stand there. */
  readonly move: ((now: Scrolled) => number) | undefined;
  /** To be told what has been drawn. */
  readonly noteDrawn: (viewport: Viewport) => void;
}

interface Drawn extends Omit<DrawnRows<RowId>, 'viewHeight'> {
  readonly treeRows: TreeRows | undefined;
  readonly rowHeight: number;
}

export function useAnchor({ treeRows, scroller, pointerY, selected }: AnchorOptions): Anchor {
  const rowHeight = useRowHeight();
  const drawn = useRef<Drawn>({ treeRows: undefined, rowHeight, first: 0, ids: [], scrollTop: 0 });
  const isDrawn = drawn.current.treeRows === treeRows && drawn.current.rowHeight === rowHeight;

  function move({ scrollTop, viewHeight }: Scrolled): number {
    // Denser or less dense: the first row in view stays the first.
    if (drawn.current.rowHeight !== rowHeight) return (drawn.current.scrollTop / drawn.current.rowHeight) * rowHeight;
    const before = { ...drawn.current, viewHeight };
    const place = selected === undefined ? -1 : before.ids.indexOf(selected);
    const anchor = anchorRow(before, rowHeight, hoveredRow(before.scrollTop), place < 0 ? -1 : before.first + place);
    return scrollTop + anchoredScrollTop(before, anchor, rowHeight, treeRows.rowOf) - before.scrollTop;
  }

  function hoveredRow(scrollTop: number): number {
    const y = pointerY.current;
    if (y === undefined || scroller.current === null) return -1;
    const rowsTop = scroller.current.getBoundingClientRect().top + rowHeight;
    return Math.floor((y - rowsTop + scrollTop) / rowHeight);
  }

  function noteDrawn({ window, scrolled }: Viewport): void {
    const ids: RowId[] = [];
    for (let row = window.first; row < window.end; row++) ids.push(treeRows.idAt(row));
    drawn.current = { treeRows, rowHeight, first: window.first, ids, scrollTop: scrolled.scrollTop };
  }
  return { move: isDrawn ? undefined : move, noteDrawn };
}

/** After `useRowWindow`, which moves the list. */
export function useDrawn({ noteDrawn }: Anchor, viewport: Viewport): void {
  useLayoutEffect(() => noteDrawn(viewport));
}
