// The rows in view, by state: asked again when somebody scrolls, when the
// window is resized, and at once when the list has been moved by the page.

import { type RefObject, useCallback, useEffect, useLayoutEffect, useState } from 'react';
import { useApp } from '../../app-context.ts';
import { HEAD_HEIGHT, ROW_HEIGHT, type RowWindow, rowWindow } from '../../layout/row-window.ts';

export interface Viewport {
  readonly window: RowWindow;
  /** Whole rows that can be seen at once, at least one. */
  readonly rowsInView: number;
  /** Moves the list; what comes into view is drawn before the browser paints. */
  readonly scrollTo: (top: number) => void;
}

export function useRowWindow(scroller: RefObject<HTMLDivElement | null>, count: number): Viewport {
  const { pace } = useApp();
  const [view, setView] = useState({ top: 0, height: 0 });
  const measure = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    const top = element.scrollTop;
    const height = element.clientHeight - HEAD_HEIGHT;
    setView((view) => (view.top === top && view.height === height ? view : { top, height }));
  }, [scroller]);

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
  return {
    window: rowWindow(view.top, view.height, count),
    rowsInView: Math.max(1, Math.floor(view.height / ROW_HEIGHT)),
    scrollTo,
  };
}
