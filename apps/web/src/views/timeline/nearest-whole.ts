// An instant of which something is missing, and the nearest of which nothing is.

import type { EventNs } from '@dendro/protocol';

interface Known {
  /** Before this instant only what still lived later is known. */
  readonly knownFrom: EventNs;
  readonly gaps: readonly { readonly from: EventNs; readonly to: EventNs }[];
}

/** Times are told apart to the millisecond in the page. */
const STEP_NS = 1e6;
/** Gaps touch, overlap, and follow at once: after a stop, until the source runs again. */
const CLOSE_NS = 100e6;

/** @returns the nearest instant that is in no gap; undefined when `at` is in none */
export function nearestWhole(at: EventNs, { knownFrom, gaps }: Known): EventNs | undefined {
  if (!gaps.some(({ from, to }) => from <= at && at <= to)) return undefined;
  let [from, to]: [number, number] = [at, at];
  const next = () =>
    gaps.find((gap) => gap.from <= to + CLOSE_NS && gap.to >= from - CLOSE_NS && (gap.from < from || gap.to > to));
  for (let gap = next(); gap !== undefined; gap = next()) {
    from = Math.min(from, gap.from);
    to = Math.max(to, gap.to);
  }
  const [before, after] = [from - STEP_NS, to + STEP_NS];
  return (before >= knownFrom && at - before <= after - at ? before : after) as EventNs;
}
