// Wheel, mouse and fingers on a picture: the wheel and two fingers zoom, one
// finger or the mouse moves. A click that does not move stays a click.

import { type PointerEvent, type RefObject, useEffect, useRef } from 'react';

export interface PointerActions {
  /** By pixels. */
  readonly onPan: (dx: number, dy: number) => void;
  /** At a place inside of the element. */
  readonly onZoom: (factor: number, x: number, y: number) => void;
  /** Does the wheel zoom here? Otherwise it scrolls. */
  readonly isZoomWheel: (event: WheelEvent) => boolean;
}

/** Pixels that a hand shakes. */
const SLACK = 4;
/** One notch of a wheel is a quarter. */
const ZOOM_PER_PIXEL = 0.0022;
const LINE_PIXELS = 33;

export function usePointer(element: RefObject<HTMLElement | null>, actions: PointerActions) {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    const target = element.current;
    if (target === null) return;
    const onWheel = (event: WheelEvent): void => {
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PIXELS : 1;
      if (!latest.current.isZoomWheel(event)) {
        if (event.deltaX === 0) return;
        latest.current.onPan(-event.deltaX * unit, 0);
      } else {
        const { left, top } = target.getBoundingClientRect();
        const factor = Math.exp(-event.deltaY * unit * ZOOM_PER_PIXEL);
        latest.current.onZoom(factor, event.clientX - left, event.clientY - top);
      }
      event.preventDefault();
    };
    // React's own listeners are passive: they cannot keep the page from scrolling.
    target.addEventListener('wheel', onWheel, { passive: false });
    return () => target.removeEventListener('wheel', onWheel);
  }, [element]);

  const pointers = useRef(new Map<number, { x: number; y: number }>());
  const isDragging = useRef(false);
  return {
    onPointerDown: (event: PointerEvent<HTMLElement>): void => {
      if (event.button !== 0 || isTool(event)) return;
      if (pointers.current.size === 0) isDragging.current = false;
      pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    },
    onPointerMove: (event: PointerEvent<HTMLElement>): void => {
      const before = pointers.current.get(event.pointerId);
      if (before === undefined) return;
      const [dx, dy] = [event.clientX - before.x, event.clientY - before.y];
      if (!isDragging.current && Math.hypot(dx, dy) < SLACK) return;
      if (!isDragging.current) event.currentTarget.setPointerCapture(event.pointerId);
      isDragging.current = true;
      const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
      if (other === undefined) latest.current.onPan(dx, dy);
      else pinch(event, before, other);
      pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    },
    onPointerUp: (event: PointerEvent<HTMLElement>): void => {
      pointers.current.delete(event.pointerId);
    },
    onPointerCancel: (event: PointerEvent<HTMLElement>): void => {
      pointers.current.delete(event.pointerId);
    },
    /** The end of a drag is no click on what is below it. */
    onClickCapture: (event: { stopPropagation: () => void }): void => {
      if (isDragging.current) event.stopPropagation();
      isDragging.current = false;
    },
  };

  function pinch(
    event: PointerEvent<HTMLElement>,
    before: { readonly x: number; readonly y: number },
    other: { readonly x: number; readonly y: number },
  ): void {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const factor =
      Math.hypot(event.clientX - other.x, event.clientY - other.y) /
      Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
    latest.current.onZoom(factor, (event.clientX + other.x) / 2 - left, (event.clientY + other.y) / 2 - top);
  }
}

function isTool(event: PointerEvent<HTMLElement>): boolean {
  return event.target instanceof Element && event.target.closest('[data-tool]') !== null;
}
