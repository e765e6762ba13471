// The tree as a virtualised treegrid: only the rows in view are in the page,
// and the selected one wherever it is, so that assistive technology can find it.

import type { TaskId } from '@dendro/protocol';
import {
  type CSSProperties,
  type PointerEvent,
  Suspense,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useApp } from '../../app-context.ts';
import { COLUMNS, columnsTemplate, fittingColumns } from '../../layout/columns.ts';
import { scrollTopCentring, scrollTopShowing } from '../../layout/row-window.ts';
import { stickyAbove, stickyRows } from '../../layout/sticky-rows.ts';
import { linked } from '../../state/linked.ts';
import { useTree } from '../../state/tree-store.ts';
import { useView, type ViewState, view } from '../../state/view-store.ts';
import { lazyPart } from '../common/lazy-part.tsx';
import { useStripWindow } from '../timeline/use-strip-window.ts';
import { ContextBar } from './context-bar.tsx';
import { Empty } from './empty.tsx';
import { gridKeys } from './grid-keys.ts';
import { GridRows } from './grid-rows.tsx';
import { groupRowId } from './group-row.tsx';
import { LifeHead, LifePlayhead, placeLives } from './lifetime.tsx';
import { StickyLines } from './sticky-lines.tsx';
import { rowId } from './tree-row.tsx';
import type { TreeRows } from './tree-rows.ts';
import { useAnchor, useDrawn } from './use-anchor.ts';
import { useRowModel } from './use-row-model.ts';
import { useRowWindow } from './use-row-window.ts';

/** Fetched when somebody is followed for the first time. */
const FollowBanner = lazyPart(() => import('./follow-banner.tsx').then(({ FollowBanner }) => FollowBanner));

interface GridStyle extends CSSProperties {
  readonly '--columns': string;
}

export function TreeGrid({ treeRows }: { readonly treeRows: TreeRows }) {
  const { replica } = useApp();
  const { rows, rowOf, idAt, order } = treeRows;
  const selectedTask = useView((state) => state.selected);
  const selectedGroup = useTree((state) => state.selectedGroup);
  const chosen = useTree((state) => state.columns);
  const density = useTree((state) => state.density);
  const followed = useTree((state) => state.followed);
  const isPaused = useView((state) => state.pausedAt !== undefined);
  const selected = selectedTask ?? selectedGroup;
  const scroller = useRef<HTMLDivElement>(null);
  const pointerY = useRef<number>(undefined);
  const anchor = useAnchor({ treeRows, scroller, pointerY, selected: followed?.task ?? selected });
  const viewport = useRowWindow(scroller, rows.length, anchor.move);
  useDrawn(anchor, viewport);
  const { window, scrolled, rowsInView, width, scrollTo } = viewport;
  const { rowHeight } = scrolled;
  // The same ones from frame to frame: rows are compared by what they are given.
  const columns = useMemo(() => fittingColumns(chosen, width), [chosen, width]);
  const model = useRowModel(treeRows, columns);
  const { window: shown } = useStripWindow();
  const hasLife = columns.includes('life');

  useLayoutEffect(() => {
    if (hasLife && scroller.current !== null) placeLives(scroller.current, shown, order.at);
  });

  const selectedRow = selected === undefined ? -1 : rowOf(selected);
  const show = (row: number, place = scrollTopShowing): void => {
    const element = scroller.current;
    if (element === null) return;
    const now = { scrollTop: element.scrollTop, viewHeight: element.clientHeight - rowHeight, rowHeight };
    scrollTo(place(row, now, stickyAbove(rows, row)));
  };
  useReveal(treeRows, (row) => show(row, scrollTopCentring));
  const moveTo = (row: number): void => {
    if (rows.length === 0) return;
    const next = Math.max(0, Math.min(rows.length - 1, row));
    const id = idAt(next);
    if (typeof id === 'string') view.selectGroup(id);
    else view.select(id);
    show(next);
  };
  const page = Math.max(1, rowsInView - 1);
  const style: GridStyle = { '--columns': columnsTemplate(columns) };
  return (
    <div className="tree">
      <ContextBar treeRows={treeRows} />
      {followed && (
        <Suspense>
          <FollowBanner treeRows={treeRows} onFollow={(row) => show(row)} />
        </Suspense>
      )}
      <div
        className={treeRows.changes === undefined ? 'tree-grid tree-scroller' : 'tree-grid tree-scroller is-comparing'}
        ref={scroller}
        role="treegrid"
        aria-label="Process tree"
        aria-rowcount={rows.length + 1}
        aria-colcount={columns.length + 1}
        aria-activedescendant={selectedRow < 0 ? undefined : domId(selected)}
        data-testid="tree-grid"
        data-version={replica.version ?? ''}
        data-density={density}
        data-at={isPaused ? order.at : undefined}
        tabIndex={0}
        style={style}
        onPointerMove={(event: PointerEvent) => {
          pointerY.current = event.clientY;
          linked.pointAtTask(taskUnder(event.target));
        }}
        onPointerLeave={() => {
          pointerY.current = undefined;
          linked.pointAtTask(undefined);
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
          <div role="columnheader" className="cell-process">
            Process
          </div>
          {columns.map((id) => (
            <div key={id} role="columnheader" className={`cell-${id}`} title={COLUMNS[id].label}>
              {id === 'life' ? <LifeHead window={shown} /> : COLUMNS[id].title}
            </div>
          ))}
        </div>
        <StickyLines
          lines={stickyRows(rows, Math.max(0, scrolled.scrollTop), rowHeight)}
          {...{ rowHeight, columns, model, treeRows }}
          onChoose={moveTo}
        />
        {hasLife && <LifePlayhead at={order.at} window={shown} />}
        <div role="presentation" className="tree-rows" style={{ height: rows.length * rowHeight }}>
          <GridRows {...{ treeRows, window, selectedRow, columns, model, rowHeight }} />
        </div>
      </div>
      {rows.length === 0 && <Empty treeRows={treeRows} />}
    </div>
  );
}

function domId(selected: TreeRowId): string | undefined {
  if (selected === undefined) return undefined;
  return typeof selected === 'string' ? groupRowId(selected) : rowId(selected);
}

function taskUnder(target: EventTarget): TaskId | undefined {
  const row = target instanceof Element ? target.closest<HTMLElement>('[data-task-id]') : null;
  return row === null ? undefined : (Number(row.dataset['taskId']) as TaskId);
}

type TreeRowId = ReturnType<TreeRows['idAt']> | undefined;

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
