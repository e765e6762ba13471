// The tree as a virtualised treegrid: only the rows in view are in the page.

import type { TaskId } from '@dendro/protocol';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type PointerEvent, useEffect, useLayoutEffect, useRef } from 'react';
import { useApp } from '../../app-context.ts';
import { anchoredScrollTop, anchorRow } from '../../layout/anchor.ts';
import { useView, view } from '../../state/view-store.ts';
import { gridKeys } from './grid-keys.ts';
import { ROW_HEIGHT, rowId, TreeRow } from './tree-row.tsx';
import type { TreeRows } from './use-tree-rows.ts';

/** With more than this in the page a very tall window would draw too much. */
const MAX_ROWS = 96;
const OVERSCAN = 6;

export function TreeGrid({ treeRows }: { readonly treeRows: TreeRows }) {
  const { replica } = useApp();
  const { rows, order, tree, taskAt, rowOf } = treeRows;
  const selected = useView((state) => state.selected);
  const collapsed = useView((state) => state.collapsed);
  const filter = useView((state) => state.filter);
  const scroller = useRef<HTMLDivElement>(null);
  const pointerY = useRef<number>(undefined);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (row) => tree.taskIdOf(taskAt(row)),
    overscan: OVERSCAN,
  });
  useAnchor(treeRows, scroller, pointerY);

  const selectedRow = selected === undefined ? -1 : rowOf(selected);
  const moveTo = (row: number): void => {
    const task = Math.max(0, Math.min(rows.length - 1, row));
    if (rows.length === 0) return;
    view.select(tree.taskIdOf(taskAt(task)));
    virtual.scrollToIndex(task, { align: 'auto' });
  };
  useFirstSelection(selectedRow, (row) => virtual.scrollToIndex(row, { align: 'center' }));

  const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? ROW_HEIGHT) / ROW_HEIGHT) - 1);
  const base = { epochNs: BigInt(replica.host?.baseEpochNs ?? '0') };
  const onPointerMove = (event: PointerEvent): void => {
    pointerY.current = event.clientY;
  };
  return (
    <div
      className="tree-grid"
      role="treegrid"
      aria-label="Process tree"
      aria-rowcount={rows.length + 1}
      aria-activedescendant={selectedRow >= 0 && selected !== undefined ? rowId(selected) : undefined}
      data-testid="tree-grid"
      data-version={replica.version ?? ''}
      tabIndex={0}
      onKeyDown={(event) => gridKeys(event, treeRows, selectedRow, page, moveTo)}
    >
      <div className="tree-head tree-columns" role="row" aria-rowindex={1}>
        {['Process', 'PID', 'Threads', 'User', 'Started', 'State'].map((title) => (
          <div key={title} role="columnheader" className={`cell-${title.toLowerCase()}`}>
            {title}
          </div>
        ))}
      </div>
      {rows.length === 0 && <p className="tree-empty">Nothing matches. Clear the filter with Esc.</p>}
      <div
        className="tree-scroller"
        ref={scroller}
        onPointerMove={onPointerMove}
        onPointerLeave={() => {
          pointerY.current = undefined;
        }}
      >
        <div role="presentation" className="tree-rows" style={{ height: virtual.getTotalSize() }}>
          {virtual
            .getVirtualItems()
            .slice(0, MAX_ROWS)
            .map((item) => {
              const position = rows.positions[item.index] as number;
              const task = taskAt(item.index);
              const id = tree.taskIdOf(task);
              return (
                <TreeRow
                  key={id}
                  tree={tree}
                  task={task}
                  at={order.at}
                  base={base}
                  users={replica.host?.users ?? {}}
                  row={item.index}
                  depth={order.depths[position] as number}
                  threads={order.threadCounts[position] as number}
                  hasChildren={(order.subtreeEnds[position] as number) > position + 1}
                  isCollapsed={filter === '' && collapsed.has(id)}
                  isSelected={id === selected}
                  isDimmed={!rows.isMatch(position)}
                />
              );
            })}
        </div>
      </div>
    </div>
  );
}

/** Scrolls by as much as rows above the anchor have come and gone. */
function useAnchor(
  treeRows: TreeRows,
  scroller: React.RefObject<HTMLDivElement | null>,
  pointerY: React.RefObject<number | undefined>,
): void {
  const drawn = useRef<Float64Array>(new Float64Array(0));
  const selected = useView((state) => state.selected);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const before = { tasks: drawn.current, scrollTop: element.scrollTop, viewHeight: element.clientHeight };
    const y = pointerY.current;
    const hovered =
      y === undefined ? -1 : Math.floor((y - element.getBoundingClientRect().top + element.scrollTop) / ROW_HEIGHT);
    const anchor = anchorRow(before, ROW_HEIGHT, hovered, selected === undefined ? -1 : before.tasks.indexOf(selected));
    const top = anchoredScrollTop(before, anchor, ROW_HEIGHT, (task) => treeRows.rowOf(task as TaskId));
    if (top !== before.scrollTop) element.scrollTop = top;
    const { rows, tree, taskAt } = treeRows;
    drawn.current = Float64Array.from({ length: rows.length }, (_, row) => tree.taskIdOf(taskAt(row)));
  }, [treeRows, scroller, pointerY, selected]);
}

/** A task that the address names is scrolled to once, when it is first there. */
function useFirstSelection(selectedRow: number, scrollTo: (row: number) => void): void {
  const isDone = useRef(useView.getState().selected === undefined);
  useEffect(() => {
    if (isDone.current || selectedRow < 0) return;
    isDone.current = true;
    scrollTo(selectedRow);
  });
}
