// The rows in view: asked again when somebody scrolls, when the window is resized,
// and at once when the list has been moved by the page. Where other rows are drawn,
// the list is moved with them: they are drawn once, where they will stand.

import { type RefObject, useCallback, useEffect, useLayoutEffect, useReducer, useRef } from 'react';
import { useApp } from '../../app-context.ts';
import { type RowWindow, rowWindow, type Scrolled, scrollTopWithin } from '../../layout/row-window.ts';
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

const NOT_MEASURED = { scrollTop: 0, clientHeight: 0, width: 0 };

/** @param move for rows that have not been drawn yet: from where the list stands to where it is to stand */
export function useRowWindow(
  scroller: RefObject<HTMLDivElement | null>,
  count: number,
  move?: (now: Scrolled) => number,
): Viewport {
  const { pace } = useApp();
  const rowHeight = useRowHeight();
  // Not a state: it is drawn already when the page itself has moved the list.
  const measured = useRef(NOT_MEASURED);
  const [, draw] = useReducer((times: number) => times + 1, 0);
  const measure = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    const { scrollTop, clientHeight, clientWidth: width } = element;
    const before = measured.current;
    measured.current = { scrollTop, clientHeight, width };
    if (before.scrollTop !== scrollTop || before.clientHeight !== clientHeight || before.width !== width) draw();
  }, [scroller]);

  useLayoutEffect(measure, [measure]);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const onScroll = (): void => {
      if (element.scrollTop === measured.current.scrollTop) return;
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

  const { clientHeight, width } = measured.current;
  const viewHeight = clientHeight === 0 ? 0 : clientHeight - rowHeight;
  // What was scrolled since the last drawing is in it.
  const from = (move && scroller.current?.scrollTop) ?? measured.current.scrollTop;
  const now = { scrollTop: from, viewHeight, rowHeight };
  // Above the top it is a browser that bounces.
  const scrollTop = move === undefined || from < 0 ? from : scrollTopWithin(move(now), now, count);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null || move === undefined) return;
    if (scrollTop !== from) element.scrollTop = scrollTop;
    measured.current = { ...measured.current, scrollTop: scrollTop === from ? from : element.scrollTop };
  });
  const scrolled = { ...now, scrollTop };
  return {
    window: rowWindow(scrolled, count),
    scrolled,
    width,
    rowsInView: Math.max(1, Math.floor(viewHeight / rowHeight)),
    scrollTo,
  };
}
