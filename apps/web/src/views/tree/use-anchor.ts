// Keeps rows where they are under the pointer: after each drawing it compares
// where the anchor row is with where it was, and scrolls by the difference.

import type { TaskId } from '@dendro/protocol';
import { type RefObject, useLayoutEffect, useRef } from 'react';
import { anchoredScrollTop, anchorRow, type DrawnRows } from '../../layout/anchor.ts';
import { HEAD_HEIGHT, ROW_HEIGHT, type RowWindow } from '../../layout/row-window.ts';
import type { TreeRows } from './use-tree-rows.ts';

const NOTHING: DrawnRows = { first: 0, tasks: [], scrollTop: 0, viewHeight: 0 };

export interface AnchorOptions {
  readonly treeRows: TreeRows;
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly window: RowWindow;
  readonly scrollTo: (top: number) => void;
  /** Where the pointer is in the page, while it is over the rows. */
  readonly pointerY: RefObject<number | undefined>;
  readonly selected: TaskId | undefined;
}

export function useAnchor({ treeRows, scroller, window, scrollTo, pointerY, selected }: AnchorOptions): void {
  const drawn = useRef<DrawnRows>(NOTHING);
  const drawnRows = useRef<TreeRows>(undefined);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    if (drawnRows.current !== treeRows) {
      const y = pointerY.current;
      const before: DrawnRows = { ...drawn.current, viewHeight: element.clientHeight - HEAD_HEIGHT };
      const rowsTop = element.getBoundingClientRect().top + HEAD_HEIGHT;
      const hovered = y === undefined ? -1 : Math.floor((y - rowsTop + before.scrollTop) / ROW_HEIGHT);
      const place = selected === undefined ? -1 : before.tasks.indexOf(selected);
      const anchor = anchorRow(before, ROW_HEIGHT, hovered, place < 0 ? -1 : before.first + place);
      const top = anchoredScrollTop(before, anchor, ROW_HEIGHT, (task) => treeRows.rowOf(task as TaskId));
      // What was scrolled since the last drawing is kept, unless it was the browser: the list had become too short.
      const { scrollTop, scrollHeight, clientHeight } = element;
      const isCut = scrollTop < before.scrollTop && scrollTop >= scrollHeight - clientHeight - 1;
      if (top !== before.scrollTop || isCut) scrollTo(isCut ? top : scrollTop + top - before.scrollTop);
      drawnRows.current = treeRows;
    }
    const { tree, rows, taskAt } = treeRows;
    const tasks: number[] = [];
    const end = Math.min(window.end, rows.length);
    for (let row = window.first; row < end; row++) tasks.push(tree.taskIdOf(taskAt(row)));
    drawn.current = { first: window.first, tasks, scrollTop: element.scrollTop, viewHeight: 0 };
  }, [treeRows, scroller, window, scrollTo, pointerY, selected]);
}
