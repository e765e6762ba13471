// Keys typed into the omnibox, from the key to the filtered tree: while nothing
// happens on the host, and right after something has.

import type { Page } from '@playwright/test';
import { CpuClock } from './cpu.ts';
import { close, GRID, type Harness, type Painted, painted, type Row, rowsOfPainted, settle } from './harness.ts';

export const name = 'filter';
export const goal = 'keystroke to filtered tree p95 ≤ 50 ms';

const GOAL_MS = 50;
const ROUNDS = 3;
/** Each key leads to another number of rows, from nine in ten of all down to some hundred. */
const NAMES = ['o', 'Backspace', 'g', 'Backspace'];
const DIGITS = ['4', '1', 'Backspace', '7', 'Backspace', 'Backspace'];

export async function run(harness: Harness): Promise<readonly Row[]> {
  const blank = await harness.blank();
  const blankClock = await CpuClock.of(blank);
  const empty: Painted[] = [];
  const pressNothing = { event: 'keydown', do: () => blank.keyboard.press('x') } as const;
  for (let i = 0; i < 40; i++) empty.push(await painted(blank, blankClock, pressNothing));
  await close(blank);

  const { page, host } = await harness.large();
  const clock = await CpuClock.of(page);
  const omnibox = page.getByRole('combobox', { name: 'Find, filter, command' });
  await omnibox.fill('n');
  await page.getByRole('button', { name: 'Show only what matches' }).click();
  await omnibox.focus();
  await settle(page);
  const type = async (into: Painted[], before: () => Promise<void>): Promise<void> => {
    for (let round = 0; round < ROUNDS; round++) {
      await omnibox.fill('n');
      for (const key of NAMES) into.push(await press(page, clock, key, before));
      await omnibox.fill('site-');
      for (const key of DIGITS) into.push(await press(page, clock, key, before));
    }
  };
  const [still, changed]: [Painted[], Painted[]] = [[], []];
  await type(still, () => settle(page));
  await type(changed, async () => {
    await settle(page);
    // A process that no query here is about: its batch is drawn, and then the key comes.
    const version = await page.locator(GRID).getAttribute('data-version');
    await host.bearQuietly();
    await page.waitForFunction(
      ([grid, version]) => document.querySelector(grid as string)?.getAttribute('data-version') !== version,
      [GRID, version],
      { polling: 'raf' },
    );
  });
  await close(page);
  return [
    ...rowsOfPainted('keystroke to filtered tree, still', still, GOAL_MS, empty),
    ...rowsOfPainted('keystroke to filtered tree, just changed', changed, GOAL_MS, empty),
  ];
}

async function press(page: Page, clock: CpuClock, key: string, before: () => Promise<void>): Promise<Painted> {
  const attribute = { of: GRID, name: 'aria-rowcount' };
  return painted(page, clock, { event: 'keydown', attribute, before, do: () => page.keyboard.press(key) });
}
