// The strip of time: a process that has come and gone is found by moving
// through the past, without asking the server.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { requestsFromNow, TreePage } from './helpers/tree-page.ts';

let dendro: Dendro;
let folder: string;

test.beforeAll(async () => {
  dendro = await Dendro.start();
  folder = mkdtempSync(join(tmpdir(), 'dendro-time-'));
});
test.afterAll(async () => {
  rmSync(folder, { recursive: true });
  await dendro.stop();
});

/** A process of this name that lives for so long; ended when this returns. */
function live(name: string, seconds: string): void {
  const program = join(folder, name);
  copyFileSync('/bin/sleep', program);
  spawnSync(program, [seconds]);
}

const instant = (page: Page) => page.getByTestId('time-strip').getAttribute('aria-valuetext');

test('a process that has ended is found by stepping back, with its parent, and the address leads there again', async ({
  page,
}) => {
  live('come-and-gone', '0.3');
  const tree = await TreePage.open(page, dendro);
  await tree.filter('come-and-gone');
  await page.getByTestId('tree-grid').focus();
  await page.keyboard.press(',');
  await expect(page.getByTestId('live-state')).toHaveText('PAUSED');
  const row = page.locator('[data-testid="tree-row"]', { hasText: 'come-and-gone' });
  await expect(row).toHaveAttribute('data-state', 'exited');
  await page.keyboard.press(',');
  await expect(row).toHaveAttribute('data-state', 'running');
  await expect(tree.row(process.pid)).toBeVisible();
  const at = await instant(page);
  await expect(page).toHaveURL(/at=\d+/);

  const again = await page.context().newPage();
  await again.goto(page.url());
  await expect(again.locator('[data-testid="tree-row"]', { hasText: 'come-and-gone' })).toHaveAttribute(
    'data-state',
    'running',
  );
  expect(await instant(again)).toBe(at);
  await again.close();

  await page.keyboard.press('.');
  await expect(row).toHaveAttribute('data-state', 'exited');
  await page.keyboard.press('L');
  await expect(page.getByTestId('live-state')).toHaveText('LIVE');
});

test('dragging over the strip moves through the past and asks the server nothing', async ({ page }) => {
  live('dragged-over', '1.5');
  await TreePage.open(page, dendro);
  const strip = page.getByTestId('time-strip');
  const box = (await strip.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const requests = await requestsFromNow(page);
  const sent: unknown[] = [];
  page.on('websocket', (socket) => socket.on('framesent', (frame) => sent.push(frame)));
  const y = box.y + 15;
  await page.mouse.move(box.x + box.width - 40, y);
  await page.mouse.down();
  const seen = new Set<string | null>();
  // So far as anything is known, that may be a few seconds of the minute that is shown, and then beyond.
  for (let x = box.x + box.width - 40; x > box.x + box.width / 2; x -= 3) {
    await page.mouse.move(x, y);
    seen.add(await instant(page));
  }
  await page.mouse.up();
  expect(seen.size).toBeGreaterThan(10);
  expect(requests).toEqual([]);
  expect(sent).toEqual([]);
  await expect(page.getByTestId('live-state')).toHaveText('PAUSED');
  await expect(page.locator('.app')).toHaveClass(/is-paused/);
  await expect(page.getByTestId('changes-since')).toBeVisible();

  // To the right edge: the present.
  await page.mouse.move(box.x + 100, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width + 50, y);
  await page.mouse.up();
  await expect(page.getByTestId('live-state')).toHaveText('LIVE');
});

test('what had ended before a restart is found in the past, which the server remembers', async ({ page }) => {
  const data = mkdtempSync(join(tmpdir(), 'dendro-past-'));
  const args = ['--port', '0', '--data-dir', data];
  const before = await Dendro.start({ args });
  live('before-the-restart', '1');
  await before.recorded();
  await before.stop('SIGKILL');
  const after = await Dendro.start({ args });
  try {
    const answer = await after.get('/api/v1/hosts/local/search?q=before-the-restart');
    const { lives } = (await answer.json()) as { lives: { comm: string; startTime: string }[] };
    const at = BigInt(lives.find(({ comm }) => comm.startsWith('before-the-rest'))?.startTime ?? 0) + 500_000_000n;
    await page.goto(`${after.url}&at=${at}&q=name:before`);
    const row = page.locator('[data-testid="tree-row"]', { hasText: 'before-the-restart' });
    await expect(row).toHaveAttribute('data-state', 'running');
    await expect(new TreePage(page).row(process.pid)).toBeVisible();
    await expect(page.getByTestId('live-state')).toHaveText('PAUSED');
  } finally {
    await after.stop();
    rmSync(data, { recursive: true });
  }
});

test('with keys alone: back, on, closer, and to a time that is typed', async ({ page }) => {
  await TreePage.open(page, dendro);
  const strip = page.getByRole('slider', { name: 'Instant shown' });
  await strip.focus();
  await page.keyboard.press('ArrowLeft');
  const first = await instant(page);
  expect(first).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
  await page.keyboard.press('ArrowLeft');
  expect((await instant(page)) ?? '').not.toBe(first);
  await page.keyboard.press('+');
  await page.keyboard.press('End');
  await expect(strip).toHaveAttribute('aria-valuetext', 'the present');

  const field = page.getByTestId('time-field');
  await field.fill('-2s');
  await field.press('Enter');
  await expect(page.getByTestId('live-state')).toHaveText('PAUSED');
  await field.fill('half past nine');
  await field.press('Enter');
  await expect(page.getByRole('alert')).toContainText('Not a time');
  await field.fill('-400d');
  await field.press('Enter');
  await expect(page.getByRole('alert')).toContainText('That is too long ago');
  await field.fill('live');
  await field.press('Enter');
  await expect(page.getByTestId('live-state')).toHaveText('LIVE');
});

test('the past is played on until it is the present', async ({ page }) => {
  await TreePage.open(page, dendro);
  await page.getByRole('combobox', { name: 'Speed of playing' }).selectOption('1000');
  const field = page.getByTestId('time-field');
  await field.fill('-1s');
  await field.press('Enter');
  await page.getByRole('combobox', { name: 'Speed of playing' }).selectOption('1');
  const before = await instant(page);
  await page.getByRole('button', { name: /Play the past/ }).click();
  await expect.poll(() => instant(page)).not.toBe(before);
  await page.getByRole('combobox', { name: 'Speed of playing' }).selectOption('1000');
  await expect(page.getByTestId('live-state')).toHaveText('LIVE');
});
