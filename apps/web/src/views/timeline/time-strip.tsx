// The strip of time across the page: how much began and ended when, and which
// instant is shown. Everything in it is answered by the page's own replica.

import { type EventNs, epochMsOf, type HostInfo, type TimeBase } from '@dendro/protocol';
import { type KeyboardEvent, type PointerEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { useApp } from '../../app-context.ts';
import { dateTime, millisecondsOf } from '../../layout/format.ts';
import { histogramOf, joined } from '../../layout/histogram.ts';
import { moved, movedTo, stepFor, type TimeWindow, ticksOf, zoomed } from '../../layout/time-window.ts';
import { linked } from '../../state/linked.ts';
import { useView, view } from '../../state/view-store.ts';
import { nearestWhole } from './nearest-whole.ts';
import { coloursOf, drawStrip, type StripColours } from './strip-canvas.ts';
import { StripControls } from './strip-controls.tsx';
import { StripNotes } from './strip-notes.tsx';
import { HoverNote, LinkedLife, PinnedInstant } from './strip-overlays.tsx';
import { shownWindow } from './strip-window.ts';
import { usePastCounts } from './use-past-counts.ts';
import { useStripWindow } from './use-strip-window.ts';
import { WindowBar } from './window-bar.tsx';

const PX_PER_BUCKET = 4;
const PX_PER_TICK = 110;
/** What a label has to have on its right, or else there is none. */
const TICK_PX = 55;
/** As in timeline.css. */
const CANVAS_PX = 36;
const WHEEL_FACTOR = 1.0015;
const PAGE_SHARE = 0.5;
/** Closer than this to the present, the pointer means the present. */
const LIVE_PX = 6;

export function TimeStrip() {
  const { host } = useApp().replica;
  return host && <Strip host={host} />;
}

function Strip({ host }: { readonly host: HostInfo }) {
  const { replica, past } = useApp();
  const { tree, facts } = replica;
  const { isLive } = host;
  const pausedAt = useView((state) => state.pausedAt);
  const comparison = useView((state) => state.comparison);
  const strip = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(strip);
  const look = useLook();
  const [hovered, setHovered] = useState<EventNs | undefined>(undefined);
  const drag = useRef<
    { readonly pointer: number; readonly x: number; readonly window: TimeWindow | undefined } | undefined
  >(undefined);

  const now = replica.now();
  const base: TimeBase = { epochNs: BigInt(host.baseEpochNs) };
  const { window, known } = useStripWindow();
  const bucketNs = stepFor(window.to - window.from, Math.max(20, width / PX_PER_BUCKET));
  const step = Math.floor(window.to / bucketNs);
  const start = Math.floor(window.from / bucketNs);
  const histogram = useMemo(() => {
    void facts;
    return histogramOf(tree, (start * bucketNs) as EventNs, ((step + 1) * bucketNs) as EventNs, bucketNs);
  }, [tree, facts, start, step, bucketNs]);

  // Of what had ended before this page was opened the server knows more.
  const isBefore = window.from < replica.wholeFrom;
  const { counts, problem } = usePastCounts(host, base, histogram.from, bucketNs, histogram.births.length, isBefore);
  // The window of the past that is loaded knows what falls between the seconds that the server counts.
  const counted = counts?.histogram.bucketNs === bucketNs ? counts.histogram : undefined;
  const loaded = pausedAt !== undefined && isBefore && counted === undefined ? past.holds(pausedAt)?.tree : undefined;
  const told = useMemo(() => {
    const { from, births } = histogram;
    const earlier =
      counted ?? (loaded && histogramOf(loaded, from, (from + births.length * bucketNs) as EventNs, bucketNs));
    return earlier === undefined ? histogram : joined(earlier, histogram, replica.wholeFrom);
  }, [counted, loaded, histogram, bucketNs, replica.wholeFrom]);

  const colours = useRef<{ readonly look: string; readonly colours: StripColours }>(undefined);
  const gaps = counts === undefined ? tree.gaps() : [...counts.gaps, ...tree.gaps()];
  useLayoutEffect(() => {
    if (canvas.current === null || width === 0) return;
    if (colours.current?.look !== look) colours.current = { look, colours: coloursOf(canvas.current) };
    const size = { width, height: CANVAS_PX };
    drawStrip(canvas.current, { window, histogram: told, gaps, knownFrom: known, now }, size, colours.current.colours);
  });
  useWheel(strip, (event, x) => {
    const shown = shownNow();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const by = ((event.deltaX || event.deltaY) / Math.max(1, width)) * (shown.to - shown.from);
      view.showTime(moved(shown, by));
    } else view.showTime(zoomed(shown, WHEEL_FACTOR ** event.deltaY, timeAt(x, shown)));
  });

  const at = pausedAt ?? now;
  const share = (time: number) => `${((time - window.from) / (window.to - window.from)) * 100}%`;

  /** As it is at this moment: several events can come between two drawings. */
  function shownNow(): TimeWindow {
    const { timeWindow, pausedAt } = useView.getState();
    return shownWindow({ chosen: timeWindow, now: replica.now(), knownFrom: known, isLive, pausedAt });
  }

  function timeAt(x: number, { from, to }: TimeWindow): EventNs {
    return (from + (x / Math.max(1, width)) * (to - from)) as EventNs;
  }

  function seek(x: number, window: TimeWindow): void {
    const time = timeAt(Math.min(width, Math.max(0, x)), window);
    const present = replica.now();
    const isPresent = time >= present - (LIVE_PX / Math.max(1, width)) * (window.to - window.from);
    // Over the right edge is on to the present, wherever the window ends.
    if (isPresent || x > width) view.goLive();
    else view.pause(Math.max(known, time) as EventNs);
  }

  function onPointerDown(event: PointerEvent<HTMLDivElement>): void {
    if (event.button > 1) return;
    const x = xOf(event);
    event.currentTarget.setPointerCapture(event.pointerId);
    // What is held is held: the window must not move on under the pointer.
    const held = shownNow();
    view.showTime(held);
    const isMoving = event.button === 1 || event.shiftKey;
    drag.current = { pointer: event.pointerId, x, window: isMoving ? held : undefined };
    if (!isMoving) seek(x, held);
  }

  function onPointerMove(event: PointerEvent<HTMLDivElement>): void {
    const x = xOf(event);
    const shown = shownNow();
    const { current } = drag;
    pointAt(current === undefined ? timeAt(x, shown) : undefined);
    if (current === undefined || current.pointer !== event.pointerId) return;
    if (current.window === undefined) seek(x, shown);
    else view.showTime(moved(current.window, timeAt(current.x, current.window) - timeAt(x, current.window)));
  }

  /** Rows that began or ended in the bucket under the pointer are tinted. */
  function pointAt(time: EventNs | undefined): void {
    setHovered(time);
    const bucket = time === undefined ? undefined : ((Math.floor(time / bucketNs) * bucketNs) as EventNs);
    linked.pointAtStretch(bucket === undefined ? undefined : { from: bucket, to: (bucket + bucketNs) as EventNs });
  }

  function onPointerUp(event: PointerEvent<HTMLDivElement>): void {
    if (drag.current?.pointer === event.pointerId) drag.current = undefined;
  }

  function onKeyDown(event: KeyboardEvent<HTMLDivElement>): void {
    const shown = shownNow();
    const span = shown.to - shown.from;
    const go = (time: number): void => {
      if (time >= replica.now()) view.goLive();
      else {
        const next = Math.max(known, time) as EventNs;
        view.pause(next);
        view.showTime(movedTo(shown, next));
      }
    };
    if (event.shiftKey && event.key === 'ArrowLeft') view.showTime(moved(shown, -span * PAGE_SHARE));
    else if (event.shiftKey && event.key === 'ArrowRight') view.showTime(moved(shown, span * PAGE_SHARE));
    else if (event.key === 'ArrowLeft') go(at - bucketNs);
    else if (event.key === 'ArrowRight') go(at + bucketNs);
    else if (event.key === 'PageUp') go(at - span * PAGE_SHARE);
    else if (event.key === 'PageDown') go(at + span * PAGE_SHARE);
    else if (event.key === 'Home') go(known);
    else if (event.key === 'End') view.goLive();
    else if (event.key === '+' || event.key === '=') view.showTime(zoomed(shown, 0.5, at));
    else if (event.key === '-') view.showTime(zoomed(shown, 2, at));
    else if (event.key === '0') view.showTime(undefined);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const ticks = ticksOf(window, base, Math.max(2, Math.floor(width / PX_PER_TICK)));
  const lastTick = timeAt(width - TICK_PX, window);
  const playhead = Math.min(window.to, Math.max(window.from, at));
  return (
    <section className="time-strip" aria-label="Time">
      <div className="strip-column">
        <div
          ref={strip}
          className="strip"
          data-testid="time-strip"
          role="slider"
          tabIndex={0}
          aria-label="Instant shown"
          aria-valuemin={Math.round(epochMsOf(base, known))}
          aria-valuemax={Math.round(epochMsOf(base, now))}
          aria-valuenow={Math.round(epochMsOf(base, at))}
          aria-valuetext={pausedAt === undefined ? 'the present' : `${dateTime(base, at)}${millisecondsOf(base, at)}`}
          onPointerDown={onPointerDown}
          onPointerMove={onPointerMove}
          onPointerUp={onPointerUp}
          onPointerLeave={() => pointAt(undefined)}
          onDoubleClick={() => view.showTime(undefined)}
          onKeyDown={onKeyDown}
        >
          <canvas ref={canvas} />
          {ticks.map(
            ({ at, label }) =>
              at <= lastTick && (
                <span key={at} className="tick" style={{ left: share(at) }} aria-hidden="true">
                  {label}
                </span>
              ),
          )}
          <LinkedLife window={window} />
          {comparison && <PinnedInstant a={comparison.a} b={at} window={window} />}
          {hovered !== undefined && (
            <HoverNote
              {...{
                histogram: told,
                base,
                hovered,
                isWhole: hovered >= known && nearestWhole(hovered, { knownFrom: known, gaps }) === undefined,
                share: share(hovered),
                isRight: hovered > (window.from + window.to) / 2,
              }}
            />
          )}
          <span
            className={`playhead${pausedAt === undefined ? ' is-live' : ''}${at < window.from || at > window.to ? ' is-outside' : ''}`}
            data-testid="playhead"
            style={{ left: share(playhead) }}
            aria-hidden="true"
          />
        </div>
        <StripNotes countsProblem={problem} knownFrom={known} gaps={gaps} />
        <WindowBar {...{ window, known, now, at, base }} />
      </div>
      <StripControls knownFrom={known} />
    </section>
  );
}

function xOf(event: PointerEvent<HTMLDivElement>): number {
  return event.clientX - event.currentTarget.getBoundingClientRect().left;
}

function useWidth(element: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null) return;
    const observer = new ResizeObserver(() => setWidth(current.clientWidth));
    observer.observe(current);
    setWidth(current.clientWidth);
    return () => observer.disconnect();
  }, [element]);
  return width;
}

/** @returns changes when the colours of the page have */
function useLook(): string {
  const theme = useView((state) => state.theme);
  const [isDark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const onChange = (): void => setDark(query.matches);
    query.addEventListener('change', onChange);
    return () => query.removeEventListener('change', onChange);
  }, []);
  return `${theme} ${isDark}`;
}

/** React listens to the wheel passively: a listener of its own may keep the page from scrolling. */
function useWheel(
  element: { readonly current: HTMLElement | null },
  onWheel: (event: WheelEvent, x: number) => void,
): void {
  const latest = useRef(onWheel);
  latest.current = onWheel;
  useEffect(() => {
    const { current } = element;
    if (current === null) return;
    const listen = (event: WheelEvent): void => {
      event.preventDefault();
      latest.current(event, event.clientX - current.getBoundingClientRect().left);
    };
    current.addEventListener('wheel', listen, { passive: false });
    return () => current.removeEventListener('wheel', listen);
  });
}
