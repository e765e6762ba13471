// Times as those of the browser's zone, and as those of UTC.

import { expect, test } from '@playwright/test';
import type { Dendro } from './helpers/dendro.ts';
import { eveningNs, serveEvening } from './helpers/evening.ts';
import { TreePage } from './helpers/tree-page.ts';

let evening: Dendro;
test.beforeAll(async () => {
  evening = await serveEvening();
});
test.afterAll(async () => {
  await evening.stop();
});

test.use({ timezoneId: 'America/New_York' });

test('times are those of the browser until UTC is chosen, which is remembered', async ({ page }) => {
  await page.goto(`${evening.url}&at=${eveningNs('20:17:21')}`);
  const clock = page.locator('.instant');
  const tree = new TreePage(page);
  const shell = tree.rows.filter({ hasText: /sh -c "id; uname/ });
  await expect(clock).toHaveText('2026-11-20 15:17:21.000');
  await expect(shell).toContainText('15:17:20');
  await shell.click();
  await page.keyboard.press('Enter');
  const details = page.getByTestId('details');
  await expect(details).toContainText('2026-11-20T20:17:20.000000000Z');
  await expect(details).toContainText('2026-11-20 15:17:20 here');

  await page.getByText('View', { exact: true }).click();
  await page.getByLabel(/^Times/).selectOption('UTC');
  await expect(clock).toHaveText('2026-11-20 20:17:21.000 UTC');
  await expect(shell).toContainText('20:17:20');
  await expect(shell).toHaveAttribute('aria-selected', 'true');
  await expect(details).not.toContainText('here');
  await expect(page.getByTestId('time-strip')).toContainText('20:15');
  await page.reload();
  await expect(clock).toHaveText('2026-11-20 20:17:21.000 UTC');

  const field = page.getByRole('textbox', { name: /^Go to a time/ });
  await field.fill('20:10');
  await field.press('Enter');
  await expect(clock).toHaveText('2026-11-20 20:10:00.000 UTC');
});
