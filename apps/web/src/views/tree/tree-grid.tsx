// The tree as a virtualised treegrid: only the rows in view are in the page,
// and the selected one wherever it is, so that assistive technology can find it.

import type { TaskId } from '@dendro/protocol';
import { type PointerEvent, useEffect, useRef, useState } from 'react';
import { useApp } from '../../app-context.ts';
import { type RowContext, rowModel } from '../../layout/row-model.ts';
import { HEAD_HEIGHT, ROW_HEIGHT, type RowWindow, scrollTopShowing } from '../../layout/row-window.ts';
import { useView, type ViewState, view } from '../../state/view-store.ts';
import { ContextBar } from './context-bar.tsx';
import { Empty } from './empty.tsx';
import { gridKeys } from './grid-keys.ts';
import { rowId, TreeRow } from './tree-row.tsx';
import { useAnchor } from './use-anchor.ts';
import { useRowWindow } from './use-row-window.ts';
import type { TreeRows } from './use-tree-rows.ts';

const COLUMNS = ['Process', 'PID', 'Threads', 'User', 'Started', 'State'];

export function TreeGrid({ treeRows }: { readonly treeRows: TreeRows }) {
  const { replica } = useApp();
  const { rows, rowOf, taskAt, tree } = treeRows;
  const selected = useView((state) => state.selected);
  const scroller = useRef<HTMLDivElement>(null);
  const pointerY = useRef<number>(undefined);
  const { window, rowsInView, scrollTo } = useRowWindow(scroller, rows.length);
  useAnchor({ treeRows, scroller, window, scrollTo, pointerY, selected });

  const selectedRow = selected === undefined ? -1 : rowOf(selected);
  const show = (row: number, isCentred = false): void => {
    const element = scroller.current;
    if (element !== null) {
      scrollTo(scrollTopShowing(row, element.scrollTop, element.clientHeight - HEAD_HEIGHT, isCentred));
    }
  };
  useReveal(treeRows, (row) => show(row, true));
  const moveTo = (row: number): void => {
    if (rows.length === 0) return;
    const next = Math.max(0, Math.min(rows.length - 1, row));
    view.select(tree.taskIdOf(taskAt(next)));
    show(next);
  };
  const page = Math.max(1, rowsInView - 1);
  return (
    <div className="tree">
      <ContextBar treeRows={treeRows} />
      <div
        className="tree-grid tree-scroller"
        ref={scroller}
        role="treegrid"
        aria-label="Process tree"
        aria-rowcount={rows.length + 1}
        aria-colcount={COLUMNS.length}
        aria-activedescendant={selectedRow >= 0 && selected !== undefined ? rowId(selected) : undefined}
        data-testid="tree-grid"
        data-version={replica.version ?? ''}
        tabIndex={0}
        onPointerMove={(event: PointerEvent) => {
          pointerY.current = event.clientY;
        }}
        onPointerLeave={() => {
          pointerY.current = undefined;
        }}
        onMouseDown={(event) => {
          // The keys belong to the grid: a button in a row does its work without taking the focus.
          if (!(event.target instanceof Element) || event.target.closest('button') === null) return;
          event.preventDefault();
          event.currentTarget.focus({ preventScroll: true });
        }}
        onKeyDown={(event) => gridKeys(event, treeRows, selectedRow, page, moveTo)}
      >
        <div className="tree-head tree-columns" role="row" aria-rowindex={1}>
          {COLUMNS.map((title) => (
            <div key={title} role="columnheader" className={`cell-${title.toLowerCase()}`}>
              {title}
            </div>
          ))}
        </div>
        <div role="presentation" className="tree-rows" style={{ height: rows.length * ROW_HEIGHT }}>
          <Rows treeRows={treeRows} window={window} selectedRow={selectedRow} />
        </div>
      </div>
      {rows.length === 0 && <Empty treeRows={treeRows} />}
    </div>
  );
}

interface RowsProps {
  readonly treeRows: TreeRows;
  readonly window: RowWindow;
  readonly selectedRow: number;
}

function Rows({ treeRows, window, selectedRow }: RowsProps) {
  const { replica } = useApp();
  const collapsed = useView((state) => state.collapsed);
  const { rows, order, tree, found, asked, isFiltered, taskAt } = treeRows;
  const host = replica.host;
  const context: RowContext = {
    tree,
    at: order.at,
    base: { epochNs: BigInt(host?.baseEpochNs ?? '0') },
    users: host?.users ?? {},
  };
  const drawn: number[] = [];
  for (let row = window.first; row < Math.min(window.end, rows.length); row++) drawn.push(row);
  if (selectedRow >= 0 && !drawn.includes(selectedRow)) drawn.push(selectedRow);
  return drawn.map((row) => {
    const model = rowModel(context, taskAt(row));
    const position = rows.positions[row] as number;
    const parent = rows.parents[row] as number;
    const end = order.subtreeEnds[position] as number;
    const below = end - position - 1;
    const isOpen = below > 0 && (isFiltered || !collapsed.has(model.id));
    const isFound = found?.has(position) ?? false;
    return (
      <TreeRow
        key={model.id}
        {...model}
        row={row}
        depth={order.depths[position] as number}
        place={rows.places[row] as number}
        siblings={parent < 0 ? rows.rootCount : (rows.childCounts[parent] as number)}
        threads={order.threadCounts[position] as number}
        below={below}
        isOpen={isOpen}
        canFold={!isFiltered}
        isSelected={row === selectedRow}
        isDimmed={isFiltered && !isFound}
        foundBelow={isOpen || found === undefined ? 0 : found.countIn(position + 1, end)}
        marks={isFound ? asked?.marks : undefined}
      />
    );
  });
}

/**
 * Once, when there are rows: the keys go to them, and a task that the address names is scrolled to. From then on,
 * whenever one is to be revealed, as soon as it has a row.
 */
function useReveal(treeRows: TreeRows, show: (row: number) => void): void {
  const hasFocused = useRef(false);
  const revealed = useView((state) => state.revealed);
  const [atFirst] = useState(() => namedByAddress(useView.getState().selected));
  const done = useRef<object>(undefined);
  useEffect(() => {
    if (!hasFocused.current) {
      hasFocused.current = true;
      if (document.activeElement === document.body) {
        document.querySelector<HTMLElement>('[role="treegrid"]')?.focus({ preventScroll: true });
      }
    }
    const wanted = revealed ?? atFirst;
    if (wanted === undefined || wanted === done.current) return;
    const row = treeRows.rowOf(wanted.task);
    if (row < 0) return;
    done.current = wanted;
    show(row);
  });
}

function namedByAddress(selected: TaskId | undefined): ViewState['revealed'] {
  return selected === undefined ? undefined : { task: selected };
}
