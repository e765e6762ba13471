// The walk of docs/tour.md, and the same without a mouse.

import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import type { Dendro } from './helpers/dendro.ts';
import { serveEvening } from './helpers/evening.ts';
import { TreePage } from './helpers/tree-page.ts';

let evening: Dendro;
test.beforeAll(async () => {
  evening = await serveEvening();
});
test.afterAll(async () => {
  await evening.stop();
});

test.use({ timezoneId: 'UTC' });

test('which process started this curl, as which user, and what else did its parent run: four interactions', async ({
  page,
}) => {
  const tree = await TreePage.open(page, evening);
  const row = (name: RegExp) => tree.rows.filter({ hasText: name });

  // 1: it is asked for; whoever leads to it stands above it.
  await tree.omnibox.fill('name:curl state:all');
  await expect(row(/curl -fsS http:\/\/203\.0\.113\.9\/k/).last()).toBeVisible();
  // 2: its parent.
  await row(/^\s*sh/).click();
  // 3: as whom.
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('details')).toContainText('www-data');
  await expect(page.getByTestId('details')).toContainText('php-fpm8.2');
  // 4: what else it ran.
  await page.keyboard.press('l');
  for (const name of ['id', 'uname', 'curl', 'chmod', '.k']) {
    await expect(page.getByTestId('lineage-node').filter({ hasText: name }).first()).toBeVisible();
  }
});

test('by keyboard alone, from the open page to an exported lineage', async ({ page }) => {
  await TreePage.open(page, evening);
  const { keyboard } = page;
  await keyboard.press('/');
  await keyboard.type('name:curl state:all');
  await keyboard.press('Enter'); // to the tree
  await keyboard.press('n'); // to the first match
  await expect(page.locator('[data-testid="tree-row"][aria-selected="true"]')).toContainText('curl');
  await keyboard.press('Escape'); // the query goes; who is selected has long ended, and stays in view
  await expect(page.getByTestId('hidden-rows')).toHaveCount(0);
  await expect(page.locator('[data-testid="tree-row"][aria-selected="true"]')).toContainText('curl');
  await expect(page.locator('[data-testid="tree-row"][aria-selected="true"]')).toBeInViewport();
  await keyboard.press('ArrowLeft'); // its parent
  await expect(page.locator('[data-testid="tree-row"][aria-selected="true"]')).toContainText('sh -c');
  await keyboard.press('l');
  await expect(page.getByTestId('lineage-graph')).toBeFocused();
  // Back from the picture to what can be done with it.
  for (let i = 0; i < 40; i++) {
    await keyboard.press('Shift+Tab');
    if (await page.getByTestId('export').evaluate((button) => button === document.activeElement)) break;
  }
  await keyboard.press('Enter');
  await expect(page.getByRole('button', { name: /^DOT/ })).toBeVisible();
  await keyboard.press('Tab'); // SVG
  await keyboard.press('Tab');
  const [download] = await Promise.all([page.waitForEvent('download'), keyboard.press('Enter')]);
  const dot = readFileSync(await download.path(), 'utf8');
  for (const name of ['systemd [1]', 'php-fpm8.2 [862]', 'curl']) expect(dot).toContain(name);
});
