// Everything folded and unfolded again with the buttons for it, from click to paint.

import type { Page } from '@playwright/test';
import { close, GRID, type Harness, painted, percentile, type Row, ratio, rowOfP95, settle } from './harness.ts';

export const name = 'fold';
export const goal = 'expand all and collapse all: click to paint ≤ 50 ms';

const GOAL_MS = 50;
const RUNS = 20;

export async function run(harness: Harness): Promise<readonly Row[]> {
  const blank = await harness.blank();
  const empty: number[] = [];
  for (let i = 0; i < RUNS; i++)
    empty.push(await painted(blank, 'click', 'input', () => blank.locator('input').click()));
  await close(blank);
  const { page } = await harness.large();
  const [expand, collapse]: [number[], number[]] = [[], []];
  for (let i = 0; i < RUNS; i++) {
    collapse.push(await click(page, 'Collapse all'));
    expand.push(await click(page, 'Expand all'));
  }
  await close(page);
  const beside = (figures: readonly number[]) =>
    ratio(percentile(figures, 0.5), percentile(empty, 0.5), 'a click on an empty page');
  return [
    rowOfP95('expand all', expand, GOAL_MS, beside(expand)),
    rowOfP95('collapse all', collapse, GOAL_MS, beside(collapse)),
  ];
}

async function click(page: Page, button: string): Promise<number> {
  const time = await painted(
    page,
    'click',
    GRID,
    () => page.getByRole('button', { name: button }).click(),
    'aria-rowcount',
  );
  await settle(page);
  return time;
}
