// What a person does with the tree: move, fold, filter, pause, look closer;
// and what the tree does by itself meanwhile.

import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { TreePage } from './helpers/tree-page.ts';

let dendro: Dendro;
let folder: string;
const started: ChildProcess[] = [];

test.beforeAll(async () => {
  dendro = await Dendro.start();
  folder = mkdtempSync(join(tmpdir(), 'dendro-tree-'));
});
test.afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
test.afterAll(async () => {
  rmSync(folder, { recursive: true });
  await dendro.stop();
});

/** A sleeping process under a name of its own. */
function sleeper(name: string): ChildProcess {
  const program = join(folder, name);
  copyFileSync('/bin/sleep', program);
  const child = spawn(program, ['600']);
  started.push(child);
  return child;
}

/** A shell with `count` sleeping children. */
function family(count: number): ChildProcess {
  const shell = spawn('/bin/sh', ['-c', `for i in $(seq ${count}); do sleep 600 & done; wait`], { detached: true });
  started.push(shell);
  return shell;
}

function endFamily(shell: ChildProcess): void {
  process.kill(-(shell.pid ?? 0), 'SIGKILL');
}

test('arrow keys open, close and walk the tree; * opens all below', async ({ page }) => {
  const shell = family(3);
  const tree = await TreePage.open(page, dendro);
  const row = await tree.reveal(shell.pid);
  await expect(row).toHaveAttribute('aria-expanded', 'true');
  const rows = async () => Number(await tree.grid.getAttribute('aria-rowcount'));
  const all = await rows();
  await row.click();

  await page.keyboard.press('ArrowLeft');
  await expect(row).toHaveAttribute('aria-expanded', 'false');
  await page.keyboard.press('ArrowRight');
  await expect(row).toHaveAttribute('aria-expanded', 'true');
  await page.keyboard.press('ArrowRight');
  await expect(row).toHaveAttribute('aria-selected', 'false');
  const selected = tree.grid.locator('[aria-selected="true"]');
  await expect(selected).toHaveAttribute('aria-level', String(Number(await row.getAttribute('aria-level')) + 1));
  await page.keyboard.press('ArrowLeft');
  await expect(row).toHaveAttribute('aria-selected', 'true');

  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowLeft');
  await expect.poll(rows).toBeLessThan(all - 4);
  await page.keyboard.press('*');
  await expect.poll(rows).toBeGreaterThan(all - 4);
  await page.getByRole('button', { name: 'Collapse all' }).click();
  await expect.poll(rows).toBeLessThan(all - 4);
  await page.getByRole('button', { name: 'Expand all' }).click();
  await expect.poll(rows).toBeGreaterThan(all - 4);
  endFamily(shell);
});

test('only what matches is shown on demand, with what leads to it, and Escape clears the query', async ({ page }) => {
  const child = sleeper('needle-in-hay');
  const tree = await TreePage.open(page, dendro);
  await page.keyboard.press('/');
  await page.keyboard.type('needle-in');
  await page.keyboard.press('Shift+Enter');
  await expect(tree.row(child.pid)).toBeVisible();
  await expect(tree.row(1)).toBeVisible();
  await expect(page.getByText('1 match', { exact: true })).toBeVisible();
  expect(await tree.rows.count()).toBeLessThan(15);
  await expect(page).toHaveURL(/q=needle-in/);
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('filter')).toHaveValue('');
  await tree.filter('no such thing anywhere');
  await expect(page.getByText('Nothing matches')).toBeVisible();
});

