// What a machine can check of the page for people who do not see it, see it badly, or use
// no mouse: every state of it, in both themes.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { TreePage } from './helpers/tree-page.ts';

const THEMES = ['dark', 'light'] as const;
type Theme = (typeof THEMES)[number];

let dendro: Dendro;
let shell: ChildProcess;
let data: string;

test.beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'dendro-a11y-'));
  dendro = await Dendro.start({ args: ['--port', '0', '--data-dir', data] });
  shell = spawn(
    '/bin/bash',
    [
      '-c',
      '(exit 3); for i in {1..12}; do /bin/true; done; for i in 1 2 3 4 5; do sleep 600 & done; exec -a a11y-shell bash',
    ],
    {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  );
});
test.afterAll(async () => {
  process.kill(-(shell.pid ?? 0), 'SIGKILL');
  await dendro.stop();
  rmSync(data, { recursive: true });
});

/** What axe finds serious or critical, one line for each. Rules that do not ask for colours say the same in each theme. */
async function findings(page: Page, theme: Theme): Promise<string[]> {
  // What fades in has no contrast yet.
  await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => {}))));
  const axe = new AxeBuilder({ page });
  const { violations, passes } = await (theme === 'dark' ? axe : axe.withRules('color-contrast')).analyze();
  expect(passes.flatMap(({ nodes }) => nodes).length).toBeGreaterThan(0);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${failureSummary}\n${html}`));
}

/** States of the page by name, each reached from the one before it. */
const STATES: readonly (readonly [string, (page: Page, tree: TreePage) => Promise<unknown>])[] = [
  ['live', async () => {}],
  ['details', (_, tree) => tree.reveal(shell.pid)],
  ...['2', '3', '4', '5', '6', '8'].map(
    (key) => [`tab ${key}`, (page: Page, tree: TreePage) => pressOnTree(page, tree, key)] as const,
  ),
  ['suggestions', (page) => page.keyboard.press('/').then(() => page.keyboard.type('us'))],
  ['a query that is wrong', (_, tree) => tree.omnibox.fill('usr:root')],
  ['only what matches', (_, tree) => tree.filter('user:root state:all')],
  ['nothing matches', (_, tree) => tree.filter('name:=no-such-program')],
  ['commands', (_, tree) => tree.omnibox.fill('> ')],
  ['paused', (page, tree) => tree.omnibox.fill('').then(() => pressOnTree(page, tree, ' '))],
  ['compared', (page, tree) => pressOnTree(page, tree, 'a')],
  ['keys', (page, tree) => pressOnTree(page, tree, '?')],
  [
    'view menu',
    (page) => page.keyboard.press('Escape').then(() => page.locator('summary', { hasText: 'View' }).click()),
  ],
  ['hosts', (page, tree) => page.keyboard.press('Escape').then(() => pressOnTree(page, tree, 'H'))],
  ['search', foundInHistory],
  ['lineage', lineageWithAGroup],
  ['lifetimes', (page) => page.getByRole('button', { name: 'Lifetimes' }).click()],
];

async function foundInHistory(page: Page, tree: TreePage): Promise<void> {
  await page.keyboard.press('Escape');
  await tree.omnibox.fill('sleep');
  await page.keyboard.press('Alt+Enter');
  await expect(page.getByTestId('found-row').first()).toBeVisible();
}

async function lineageWithAGroup(page: Page, tree: TreePage): Promise<void> {
  await tree.omnibox.fill('');
  await page.getByRole('button', { name: 'Tree', exact: true }).click();
  await pressOnTree(page, tree, 'l');
  await expect(page.getByTestId('lineage-node').filter({ hasText: 'true ×12' })).toBeVisible();
}

async function pressOnTree(page: Page, tree: TreePage, key: string): Promise<void> {
  await tree.grid.focus();
  await page.keyboard.press(key);
}

for (const theme of THEMES) {
  test.describe(`in the ${theme} theme`, () => {
    test.use({ colorScheme: theme });

    test('nothing serious or critical is found in any state of the page', async ({ page }) => {
      test.slow();
      const tree = await TreePage.open(page, dendro);
      for (const [name, reach] of STATES) {
        await test.step(name, async () => {
          await reach(page, tree);
          expect.soft(await findings(page, theme), name).toEqual([]);
        });
      }
    });

    test('nor on a phone', async ({ page }) => {
      await page.setViewportSize({ width: 420, height: 800 });
      const tree = await TreePage.open(page, dendro);
      expect.soft(await findings(page, theme), 'tree').toEqual([]);
      await tree.reveal(shell.pid);
      expect.soft(await findings(page, theme), 'details').toEqual([]);
    });

    test('nor without a server, and for whom it does not know', async ({ page, context }) => {
      await TreePage.open(page, dendro);
      await context.setOffline(true);
      await expect(page.getByTestId('connection-state')).not.toContainText(/^connected/i);
      expect.soft(await findings(page, theme), 'disconnected').toEqual([]);
      await context.setOffline(false);
      await context.clearCookies();
      await page.goto(dendro.origin);
      await expect(page.getByRole('heading')).toBeVisible();
      expect.soft(await findings(page, theme), 'without a token').toEqual([]);
    });
  });
}
