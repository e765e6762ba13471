// Scrolling through the whole of the large tree with the wheel, as fast as a
// frame for each turn of it.

import type { Page } from '@playwright/test';
import { CpuClock } from './cpu.ts';
import { close, framesWhile, type Harness, percentile, type Row, ratio, rowOfP95 } from './harness.ts';

export const name = 'scroll';
export const goal = 'frame p95 ≤ 16.7 ms, at most 100 rows mounted';

const FRAME_MS = 16.7;
const MOST_ROWS = 100;
const SECONDS = 8;

export async function run(harness: Harness): Promise<readonly Row[]> {
  const blank = await harness.blank();
  const empty = await framesWhile(blank, () => blank.waitForTimeout(3000));
  await close(blank);
  const { page } = await harness.large();
  const mounted: number[] = [];
  const clock = await CpuClock.of(page);
  const from = await clock.now();
  const frames = await framesWhile(page, () => scroll(page, mounted));
  const cpu = ((await clock.now()) - from) / frames.length;
  await close(page);
  const most = Math.max(...mounted);
  const beside = ratio(percentile(frames, 0.95), percentile(empty, 0.95), 'an empty page');
  return [
    rowOfP95('scrolling, between frames', frames.map(round), FRAME_MS, beside),
    { what: 'the same, computing, mean', figure: `${cpu.toFixed(1)} ms a frame`, goal: '', isKept: undefined },
    {
      what: 'rows mounted while scrolling, most',
      figure: String(most),
      goal: `≤ ${MOST_ROWS}`,
      isKept: most <= MOST_ROWS,
    },
  ];
}

async function scroll(page: Page, mounted: number[]): Promise<void> {
  await page.mouse.move(600, 500);
  const until = Date.now() + SECONDS * 1000;
  for (let turn = 0; Date.now() < until; turn++) {
    // A flick of the wheel, and now and then a long way.
    await page.mouse.wheel(0, turn % 40 === 39 ? 200_000 : 300);
    if (turn % 10 === 0) mounted.push(await page.getByRole('row').count());
  }
}

/** Frames are 16.67 ms apart at 60 a second. */
function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
