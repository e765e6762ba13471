// The pictures of the documentation, in both themes. `pnpm pictures` puts them into docs/pictures; else they are
// taken all the same, so that what they show is known to be there.

import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, type Page, type TestInfo, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { eveningNs, serveEvening } from './helpers/evening.ts';
import { TreePage } from './helpers/tree-page.ts';

const PICTURES = fileURLToPath(new URL('../docs/pictures', import.meta.url));
const SITE = fileURLToPath(new URL('helpers/site.sh', import.meta.url));
const isWanted = process.env['DENDRO_PICTURES'] !== undefined;

let evening: Dendro;
let site: { readonly dendro: Dendro; readonly folder: string } | undefined;
let folder: string;
test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dendro-site-'));
  chmodSync(folder, 0o755); // programs of other users are in it
  evening = await serveEvening();
});
test.afterEach(async () => {
  if (site === undefined) return;
  // Whoever waits gets a line, and the server, whose output they have, has ended when they have.
  writeFileSync(join(site.folder, 'over'), '');
  writeFileSync(openSync(join(site.folder, 'never'), 'r+'), '\n'.repeat(100));
  await site.dendro.stop();
  site = undefined;
});
test.afterAll(async () => {
  await evening.stop();
  rmSync(folder, { recursive: true });
});

test.use({ viewport: { width: 1360, height: 800 }, timezoneId: 'UTC' });

async function takePicture(page: Page, name: string, info: TestInfo): Promise<void> {
  await page.mouse.move(0, 0);
  await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => {}))));
  // Nothing is wider than the window.
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  if (isWanted) mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: isWanted ? join(PICTURES, `${name}.png`) : info.outputPath(`${name}.png`) });
}

async function startSite(): Promise<{ dendro: Dendro; folder: string }> {
  const own = mkdtempSync(join(folder, 'site-'));
  chmodSync(own, 0o755);
  copyFileSync(SITE, join(own, 'site.sh'));
  const args = ['run', '--port', '0', '--', 'bash', 'site.sh', '.'];
  return { dendro: await Dendro.start({ args, cwd: own }), folder: own };
}

const row = (page: Page, name: string) => page.getByTestId('tree-row').filter({ hasText: name });

for (const theme of ['dark', 'light'] as const) {
  test.describe(`in the ${theme} theme`, () => {
    test.use({ colorScheme: theme });

    test('a live tree', async ({ page }, info) => {
      test.skip(process.geteuid?.() !== 0, 'Only root may trace.');
      site = await startSite();
      const tree = await TreePage.open(page, site.dendro);
      await row(page, 'bash site.sh').last().click();
      await tree.grid.focus();
      await page.keyboard.press('s');
      await page.getByRole('radio', { name: /^Running/ }).check({ force: true });
      await expect(row(page, 'nginx: master')).toBeVisible();
      await expect(page.getByTestId('live-state')).toHaveText('LIVE');
      // Long enough for the strip to have something to show.
      await expect(page.getByRole('radio', { name: /^Exited \d{3,}/ })).toBeVisible({ timeout: 60_000 });
      await takePicture(page, `live-${theme}`, info);
    });

    test('the past', async ({ page }, info) => {
      await page.goto(`${evening.url}&at=${eveningNs('20:17:21')}`);
      await row(page, 'curl -fsS').last().click();
      await page.keyboard.press('Enter');
      await expect(page.getByTestId('live-state')).toHaveText('PAUSED');
      await expect(page.getByTestId('details')).toContainText('www-data');
      await takePicture(page, `past-${theme}`, info);
    });

    test('what is found, and its lineage', async ({ page }, info) => {
      const tree = await TreePage.open(page, evening);
      await tree.omnibox.fill('name:curl state:all');
      await expect(tree.rows).toHaveCount(5);
      await row(page, 'sh -c').first().click();
      await takePicture(page, `found-${theme}`, info);
      await page.keyboard.press('l');
      await expect(page.getByTestId('lineage-node').filter({ hasText: 'python3' })).toBeVisible();
      await page.keyboard.press('0');
      await takePicture(page, `lineage-${theme}`, info);
    });

    test('two instants compared', async ({ page }, info) => {
      await page.goto(`${evening.url}&at=${eveningNs('20:18:30')}&cmp=${eveningNs('20:17:22.25')}&changed=1`);
      await expect(page.getByTestId('change-counts')).toContainText('↷1');
      await takePicture(page, `compare-${theme}`, info);
    });
  });
}
