// Where on the screen a point of a picture is: `screen = point * k + (x, y)`.

export interface PanZoom {
  readonly x: number;
  readonly y: number;
  readonly k: number;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const MIN_ZOOM = 0.08;
export const MAX_ZOOM = 2;
/** What is kept free at the edges when something is brought into view. */
const MARGIN = 32;

/** The point of the picture at (screenX, screenY) stays there. */
export function zoomAt({ x, y, k }: PanZoom, factor: number, screenX: number, screenY: number): PanZoom {
  const zoom = clamp(k * factor, MIN_ZOOM, MAX_ZOOM);
  const ratio = zoom / k;
  return { x: screenX - (screenX - x) * ratio, y: screenY - (screenY - y) * ratio, k: zoom };
}

/** All of a box, in the middle; not larger than it is. Of one that is too large for the smallest zoom, what is around its origin. */
export function fit(box: Box, { width, height }: Size): PanZoom {
  const free = { width: Math.max(1, width - 2 * MARGIN), height: Math.max(1, height - 2 * MARGIN) };
  const k = clamp(Math.min(free.width / (box.right - box.left), free.height / (box.bottom - box.top)), MIN_ZOOM, 1);
  const place = (low: number, high: number, size: number): number =>
    (high - low) * k <= size ? size / 2 - ((low + high) / 2) * k : size / 2;
  return { x: place(box.left, box.right, width), y: place(box.top, box.bottom, height), k };
}

/** Moves as little as needed to have a box in view. */
export function reveal(at: PanZoom, box: Box, { width, height }: Size): PanZoom {
  const x = at.x + shift(box.left * at.k + at.x, box.right * at.k + at.x, width);
  const y = at.y + shift(box.top * at.k + at.y, box.bottom * at.k + at.y, height);
  return x === at.x && y === at.y ? at : { ...at, x, y };
}

function shift(low: number, high: number, size: number): number {
  const margin = Math.min(MARGIN, Math.max(0, (size - (high - low)) / 2));
  if (low < margin) return margin - low;
  return high > size - margin ? size - margin - high : 0;
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}
