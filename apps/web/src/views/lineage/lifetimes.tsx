// Lives as bars on an axis of time, rows in the order of the tree. Only the rows
// in view are in the page.

import type { TemporalTree } from '@dendro/engine';
import { Maximize, Minus, Plus } from 'lucide-react';
import { type KeyboardEvent, type RefObject, useEffect, useMemo, useRef } from 'react';
import { dateTime } from '../../layout/format.ts';
import { type LifetimeRow, lifetimeRows } from '../../layout/lifetime-layout.ts';
import { panWindow, ticksOf, zoomWindow } from '../../layout/lifetime-window.ts';
import type { LineageFamily } from '../../layout/lineage-family.ts';
import type { RowContext } from '../../layout/row-model.ts';
import { ROW_HEIGHTS, scrollTopShowing } from '../../layout/row-window.ts';
import type { TimeWindow } from '../../layout/time-window.ts';
import { useView, view } from '../../state/view-store.ts';
import { IconButton } from '../common/icon-button.tsx';
import { useRowWindow } from '../tree/use-row-window.ts';
import { LifetimeItem, lifetimeId } from './lifetime-item.tsx';
import { usePointer } from './use-pointer.ts';
import { useSize } from './use-size.ts';

const ROW_HEIGHT = ROW_HEIGHTS.comfortable;
interface LifetimesProps {
  readonly tree: TemporalTree;
  readonly family: LineageFamily;
  readonly context: RowContext;
  readonly window: TimeWindow;
  readonly onWindow: (window: TimeWindow) => void;
  readonly onWhole: () => void;
}

const STEP = 1.5;
const PAN_PART = 0.15;
/** Pixels between two ticks at least. */
const TICK_PIXELS = 90;
/** What a label has to have on its right, or else there is none. */
const LABEL_PIXELS = 55;