test('once a query has been found quickly, the rows of its next key are there with the key', async ({ page }) => {
  const [one, both] = [sleeper('needle-aa'), sleeper('needle-ab')];
  const tree = await TreePage.open(page, dendro);
  await page.keyboard.press('/');
  await page.keyboard.type('needle-a');
  await page.getByRole('button', { name: 'Show only what matches' }).click();
  await expect(page.getByText('2 matches', { exact: true })).toBeVisible();
  await page.getByTestId('filter').focus();
  // Before the browser paints, and before it turns to any other task; on a machine that is busy not with every key.
  await expect(async () => {
    await page.getByTestId('filter').fill('needle-a');
    await expect(page.getByText('2 matches', { exact: true })).toBeVisible();
    await page.evaluate(() => {
      globalThis.withKey = new Promise((resolve) => {
        const look = (): void => resolve(document.querySelector('.filtered')?.textContent ?? '');
        addEventListener('input', () => queueMicrotask(() => queueMicrotask(look)), { once: true });
      });
    });
    await page.keyboard.type('b');
    expect(await page.evaluate(() => globalThis.withKey)).toMatch(/^1 match\b/);
  }).toPass({ timeout: 20_000 });
  await expect(tree.row(both.pid)).toBeVisible();
  await expect(tree.row(one.pid)).toHaveCount(0);
});

test('kernel threads are hidden, counted, and shown on demand', async ({ page }) => {
  const tree = await TreePage.open(page, dendro);
  const hidden = page.getByTestId('hidden-kernel');
  await expect(hidden).toHaveText(/^\d+ kernel threads hidden · show$/);
  await expect(tree.row(2)).toHaveCount(0);
  await hidden.click();
  await tree.filter('kthreadd');
  await expect(tree.row(2)).toBeVisible();
  await expect(tree.row(2)).toContainText('[kthreadd]');
});

test('threads are shown on demand, for one process or for all', async ({ page }) => {
  const tree = await TreePage.open(page, dendro);
  // dendro itself: it has a worker and a thread pool.
  await tree.filter('apps/server/src/main.ts');
  const row = tree.row(dendro.process.pid);
  const threadRows = page.locator('[data-testid="tree-row"].is-thread');
  const button = row.getByRole('button', { name: /^\d+$/ });
  // Selected, it stays in view among all the others.
  await row.click();
  const threads = Number(await button.textContent());
  expect(threads).toBeGreaterThan(3);
  await button.click();
  await tree.reveal(dendro.process.pid);
  await expect(threadRows.first()).toBeAttached();
  const rows = async () => Number(await tree.grid.getAttribute('aria-rowcount'));
  const withOne = await rows();
  await page.getByText('View', { exact: true }).click();
  await page.getByLabel('Threads of all processes').check();
  await expect.poll(rows).toBeGreaterThan(withOne + 10);
  await page.getByLabel('Threads of all processes').uncheck();
  await expect.poll(rows).toBeLessThan(withOne + 10);
});

test('a new row is marked, a dead one stays struck out for a while and is then folded and counted', async ({
  page,
}) => {
  test.setTimeout(60_000);
  const tree = await TreePage.open(page, dendro);
  await tree.filter('short-lived');
  const child = sleeper('short-lived');
  const row = tree.row(child.pid);
  await expect(row).toHaveAttribute('data-new', 'true');
  await expect(row).not.toHaveAttribute('data-new', 'true');
  child.kill('SIGTERM');
  await expect(row).toHaveAttribute('data-state', 'exited');
  await expect(row).toHaveCount(0, { timeout: 20_000 });
  const folded = page.getByTestId('folded-exited');
  await expect(folded).toHaveText(/\d+ exited folded · show/);
  await folded.click();
  await expect(row).toHaveAttribute('data-state', 'exited');
});

