// Everything folded and unfolded again with the buttons for it, from click to paint.

import type { Page } from '@playwright/test';
import { CpuClock } from './cpu.ts';
import { close, GRID, type Harness, type Painted, painted, type Row, rowsOfPainted, settle } from './harness.ts';

export const name = 'fold';
export const goal = 'expand all and collapse all: click to paint ≤ 50 ms';

const GOAL_MS = 50;
const RUNS = 20;

export async function run(harness: Harness): Promise<readonly Row[]> {
  const blank = await harness.blank();
  const blankClock = await CpuClock.of(blank);
  const empty: Painted[] = [];
  const clickNothing = { event: 'click', do: () => blank.locator('input').click() } as const;
  for (let i = 0; i < RUNS; i++) empty.push(await painted(blank, blankClock, clickNothing));
  await close(blank);
  const { page } = await harness.large();
  const clock = await CpuClock.of(page);
  const [expand, collapse]: [Painted[], Painted[]] = [[], []];
  for (let i = 0; i < RUNS; i++) {
    collapse.push(await click(page, clock, 'Collapse all'));
    expand.push(await click(page, clock, 'Expand all'));
  }
  await close(page);
  return [
    ...rowsOfPainted('expand all', expand, GOAL_MS, empty),
    ...rowsOfPainted('collapse all', collapse, GOAL_MS, empty),
  ];
}

async function click(page: Page, clock: CpuClock, button: string): Promise<Painted> {
  return painted(page, clock, {
    event: 'click',
    attribute: { of: GRID, name: 'aria-rowcount' },
    before: () => settle(page),
    do: () => page.getByRole('button', { name: button }).click(),
  });
}