export function Lifetimes({ tree, family, context, window, onWindow, onWhole }: LifetimesProps) {
  const { at, base } = context;
  const scroller = useRef<HTMLDivElement>(null);
  const axis = useRef<HTMLDivElement>(null);
  const axisSize = useSize(axis);
  const width = axisSize?.width ?? 1;
  const rows = lifetimeRows(tree, family, window, at);
  const { window: inView, rowsInView, scrollTo } = useRowWindow(scroller, rows.length);
  const ticks = useMemo(
    () => ticksOf(window, { epochNs: base.epochNs }, Math.max(1, Math.floor(width / TICK_PIXELS))),
    [window, base.epochNs, width],
  );
  const selected = useView((state) => state.selected);
  const found = rows.findIndex((row) => row.kind === 'life' && tree.taskIdOf(row.task) === selected);
  const cursor = Math.max(0, found);

  const place = (x: number): number => Math.max(0, Math.min(1, (x - (axis.current?.offsetLeft ?? 0)) / width));
  const zoom = (factor: number, anchor = 0.5): void => onWindow(zoomWindow(window, factor, anchor));
  const pan = (part: number): void => onWindow(panWindow(window, part));
  const pointer = usePointer(scroller, {
    onPan: (dx) => dx !== 0 && pan(-dx / width),
    onZoom: (factor, x) => zoom(1 / factor, place(x)),
    isZoomWheel: (event) => event.ctrlKey || event.altKey || isInHead(event),
  });
  useEffect(() => scroller.current?.focus({ preventScroll: true }), []);

  const moveTo = (row: number): void => {
    const next = nearestLife(rows, Math.max(0, Math.min(rows.length - 1, row)), row < cursor ? -1 : 1);
    const target = rows[next];
    if (target?.kind !== 'life') return;
    view.select(tree.taskIdOf(target.task));
    showRow(scroller, next, scrollTo);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== scroller.current) return;
    if (!obey(event)) return;
    event.preventDefault();
  };
  const obey = ({ key, shiftKey }: KeyboardEvent): boolean => {
    const row = rows[cursor];
    if (key === 'ArrowUp') moveTo(cursor - 1);
    else if (key === 'ArrowDown') moveTo(cursor + 1);
    else if (key === 'ArrowLeft' && shiftKey) pan(-PAN_PART);
    else if (key === 'ArrowRight' && shiftKey) pan(PAN_PART);
    else if (key === 'ArrowLeft') moveTo(row?.parent ?? 0);
    else if (key === 'ArrowRight') {
      if (rows[cursor + 1]?.parent === cursor) moveTo(cursor + 1);
    } else if (key === 'PageUp') moveTo(cursor - rowsInView + 1);
    else if (key === 'PageDown') moveTo(cursor + rowsInView - 1);
    else if (key === 'Home') moveTo(0);
    else if (key === 'End') moveTo(rows.length - 1);
    else if (key === '+' || key === '=') zoom(1 / STEP);
    else if (key === '-') zoom(STEP);
    else if (key === '0') onWhole();
    else if (key === 'Enter' && row?.kind === 'life') view.openDetails(tree.taskIdOf(row.task));
    else if (key === 'r' && row?.kind === 'life') view.openLineage(tree.taskIdOf(row.task));
    else return false;
    return true;
  };

  const nowAt = (at - window.from) / (window.to - window.from);
  const drawn: number[] = [];
  for (let row = inView.first; row < Math.min(inView.end, rows.length); row++) drawn.push(row);
  if (!drawn.includes(cursor)) drawn.push(cursor);
  const cursorRow = rows[cursor];
  return (
    <div className="lifetimes-frame">
      <div
        className="lifetimes"
        ref={scroller}
        role="tree"
        aria-label="Lifetimes"
        aria-activedescendant={cursorRow?.kind === 'life' ? lifetimeId(tree.taskIdOf(cursorRow.task)) : undefined}
        data-testid="lifetimes"
        data-from={window.from}
        data-to={window.to}
        tabIndex={0}
        onKeyDown={onKeyDown}
        {...pointer}
      >
        <div className="lifetimes-head lifetimes-columns" role="presentation">
          <div className="lifetimes-from">
            Process <time title="Beginning of the axis">{dateTime(base, window.from)}</time>
          </div>
          <div className="axis" ref={axis}>
            {ticks.map(({ x, label }) => (
              <span key={x} className="axis-tick" style={{ left: `${x * 100}%` }}>
                {(1 - x) * width > LABEL_PIXELS && label}
              </span>
            ))}
          </div>
        </div>
        <div role="presentation" className="lifetimes-rows" style={{ height: rows.length * ROW_HEIGHT }}>
          <div className="lifetimes-lines lifetimes-columns" aria-hidden="true">
            <div className="lanes">
              {ticks.map(({ x }) => (
                <span key={x} className="tick-line" style={{ left: `${x * 100}%` }} />
              ))}
              {nowAt >= 0 && nowAt <= 1 && <span className="now-line" style={{ left: `${nowAt * 100}%` }} />}
            </div>
          </div>
          {drawn.map((row) => (
            <LifetimeItem key={row} row={row} rows={rows} context={context} isCursor={row === cursor} />
          ))}
        </div>
      </div>
      <div className="zoom-tools" role="toolbar" aria-label="Zoom">
        <IconButton label="A shorter time (+)" onClick={() => zoom(1 / STEP)}>
          <Plus size={16} aria-hidden="true" />
        </IconButton>
        <IconButton label="A longer time (-)" onClick={() => zoom(STEP)}>
          <Minus size={16} aria-hidden="true" />
        </IconButton>
        <IconButton label="All of it (0)" onClick={onWhole}>
          <Maximize size={15} aria-hidden="true" />
        </IconButton>
      </div>
    </div>
  );
}

function isInHead(event: WheelEvent): boolean {
  return event.target instanceof Element && event.target.closest('.lifetimes-head') !== null;
}

/** Rows that stand for others cannot be selected: they are passed over. */
function nearestLife(rows: readonly LifetimeRow[], from: number, step: number): number {
  let row = from;
  while (rows[row]?.kind === 'more') row += step;
  return row;
}

function showRow(scroller: RefObject<HTMLDivElement | null>, row: number, scrollTo: (top: number) => void): void {
  const element = scroller.current;
  if (element === null) return;
  const { scrollTop, clientHeight } = element;
  // The head is as high as a row.
  scrollTo(scrollTopShowing(row, { scrollTop, viewHeight: clientHeight - ROW_HEIGHT, rowHeight: ROW_HEIGHT }));
}
