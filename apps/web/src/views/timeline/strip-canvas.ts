// Draws the bars of the strip: births upwards, ends downwards, what is not known
// hatched.

import type { Gap } from '@dendro/engine';
import type { Histogram } from '../../layout/histogram.ts';
import type { TimeWindow } from '../../layout/time-window.ts';

export interface StripPicture {
  readonly window: TimeWindow;
  readonly histogram: Histogram;
  readonly gaps: readonly Gap[];
  /** Nothing was recorded before. */
  readonly knownFrom: number;
  /** Nothing has happened yet after. */
  readonly now: number;
}

const COLOURS = ['born', 'ended', 'line', 'hatch', 'future', 'finding', 'gap'] as const;

export type StripColours = Readonly<Record<(typeof COLOURS)[number], string>>;

/** To read them costs more than to draw: the browser works out the style of the whole page for it. */
export function coloursOf(canvas: HTMLCanvasElement): StripColours {
  const style = getComputedStyle(canvas);
  const colours = COLOURS.map((name) => [name, style.getPropertyValue(`--strip-${name}`).trim()] as const);
  return Object.fromEntries(colours) as unknown as StripColours;
}

const GAP_LEAST_PX = 3;
const HATCH_PX = 5;
/** The lane of findings, above all else: there only when there is one to show. */
const LANE_PX = 7;

export function drawStrip(
  canvas: HTMLCanvasElement,
  picture: StripPicture,
  { width, height }: { readonly width: number; readonly height: number },
  colours: StripColours,
): void {
  const scale = devicePixelRatio;
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const { from, to } = picture.window;
  const x = (at: number) => ((at - from) / (to - from)) * width;

  if (picture.knownFrom > from) hatch(context, 0, Math.min(width, x(picture.knownFrom)), height, colours.hatch);
  if (picture.now < to) {
    context.fillStyle = colours.future;
    context.fillRect(Math.max(0, x(picture.now)), 0, width, height);
  }
  const lane = drawFindings(context, picture.histogram, x, colours.finding) ? LANE_PX : 0;
  const middle = Math.round((height + lane) / 2);
  drawBars(context, picture.histogram, x, { middle, half: (height - lane) / 2 - 2 }, [colours.born, colours.ended]);
  context.fillStyle = colours.line;
  context.fillRect(0, middle, width, 1);
  for (const gap of picture.gaps) {
    if (gap.to < from || gap.from > to) continue;
    const left = x(gap.from);
    const right = Math.max(x(gap.to), left + GAP_LEAST_PX);
    hatch(context, left, right, height, colours.gap);
    context.fillStyle = colours.gap;
    context.fillRect(left, 0, right - left, GAP_LEAST_PX);
  }
}

/** A bar is as high as the logarithm of its count: one process is to be seen beside ten thousand. */
function drawBars(
  context: CanvasRenderingContext2D,
  { from, bucketNs, births, exits, most }: Histogram,
  x: (at: number) => number,
  { middle, half }: { readonly middle: number; readonly half: number },
  [born, ended]: readonly [string, string],
): void {
  const length = (count: number) => (count === 0 ? 0 : Math.max(2, (Math.log1p(count) / Math.log1p(most)) * half));
  for (let bucket = 0; bucket < births.length; bucket++) {
    const left = x(from + bucket * bucketNs);
    const width = Math.max(1, x(from + (bucket + 1) * bucketNs) - left - 1);
    const up = length(births[bucket] as number);
    const down = length(exits[bucket] as number);
    context.fillStyle = born;
    if (up > 0) context.fillRect(left, middle - up, width, up);
    context.fillStyle = ended;
    if (down > 0) context.fillRect(left, middle + 1, width, down);
  }
}

/** A rhomb where a detector has matched. @returns whether there is any in view */
function drawFindings(
  context: CanvasRenderingContext2D,
  { from, bucketNs, findings }: Histogram,
  x: (at: number) => number,
  colour: string,
): boolean {
  if (findings === undefined || !findings.some((count) => count > 0)) return false;
  context.fillStyle = colour;
  const half = LANE_PX / 2;
  for (let bucket = 0; bucket < findings.length; bucket++) {
    if (findings[bucket] === 0) continue;
    const middle = x(from + (bucket + 0.5) * bucketNs);
    context.beginPath();
    context.moveTo(middle, 0);
    context.lineTo(middle + half, half);
    context.lineTo(middle, LANE_PX);
    context.lineTo(middle - half, half);
    context.fill();
  }
  return true;
}

function hatch(context: CanvasRenderingContext2D, left: number, right: number, height: number, colour: string): void {
  if (right <= left) return;
  context.save();
  context.beginPath();
  context.rect(left, 0, right - left, height);
  context.clip();
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  // From a multiple of the step on, so that the hatching stands still when the edge moves.
  for (let at = Math.floor((left - height) / HATCH_PX) * HATCH_PX; at < right; at += HATCH_PX) {
    context.moveTo(at, height);
    context.lineTo(at + height, 0);
  }
  context.stroke();
  context.restore();
}
