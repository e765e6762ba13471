// All that is recorded is searched, and what is found is shown in the tree as it was.

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { TreePage } from './helpers/tree-page.ts';

let dendro: Dendro;
let folder: string;

/** In an earlier run: a shell that runs a program with arguments of its own; both have ended. */
test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-search-'));
  const args = ['--port', '0', '--data-dir', join(folder, 'data')];
  const before = await Dendro.start({ args });
  const [shell, program] = [join(folder, 'srch-shell'), join(folder, 'srch-program')];
  copyFileSync('/bin/bash', shell);
  copyFileSync('/bin/sleep', program);
  for (const path of [shell, program]) chmodSync(path, 0o755);
  for (const seconds of ['0.7101', '0.7102', '0.7103']) spawnSync(shell, ['-c', `${program} ${seconds}; exit 3`]);
  await before.recorded();
  await before.stop('SIGKILL');
  dendro = await Dendro.start({ args });
});
test.afterAll(async () => {
  await dendro.stop();
  rmSync(folder, { recursive: true });
});

const found = (page: Page) => page.getByTestId('found-row');
const running = (page: Page, name: string) =>
  page
    .locator('[data-testid="tree-row"][data-state="running"]')
    .filter({ has: page.locator('.name', { hasText: name }) });
const says = (page: Page) => page.getByRole('region', { name: 'Search' }).getByRole('status').first();

test('what ended in an earlier run is found from the keyboard, and shown as it was, with who started it', async ({
  page,
}) => {
  const tree = await TreePage.open(page, dendro);
  await page.keyboard.press('/');
  await page.keyboard.type('name:srch-program 0.7102');
  // What has just ended stays in the tree for a while.
  await expect(page.getByText('Nothing matches.')).toBeVisible({ timeout: 30_000 });
  await page.keyboard.press('Alt+Enter');
  await expect(page).toHaveURL(/view=search/);
  await expect(found(page)).toHaveCount(1);
  await expect(says(page)).toHaveText(/^1 found since \d{4}-/);
  const row = found(page).first();
  await expect(row.locator('mark').first()).toHaveText('srch-program');
  await expect(row).toContainText('0.7102');
  await expect(row).toContainText(/srch-shell \[\d+\] ← /);

  await page.keyboard.press('Enter');
  await expect(row.getByRole('button')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('live-state')).toHaveText('PAUSED');
  // Of the one before, that has ended, there is a row too when all is shown.
  const program = running(page, 'srch-program');
  await expect(program).toHaveCount(1);
  await expect(program).toHaveAttribute('aria-selected', 'true');
  await tree.filter('');
  await expect(program).toBeInViewport();
  // Its parent ended long ago too, and lived then.
  await expect(running(page, 'srch-shell')).toBeVisible();
  await expect(page).not.toHaveURL(/view=search/);
});

test('the list is in the address, the newest first, and goes on with what is written', async ({ page }) => {
  await page.goto(`${dendro.url}&view=search&q=name%3Asrch-shell`);
  await expect(found(page)).toHaveCount(3);
  const texts = await found(page).allTextContents();
  expect(texts.map((text) => /0\.710\d/.exec(text)?.[0])).toEqual(['0.7103', '0.7102', '0.7101']);
  await page.getByRole('combobox', { name: 'Find, filter, command' }).fill('name:srch-shell 0.7101');
  await expect(found(page)).toHaveCount(1);
  await page.getByRole('combobox', { name: 'Time that is searched' }).selectOption({ label: 'what the strip shows' });
  await expect(page).toHaveURL(/within=1/);
  await page.reload();
  await expect(page.getByRole('combobox', { name: 'Time that is searched' })).toHaveValue('window');
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('tree-grid')).toBeVisible();
  await expect(page).not.toHaveURL(/view=search/);
});

test('arrows lead through the list; the suggestions and an empty tree lead to it', async ({ page }) => {
  const tree = await TreePage.open(page, dendro);
  await tree.omnibox.fill('name:srch-shell');
  await page.getByRole('option', { name: 'Search all that is recorded' }).click();
  await expect(found(page)).toHaveCount(3);
  await found(page).first().getByRole('button').focus();
  await page.keyboard.press('End');
  await expect(found(page).last().getByRole('button')).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(found(page).nth(1).getByRole('button')).toBeFocused();
  await page.getByRole('button', { name: 'Tree', exact: true }).click();
  await page.getByRole('button', { name: 'Search all that is recorded' }).click();
  await expect(found(page)).toHaveCount(3);
});

test('who has ended says how, and who still lives says so', async ({ page }) => {
  const child = spawn(join(folder, 'srch-program'), ['600'], { stdio: 'ignore' });
  try {
    await page.goto(`${dendro.url}&view=search&q=name:srch-program+pid:${child.pid}`);
    await expect(async () => {
      await page.getByRole('button', { name: 'Search again' }).click();
      await expect(found(page).first()).toContainText('running', { timeout: 1000 });
    }).toPass();
  } finally {
    child.kill('SIGKILL');
  }
  await page.getByRole('combobox', { name: 'Find, filter, command' }).fill('name:srch-shell 0.7102');
  await expect(found(page).first()).toContainText('exited 3');
});

test('what the history cannot be asked is said, with what it can; and that nothing was found', async ({ page }) => {
  await page.goto(`${dendro.url}&view=search&q=srch-shell+exit%3A!%3D0`);
  await expect(page.getByRole('heading', { name: 'The history cannot be asked that' })).toBeVisible();
  await expect(page.getByText('Not by exit:!=0.')).toBeVisible();
  await page.getByRole('button', { name: 'Search for srch-shell' }).click();
  await expect(found(page)).not.toHaveCount(0);
  await page.getByRole('combobox', { name: 'Find, filter, command' }).fill('no-such-program-anywhere');
  await expect(page.getByRole('heading', { name: 'Nothing found' })).toBeVisible();
});

test('without a history there is nothing to search but the tree, which is said', async ({ page }) => {
  const without = await Dendro.start();
  try {
    await page.goto(`${without.url}&view=search&q=x`);
    await expect(page.getByRole('heading', { name: 'Nothing is recorded' })).toBeVisible();
    await expect(page.getByText('a recording is not recorded again')).toBeVisible();
    await page.getByRole('button', { name: 'Look in the tree, through what has ended too' }).click();
    await expect(page.getByTestId('tree-grid')).toBeVisible();
    await expect(page.getByRole('combobox', { name: 'Find, filter, command' })).toHaveValue('x state:all');
    await page.getByRole('combobox', { name: 'Find, filter, command' }).fill('bash');
    await expect(page.getByRole('option', { name: 'Search all that is recorded' })).toHaveCount(0);
  } finally {
    await without.stop();
  }
});
