// The rows in view, by state: asked again when somebody scrolls, when the
// window is resized, and at once when the list has been moved by the page.

import { type RefObject, useCallback, useEffect, useLayoutEffect, useState } from 'react';
import { useApp } from '../../app-context.ts';
import { type RowWindow, rowWindow, type Scrolled } from '../../layout/row-window.ts';
import { useRowHeight } from '../../state/tree-store.ts';

export interface Viewport {
  readonly window: RowWindow;
  readonly scrolled: Scrolled;
  /** Of the columns, px; 0 while it is not known. */
  readonly width: number;
  /** Whole rows that can be seen at once, at least one. */
  readonly rowsInView: number;
  /** Moves the list; what comes into view is drawn before the browser paints. */
  readonly scrollTo: (top: number) => void;
}

export function useRowWindow(scroller: RefObject<HTMLDivElement | null>, count: number): Viewport {
  const { pace } = useApp();
  const rowHeight = useRowHeight();
  const [view, setView] = useState({ scrollTop: 0, viewHeight: 0, rowHeight, width: 0 });
  const measure = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    const now = {
      scrollTop: element.scrollTop,
      viewHeight: element.clientHeight - rowHeight,
      rowHeight,
      width: element.clientWidth,
    };
    setView((view) => (isSame(view, now) ? view : now));
  }, [scroller, rowHeight]);

  useLayoutEffect(measure, [measure]);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const onScroll = (): void => {
      pace.scrolled(performance.now());
      measure();
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, [scroller, measure, pace]);

  const scrollTo = useCallback(
    (top: number) => {
      if (scroller.current === null) return;
      scroller.current.scrollTop = top;
      measure();
    },
    [scroller, measure],
  );
  const scrolled = { scrollTop: view.scrollTop, viewHeight: view.viewHeight, rowHeight };
  return {
    window: rowWindow(scrolled, count),
    scrolled,
    width: view.width,
    rowsInView: Math.max(1, Math.floor(view.viewHeight / rowHeight)),
    scrollTo,
  };
}

function isSame<T extends object>(a: T, b: T): boolean {
  return (Object.keys(a) as (keyof T)[]).every((key) => a[key] === b[key]);
}
