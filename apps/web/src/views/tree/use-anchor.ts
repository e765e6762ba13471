// Keeps rows where they are under the pointer: after each drawing it compares
// where the anchor row is with where it was, and scrolls by the difference.

import { type RefObject, useLayoutEffect, useRef } from 'react';
import { anchoredScrollTop, anchorRow, type DrawnRows } from '../../layout/anchor.ts';
import type { RowWindow } from '../../layout/row-window.ts';
import { useRowHeight } from '../../state/tree-store.ts';
import type { RowId, TreeRows } from './tree-rows.ts';

const NOTHING: DrawnRows<RowId> = { first: 0, ids: [], scrollTop: 0, viewHeight: 0 };

export interface AnchorOptions {
  readonly treeRows: TreeRows;
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly window: RowWindow;
  readonly scrollTo: (top: number) => void;
  /** Where the pointer is in the page, while it is over the rows. */
  readonly pointerY: RefObject<number | undefined>;
  readonly selected: RowId | undefined;
}

export function useAnchor({ treeRows, scroller, window, scrollTo, pointerY, selected }: AnchorOptions): void {
  const drawn = useRef<DrawnRows<RowId>>(NOTHING);
  const rowHeight = useRowHeight();
  const drawnHeight = useRef(rowHeight);
  const drawnRows = useRef<TreeRows>(undefined);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    if (drawnHeight.current !== rowHeight) {
      // Denser or less dense: the first row in view stays the first.
      scrollTo((drawn.current.scrollTop / drawnHeight.current) * rowHeight);
      drawnHeight.current = rowHeight;
      drawnRows.current = treeRows;
    } else if (drawnRows.current !== treeRows) {
      const y = pointerY.current;
      const before: DrawnRows<RowId> = { ...drawn.current, viewHeight: element.clientHeight - rowHeight };
      const rowsTop = element.getBoundingClientRect().top + rowHeight;
      const hovered = y === undefined ? -1 : Math.floor((y - rowsTop + before.scrollTop) / rowHeight);
      const place = selected === undefined ? -1 : before.ids.indexOf(selected);
      const anchor = anchorRow(before, rowHeight, hovered, place < 0 ? -1 : before.first + place);
      const top = anchoredScrollTop(before, anchor, rowHeight, treeRows.rowOf);
      // What was scrolled since the last drawing is kept, unless it was the browser: the list had become too short.
      const { scrollTop, scrollHeight, clientHeight } = element;
      const isCut = scrollTop < before.scrollTop && scrollTop >= scrollHeight - clientHeight - 1;
      if (top !== before.scrollTop || isCut) scrollTo(isCut ? top : scrollTop + top - before.scrollTop);
      drawnRows.current = treeRows;
    }
    const { rows, idAt } = treeRows;
    const ids: RowId[] = [];
    const end = Math.min(window.end, rows.length);
    for (let row = window.first; row < end; row++) ids.push(idAt(row));
    drawn.current = { first: window.first, ids, scrollTop: element.scrollTop, viewHeight: 0 };
  }, [treeRows, scroller, window, scrollTo, pointerY, selected, rowHeight]);
}
