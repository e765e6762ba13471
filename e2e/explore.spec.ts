// What the tree tells at a glance, and how a person chooses what it shows: real
// processes, a real server, a real browser.

import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { TreePage } from './helpers/tree-page.ts';

const isRoot = process.geteuid?.() === 0;
let dendro: Dendro;
let folder: string;
const started: ChildProcess[] = [];

test.beforeAll(async () => {
  dendro = await Dendro.start();
  folder = mkdtempSync(join(tmpdir(), 'dendro-explore-'));
});
test.afterEach(() => {
  for (const { pid } of started.splice(0)) {
    try {
      process.kill(-(pid ?? 0), 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
});
test.afterAll(async () => {
  rmSync(folder, { recursive: true });
  await dendro.stop();
});

/** A sleeping program under a name of its own. */
function program(name: string): string {
  const path = join(folder, name);
  copyFileSync('/bin/sleep', path);
  return path;
}

/** A shell that runs a script, in a group of its own that is ended after the test. */
function shell(script: string, options: { readonly uid?: number } = {}): ChildProcess {
  const child = spawn('/bin/bash', ['-c', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  });
  started.push(child);
  return child;
}

/** The number that the script prints first. */
async function printed(child: ChildProcess): Promise<number> {
  return new Promise((resolve) =>
    child.stdout?.setEncoding('utf8').once('data', (line: string) => resolve(Number(line))),
  );
}

const group = (page: Page, name: string) => page.getByRole('row', { name: new RegExp(`${name}.*processes alike`) });
const chip = (page: Page, name: string) => page.getByRole('radio', { name: new RegExp(`^${name} `) });

test('ancestors of what is at the top are held there, and a click leads to them', async ({ page }) => {
  const many = shell('for i in $(seq 60); do sleep 600 & done; wait');
  const tree = await TreePage.open(page, dendro);
  await tree.reveal(many.pid);
  // Alike as they are, they would be one row.
  await page.getByText('View', { exact: true }).click();
  await page.getByLabel('Siblings that are alike in one row').uncheck();
  await page.keyboard.press('Escape');
  await expect.poll(async () => Number(await tree.grid.getAttribute('aria-rowcount'))).toBeGreaterThan(60);
  await expect(tree.row(many.pid)).toBeVisible();
  await tree.grid.evaluate((grid, pid) => {
    const row = grid.querySelector<HTMLElement>(`[data-pid="${pid}"]`);
    grid.scrollTop += (row?.getBoundingClientRect().top ?? 0) - grid.getBoundingClientRect().top + 200;
  }, many.pid);
  const held = page.getByTestId('sticky-lines');
  const line = held.locator('.tree-row', { hasText: 'for i in' });
  await expect(line).toBeVisible();
  // The copy is not read out: the row itself is, once.
  await expect(held).toHaveAttribute('aria-hidden', 'true');
  await expect(held.getByRole('row')).toHaveCount(0);
  expect(await held.locator('.tree-row').count()).toBeLessThanOrEqual(4);
  await line.click();
  await expect(tree.row(many.pid)).toBeInViewport();
  await expect(tree.row(many.pid)).toHaveAttribute('aria-selected', 'true');
});

test('a folded row says how many live below it, and that some failed', async ({ page }) => {
  const parent = shell(`sleep 600 & sleep 600 & bash -c 'exit 3'; sh -c 'kill -SEGV $$'; sleep 600; true`);
  const tree = await TreePage.open(page, dendro);
  const row = await tree.reveal(parent.pid);
  await tree.grid.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(row).toHaveAttribute('aria-expanded', 'false');
  await expect(row.getByText('+3', { exact: true })).toBeVisible();
  await expect(row).toContainText('2 killed or failed');
  await expect(row.getByTitle('1 ended by a signal, 1 ended with a code other than 0')).toBeVisible();
});

test('four alike siblings are one row that opens by key; who is selected stands beside it', async ({ page }) => {
  const alike = program('alike-worker');
  const parent = shell(`for i in $(seq 5); do '${alike}' 600 & done; wait`);
  const tree = await TreePage.open(page, dendro);
  await tree.reveal(parent.pid);
  const row = group(page, 'alike-worker');
  await expect(row).toContainText('×5');
  await expect(row).toHaveAttribute('aria-expanded', 'false');
  await row.click();
  await expect(row).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('ArrowRight');
  await expect(row).toHaveAttribute('aria-expanded', 'true');
  const members = tree.rows.filter({ hasText: 'alike-worker 600' });
  await expect(members).toHaveCount(5);
  await expect(members.first()).toHaveAttribute('aria-level', String(Number(await row.getAttribute('aria-level')) + 1));
  await page.keyboard.press('ArrowRight');
  await expect(members.first()).toHaveAttribute('aria-selected', 'true');
  // Closed, it has the other four: the selected one is not put away.
  await row.getByRole('button', { name: 'Collapse' }).click();
  await expect(row).toContainText('×4');
  await expect(members).toHaveCount(1);
  await page.getByText('View', { exact: true }).click();
  await page.getByLabel('Siblings that are alike in one row').uncheck();
  await expect(members).toHaveCount(5);
  await expect(row).toHaveCount(0);
});

test('each life is a bar against the strip of time; in a narrow window there is no room for it', async ({ page }) => {
  const child = shell('sleep 600');
  const tree = await TreePage.open(page, dendro);
  const row = await tree.reveal(child.pid);
  await expect(page.getByRole('columnheader', { name: /^Lifetime/ })).toBeVisible();
  await expect(row.getByText(/^since /)).toBeAttached();
  await expect(page.getByTestId('life-playhead')).toBeAttached();
  const bar = await row.locator('.life').boundingBox();
  const cell = await row.locator('.cell-life').boundingBox();
  expect(bar!.x).toBeGreaterThan(cell!.x + cell!.width / 2);
  expect(bar!.x + bar!.width).toBeLessThanOrEqual(cell!.x + cell!.width + 1);
  await page.setViewportSize({ width: 1090, height: 900 });
  await expect(page.getByRole('columnheader', { name: /^Lifetime/ })).toHaveCount(0);
});

test('columns and density are chosen by keyboard, stand in the address and are remembered', async ({ page }) => {
  const tree = await TreePage.open(page, dendro);
  const menu = page.locator('summary', { hasText: 'View' });
  await menu.focus();
  await page.keyboard.press('Enter');
  await page.getByLabel('Working directory').focus();
  await page.keyboard.press('Space');
  await page.getByRole('checkbox', { name: 'Lifetime' }).focus();
  await page.keyboard.press('Space');
  await page.getByRole('combobox', { name: /^Rows/ }).selectOption('compact');
  await page.keyboard.press('Escape');
  await expect(menu).toBeFocused();
  await expect(page.getByRole('columnheader', { name: 'Directory' })).toBeVisible();
  await expect(page).toHaveURL(/cols=pid,threads,user,cwd,started,state&density=compact/);
  expect((await tree.rows.first().boundingBox())?.height).toBe(20);
  await page.goto(`${dendro.origin}/`);
  await expect(page.getByRole('columnheader', { name: 'Directory' })).toBeVisible();
  expect((await tree.rows.first().boundingBox())?.height).toBe(20);
  // What the address says comes before what is remembered.
  await page.goto(`${dendro.origin}/?cols=pid,age&density=comfortable`);
  await expect(page.getByRole('columnheader')).toHaveText(['Process', 'PID', 'Age']);
  expect((await tree.rows.first().boundingBox())?.height).toBe(26);
});

test('a process is followed, and once it has ended its parent is', async ({ page }) => {
  const parent = shell(`'${program('to-follow')}' 600 & echo $!; sleep 600; true`);
  const pid = await printed(parent);
  const tree = await TreePage.open(page, dendro);
  await tree.reveal(pid);
  await tree.grid.focus();
  await page.keyboard.press('F');
  const banner = page.getByRole('status').filter({ hasText: 'Following' });
  await expect(banner).toHaveText(`Following to-follow [${pid}]`);
  // It is kept in view, whatever is scrolled, folded or selected.
  await page.keyboard.press('Home');
  await page.getByRole('button', { name: 'Collapse all' }).click();
  await expect(tree.row(pid)).toBeInViewport();
  process.kill(pid, 'SIGKILL');
  await expect(banner).toContainText(`Following bash [${parent.pid}]: to-follow [${pid}] ended (SIGKILL)`);
  await expect(tree.row(parent.pid)).toBeInViewport();
  await page.getByRole('button', { name: /Stop following/ }).click();
  await expect(banner).toHaveCount(0);
});

test('chips keep what they say and count it', async ({ page }) => {
  const ended = shell('exit 0');
  const living = shell('sleep 600');
  const tree = await TreePage.open(page, dendro);
  await tree.filter(String(living.pid));
  await expect(tree.row(living.pid)).toBeVisible();
  await chip(page, 'Exited').check({ force: true });
  await expect(page).toHaveURL(/show=exited/);
  await tree.filter(String(ended.pid));
  await expect(tree.row(ended.pid)).toHaveAttribute('data-state', 'exited');
  await tree.filter(String(living.pid));
  await expect(tree.row(living.pid)).toHaveCount(0);
  await chip(page, 'New').check({ force: true });
  await expect(tree.row(living.pid)).toBeVisible();
  const count = async (name: string) =>
    Number((await chip(page, name).locator('..').locator('.chip-count').textContent())?.replace(/,/g, ''));
  await expect.poll(async () => (await count('Running')) > 0 && (await count('New')) > 0).toBe(true);
  expect(await count('Running')).toBeLessThanOrEqual(await count('All'));
});

test('badges tell another user, a program without a file and a bad end, in words too', async ({ page }) => {
  test.skip(!isRoot, 'only root can run programs as another user');
  const gone = program('without-a-file');
  const parent = shell(`'${gone}' 600 & echo $!; sleep 600`);
  const pid = await printed(parent);
  const other = spawn('sleep', ['600'], { uid: 65534, detached: true });
  started.push(other);
  const failed = shell('exit 3');
  unlinkSync(gone);
  const tree = await TreePage.open(page, dendro);
  await tree.filter(String(other.pid));
  await expect(
    tree.row(other.pid).getByRole('img', { name: /^Has the rights of nobody, its parent those of root$/ }),
  ).toBeVisible();
  await tree.filter(String(failed.pid));
  await expect(tree.row(failed.pid).getByRole('img', { name: 'It exited 3' })).toBeVisible();
  await tree.filter(String(pid));
  await expect(tree.row(pid)).toBeVisible();
});

test('who was left by its parent says under whom it was', async ({ page }) => {
  const parent = shell('( sleep 0.2; exec sleep 600 ) & echo $!; exit 0');
  const pid = await printed(parent);
  const tree = await TreePage.open(page, dendro);
  await tree.filter(String(pid));
  await expect(tree.row(pid)).toContainText(`was under bash [${parent.pid}]`);
});

test('Dendro itself is marked, and left out with its count', async ({ page }) => {
  const tree = await TreePage.open(page, dendro);
  await tree.filter(String(dendro.process.pid));
  const row = tree.row(dendro.process.pid);
  await expect(row.getByText('Dendro', { exact: true })).toBeVisible();
  await page.getByRole('button', { name: /^hide Dendro \(\d\)$/ }).click();
  await expect(row).toHaveCount(0);
  await page.getByRole('button', { name: /of Dendro hidden · show$/ }).click();
  await expect(row).toBeVisible();
});

test('however many rows there are, no more than a hundred are in the page', async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 3000 });
  shell('for i in $(seq 150); do bash -c "sleep 600; true" & done; wait');
  const tree = await TreePage.open(page, dendro);
  await page.getByText('View', { exact: true }).click();
  await page.getByLabel('Siblings that are alike in one row').uncheck();
  await page.keyboard.press('Escape');
  await expect.poll(async () => Number(await tree.grid.getAttribute('aria-rowcount'))).toBeGreaterThan(300);
  for (const top of [0, 1000, 2500, 5000]) {
    await tree.grid.evaluate((grid, top) => grid.scrollTo(0, top), top);
    expect(await page.locator('.tree-row').count()).toBeLessThanOrEqual(100);
  }
});
