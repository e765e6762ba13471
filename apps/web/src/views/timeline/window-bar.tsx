// Below the strip: all of the time that is known, and which stretch of it the
// strip shows. The stretch can be moved, and each of its ends, by pointer and by
// keys.

import { type EventNs, epochMsOf, type TimeBase } from '@dendro/protocol';
import { type KeyboardEvent, type PointerEvent, useRef } from 'react';
import { dateTime } from '../../layout/format.ts';
import { MIN_SPAN_NS, moved, type TimeWindow } from '../../layout/time-window.ts';
import { view } from '../../state/view-store.ts';

interface WindowBarProps {
  readonly window: TimeWindow;
  readonly known: EventNs;
  readonly now: EventNs;
  readonly at: EventNs;
  readonly base: TimeBase;
}

type Part = 'from' | 'to' | 'all';

/** Of the window, for a key. */
const STEP = 0.1;
const LEAST_PX = 28;
const LABELS: Readonly<Record<Part, string>> = {
  from: 'Beginning of the time shown',
  all: 'Time shown',
  to: 'End of the time shown',
};

export function WindowBar({ window, known, now, at, base }: WindowBarProps) {
  const track = useRef<HTMLDivElement>(null);
  const drag = useRef<{ readonly pointer: number; readonly x: number; readonly part: Part; readonly held: TimeWindow }>(
    undefined,
  );
  const whole = { from: Math.min(known, window.from), to: Math.max(now, window.to) };
  const share = (time: number) => `${((time - whole.from) / Math.max(1, whole.to - whole.from)) * 100}%`;
  const span = window.to - window.from;

  function onPointerDown(event: PointerEvent<HTMLDivElement>): void {
    if (event.button !== 0 || !(event.target instanceof HTMLElement)) return;
    const part = (event.target.dataset['part'] ?? 'all') as Part;
    event.currentTarget.setPointerCapture(event.pointerId);
    const isOnTrack = event.target === event.currentTarget;
    const held = isOnTrack ? moved(window, timeAt(event) - (window.from + window.to) / 2) : window;
    view.showTime(held);
    drag.current = { pointer: event.pointerId, x: event.clientX, part, held };
  }

  function onPointerMove(event: PointerEvent<HTMLDivElement>): void {
    const { current } = drag;
    if (current?.pointer !== event.pointerId) return;
    const width = Math.max(1, track.current?.clientWidth ?? 1);
    change(current.part, current.held, ((event.clientX - current.x) / width) * (whole.to - whole.from));
  }

  function timeAt(event: PointerEvent<HTMLDivElement>): number {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return whole.from + ((event.clientX - left) / Math.max(1, width)) * (whole.to - whole.from);
  }

  /** Within what is known, and never less than can be drawn. */
  function change(part: Part, held: TimeWindow, by: number): void {
    const { from, to } = held;
    if (part === 'all') view.showTime(moved(held, Math.max(whole.from - from, Math.min(whole.to - to, by))));
    else if (part === 'from') {
      view.showTime({ from: Math.max(whole.from, Math.min(to - MIN_SPAN_NS, from + by)) as EventNs, to });
    } else view.showTime({ from, to: Math.min(whole.to, Math.max(from + MIN_SPAN_NS, to + by)) as EventNs });
  }

  function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
    const part = event.currentTarget.dataset['part'] as Part;
    const by = span * (event.shiftKey ? 1 : STEP);
    if (event.key === 'ArrowLeft') change(part, window, -by);
    else if (event.key === 'ArrowRight') change(part, window, by);
    else if (event.key === 'Home') change(part, window, whole.from - window.from);
    else if (event.key === 'End') change(part, window, whole.to - window.to);
    else if (event.key === '0') view.showTime(undefined);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const slider = (part: Part, value: EventNs, text: string) => ({
    role: 'slider',
    tabIndex: 0,
    'data-part': part,
    'aria-label': LABELS[part],
    'aria-valuemin': Math.round(epochMsOf(base, whole.from as EventNs)),
    'aria-valuemax': Math.round(epochMsOf(base, whole.to as EventNs)),
    'aria-valuenow': Math.round(epochMsOf(base, value)),
    'aria-valuetext': text,
    onKeyDown,
  });
  const [from, to] = [dateTime(base, window.from), dateTime(base, window.to)];
  // However short, it can be taken hold of: at its ends and between them.
  const left = `min(${share(window.from)}, 100% - ${LEAST_PX}px)`;
  const right = `max(${share(window.to)}, ${left} + ${LEAST_PX}px)`;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: what is in it is what keys reach
    <div
      ref={track}
      className="window-bar"
      data-testid="window-bar"
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => {
        drag.current = undefined;
      }}
      onDoubleClick={() => view.showTime(undefined)}
    >
      <div
        className="window-thumb"
        style={{ left: `calc(${left})`, width: `calc(${right} - ${left})` }}
        title={`The strip shows ${from} to ${to}`}
        {...slider('all', window.from, `${from} to ${to}`)}
      />
      <span className="window-end" style={{ left: `calc(${left})` }} {...slider('from', window.from, from)} />
      <span className="window-end is-to" style={{ left: `calc(${right})` }} {...slider('to', window.to, to)} />
      <span className="window-at" style={{ left: share(at) }} aria-hidden="true" />
    </div>
  );
}
