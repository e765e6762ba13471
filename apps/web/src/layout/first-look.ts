import type { LineageLayout } from './lineage-layout.ts';
import { NODE_WIDTH } from './lineage-layout.ts';
import { fit, type PanZoom, type Size } from './pan-zoom.ts';

/** Below this, names are hard to read. */
const READABLE = 0.7;
const NARROW = 600;

/** How a lineage is seen at first: all of it where that can be read, otherwise the subject with what stands around it. */
export function firstLook(layout: LineageLayout, size: Size): PanZoom {
  const whole = fit(layout, size);
  if (whole.k >= READABLE) return whole;
  const k = size.width < NARROW ? 0.8 : 0.9;
  // The subject is in the left third, so that its children can be seen: further left where nothing is left of it,
  // further right where all that is right of it has room.
  const third = size.width * (size.width < NARROW ? 0.08 : 0.3);
  const subjectX = Math.min(Math.max(third, size.width - 32 - layout.right * k), 32 - layout.left * k);
  const isAllHigh = (layout.bottom - layout.top) * k <= size.height;
  const y = isAllHigh ? size.height / 2 - ((layout.top + layout.bottom) / 2) * k : size.height / 2;
  return { x: Math.max(subjectX, Math.min(32, size.width - NODE_WIDTH * k)), y, k };
}