test('rows stay where they are under the pointer while others come and go above them', async ({ page }) => {
  await TreePage.keepApart(page);
  const tree = await TreePage.open(page, dendro);
  const before = family(5);
  const anchor = sleeper('stays-in-place');
  // Make the list long enough to scroll, then put the anchor in the middle.
  const after = family(60);
  await expect.poll(async () => Number(await tree.grid.getAttribute('aria-rowcount'))).toBeGreaterThan(70);
  const row = await tree.reveal(anchor.pid);
  await page.locator('.tree-scroller').evaluate((element) => element.scrollBy({ top: -200 }));
  await row.hover();
  const place = async () => Math.round((await row.boundingBox())?.y ?? -1);
  const at = await place();
  expect(at).toBeGreaterThan(0);
  await page.evaluate(() => {
    // Rows that come into the page and leave it again before they can be seen.
    globalThis.inVain = 0;
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const node of addedNodes) if (!node.isConnected) globalThis.inVain++;
    }).observe(document.querySelector('.tree-rows') as Element, { childList: true });
  });

  // Five rows above go and come at once, without the pointer leaving its row.
  await tree.row(before.pid).getByRole('button', { name: 'Collapse' }).dispatchEvent('click');
  await expect(tree.row(before.pid)).toHaveAttribute('aria-expanded', 'false');
  expect(await place()).toBe(at);
  await tree.row(before.pid).getByRole('button', { name: 'Expand' }).dispatchEvent('click');
  await expect(tree.row(before.pid)).toHaveAttribute('aria-expanded', 'true');
  expect(await place()).toBe(at);
  expect(await page.evaluate(() => globalThis.inVain)).toBe(0);
  endFamily(before);
  endFamily(after);
});

test('paused, the tree stands still; live again, it has what happened meanwhile', async ({ page }) => {
  const tree = await TreePage.open(page, dendro);
  await tree.filter('while-paused');
  await page.getByTestId('pause').click();
  await expect(page.getByTestId('live-state')).toHaveText('PAUSED');
  await expect(page).toHaveURL(/at=\d{19}/);
  const version = Number(await tree.grid.getAttribute('data-version'));
  const child = sleeper('while-paused');
  await expect.poll(async () => Number(await tree.grid.getAttribute('data-version'))).toBeGreaterThan(version);
  await expect(tree.row(child.pid)).toHaveCount(0);
  await page.getByTestId('pause').click();
  await expect(page.getByTestId('live-state')).toHaveText('LIVE');
  await expect(tree.row(child.pid)).toBeVisible();
});

test('details tell everything known of a process and where it comes from', async ({ page }) => {
  const child = sleeper('looked-at');
  const tree = await TreePage.open(page, dendro);
  await tree.filter('looked-at');
  await tree.row(child.pid).click();
  await page.keyboard.press('Enter');
  const details = page.getByTestId('details');
  await expect(details).toContainText(join(folder, 'looked-at'));
  await expect(details).toContainText('600');
  await expect(details).toContainText(String(process.pid));
  await expect(details).toContainText('kernel event');
  await expect(details).toContainText('inode');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await expect(details).toHaveCount(0);
});

test('names that would break the page or lie are written out', async ({ page }) => {
  const child = sleeper('evil\n<b>\u202Egnp.exe');
  const tree = await TreePage.open(page, dendro);
  await tree.filter(String(child.pid));
  const row = tree.row(child.pid);
  await expect(row).toContainText('evil\\n<b>');
  await expect(row).not.toContainText('\u202E');
  await expect(row.locator('b')).toHaveCount(0);
});

test('nothing is refused by the policy and nothing goes wrong in the console', async ({ page }) => {
  const problems: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(dendro.origin) && !request.url().startsWith('data:')) problems.push(request.url());
  });
  const tree = await TreePage.open(page, dendro);
  await tree.row(1).click();
  await page.keyboard.press('Enter');
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  expect(problems).toEqual([]);
});

test('a narrow window keeps name, pid and status', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const tree = await TreePage.open(page, dendro);
  await expect(tree.row(1)).toBeVisible();
  for (const id of ['live-state', 'connection-state', 'event-rate', 'lost-events', 'source-name', 'filter']) {
    await expect(page.getByTestId(id)).toBeInViewport();
  }
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});

declare global {
  // In the page.
  var inVain: number;
  var withKey: Promise<string>;
}
