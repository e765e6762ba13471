// The panel of the selected task: its tabs by mouse and keys, as of the instant
// that is shown, its size, and hostile values.

import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Locator, type Page, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { fetchedAhead, TreePage } from './helpers/tree-page.ts';

let dendro: Dendro;
let folder: string;
const started: ChildProcess[] = [];

test.beforeAll(async () => {
  dendro = await Dendro.start();
  folder = mkdtempSync(join(tmpdir(), 'dendro-details-'));
});
test.afterEach(() => {
  for (const { pid } of started.splice(0)) process.kill(-(pid ?? 0), 'SIGKILL');
});
test.afterAll(async () => {
  rmSync(folder, { recursive: true });
  await dendro.stop();
});

/** A program under a name of its own, in a group that is ended after the test. */
function run(name: string, of: string, args: readonly string[]): ChildProcess {
  const path = join(folder, name);
  copyFileSync(of, path);
  const child = spawn(path, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  return child;
}

const panel = (page: Page): Locator => page.getByRole('complementary', { name: 'Details' });
const tab = (page: Page, name: string): Locator => page.getByRole('tab', { name });
const content = (page: Page): Locator => page.getByRole('tabpanel');

/** Selects a process and opens its panel. */
async function open(page: Page, pid: number | undefined): Promise<TreePage> {
  const tree = await TreePage.open(page, dendro);
  await tree.reveal(pid);
  await tree.grid.focus();
  await page.keyboard.press('Enter');
  await expect(panel(page)).toBeVisible();
  return tree;
}

test('digits choose tabs from the tree, arrows among the tabs', async ({ page }) => {
  const child = run('det-tabs', '/bin/sleep', ['600']);
  const tree = await open(page, child.pid);
  const names = ['Overview', 'Command', 'Lineage', 'Threads', 'Timeline', 'Files', 'Network', 'JSON'];
  await expect(page.getByRole('tab')).toHaveText(names);
  for (const [i, name] of names.entries()) {
    await page.keyboard.press(String(i + 1));
    await expect(page.getByRole('tab', { selected: true })).toHaveText(name);
    await expect(content(page)).toHaveAccessibleName(name);
  }
  await expect(tree.grid).toBeFocused();
  await tab(page, 'JSON').focus();
  await page.keyboard.press('ArrowRight');
  await expect(tab(page, 'Overview')).toBeFocused();
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowLeft');
  await expect(tab(page, 'Network')).toHaveAttribute('aria-selected', 'true');
  await expect(page.getByRole('tab').and(page.locator('[tabindex="0"]'))).toHaveCount(1);
});

test('the address tells which tab is open, and q closes and opens the panel', async ({ page }) => {
  const child = run('det-address', '/bin/sleep', ['600']);
  await open(page, child.pid);
  await page.keyboard.press('7');
  await expect(page).toHaveURL(/[?&]tab=network(&|$)/);
  await page.reload();
  await expect(tab(page, 'Network')).toHaveAttribute('aria-selected', 'true');
  await expect(panel(page).getByRole('heading', { name: /^det-address/ })).toBeVisible();
  await page.keyboard.press('q');
  await expect(panel(page)).toHaveCount(0);
  await expect(page).not.toHaveURL(/tab=/);
  await page.keyboard.press('q');
  await expect(tab(page, 'Network')).toBeVisible();
});

test('what is not the overview is fetched once there is time, and is there without the server', async ({ page }) => {
  const scripts: string[] = [];
  page.on('request', (request) => {
    if (request.resourceType() === 'script') scripts.push(request.url());
  });
  const child = run('det-lazy', '/bin/sleep', ['600']);
  await open(page, child.pid);
  expect(scripts.join()).not.toContain('timeline-tab');
  await fetchedAhead(page);
  expect(scripts.join()).toContain('timeline-tab');
  await page.route('**/assets/**', (route) => route.abort());
  await tab(page, 'Timeline').click();
  await expect(page.getByRole('list', { name: 'Timeline' })).toBeVisible();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
});

test('the subtree, and to follow, can be had by a click too', async ({ page }) => {
  const child = run('det-actions', '/bin/sleep', ['600']);
  const tree = await open(page, child.pid);
  const alone = panel(page).getByRole('button', { name: 'Subtree alone' });
  await alone.click();
  await expect(tree.rows).toHaveCount(1);
  await expect(alone).toHaveAttribute('aria-pressed', 'true');
  await alone.click();
  await expect(tree.rows).not.toHaveCount(1);
  const follow = panel(page).getByRole('button', { name: 'Follow' });
  await follow.click();
  await expect(page.getByText(/^Following det-actions/)).toBeVisible();
  await follow.click();
  await expect(page.getByText(/^Following/)).toHaveCount(0);
});

test('a command is told argument by argument, copied as a shell reads it, with the file and all its ids', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const long = 'y'.repeat(2000);
  const child = run('det-cmd', '/bin/bash', ['-c', 'sleep 600; true', '', "it's $HOME", long, 'rtl\u202egnp']);
  await open(page, child.pid);
  await tab(page, 'Command').click();
  const list = content(page).getByRole('list');
  await expect(list.getByRole('listitem')).toHaveCount(7);
  await expect(list.getByRole('listitem').nth(3)).toContainText('empty');
  await expect(list.getByRole('listitem').nth(6)).toContainText('rtl\\u{202e}gnp');
  await expect(list).not.toContainText('\u202e');
  const longOne = list.getByRole('listitem').nth(5);
  await longOne.getByRole('button', { name: 'show all 2,000 characters' }).click();
  await expect(longOne).toContainText(long);
  await expect(content(page)).toContainText(/-rwx.{6} \(\d{3,4}\)/);
  for (const name of ['Device', 'Inode', 'Mode', 'Changed', 'SHA-256', 'Directory', 'Executable']) {
    await expect(content(page).getByText(name, { exact: true }).first()).toBeVisible();
  }
  await content(page).getByRole('button', { name: 'Copy for a shell' }).click();
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  await expect.poll(clipboard).toContain(` '' 'it'\\''s $HOME' ${long} $'rtl\\U0000202egnp'`);
  await list.getByRole('button', { name: 'Copy argument 5' }).click();
  await expect.poll(clipboard).toBe(long);
});

test('a command line that was too long to be read says how long it is', async ({ page }) => {
  const child = run('det-long', '/bin/bash', ['-c', 'sleep 600; true', 'z'.repeat(100_000)]);
  await open(page, child.pid);
  await expect(content(page).getByRole('button', { name: 'cut by the source: see Command' })).toBeVisible();
  await page.keyboard.press('2');
  await expect(content(page).getByRole('note')).toContainText(/could not read the rest.*(100,\d{3} bytes|is longer)/);
});

test('the lineage leads up, with user, time and what came between; a click selects', async ({ page }) => {
  const outer = run('det-outer', '/bin/bash', ['-c', 'sleep 600 & echo $!; wait']);
  const pid = await printed(outer);
  await open(page, pid);
  await page.keyboard.press('3');
  const crumbs = page.getByRole('list', { name: 'Lineage, eldest first' }).getByRole('listitem');
  await expect(crumbs.last()).toContainText(String(pid));
  await expect(crumbs.last()).toHaveAttribute('aria-current', 'true');
  const above = crumbs.filter({ hasText: 'det-outer' });
  await expect(above).toContainText(/\d\d:\d\d:\d\d\.\d{3}/);
  await expect(crumbs.last()).toContainText(/\+\d/);
  await above.getByRole('button').click();
  await expect(panel(page).getByRole('heading', { name: /^det-outer/ })).toBeVisible();
  await content(page)
    .getByRole('button', { name: /Open lineage/ })
    .click();
  await expect(page.getByTestId('lineage-page')).toBeVisible();
});

test('threads stand in a table; one of them is selected from it by key', async ({ page }) => {
  const script = 'import threading,time\nfor i in range(120): threading.Thread(target=time.sleep,args=(600,)).start()';
  const child = run('det-threads', '/usr/bin/python3', ['-c', script]);
  await open(page, child.pid);
  await page.keyboard.press('4');
  const table = content(page).getByRole('table');
  await expect(table.getByRole('columnheader')).toHaveText(['TID', 'Name', 'Start', 'End', 'State']);
  await expect(content(page)).toContainText('121 living threads');
  await expect(table.getByRole('row')).toHaveCount(101);
  await content(page).getByRole('button', { name: '21 more: show' }).click();
  await expect(table.getByRole('row')).toHaveCount(122);
  await table.getByRole('button').last().focus();
  await page.keyboard.press('Enter');
  await expect(table.locator('[aria-current="true"]')).toHaveCount(1);
  await expect(table.getByRole('row').last()).toHaveAttribute('aria-current', 'true');
});

test('the timeline has every value with its time; an entry leads to its instant, and the panel is as of that', async ({
  page,
}) => {
  const script = "printf first >/proc/$$/comm; sleep 0.3; printf 'sec\\tond' >/proc/$$/comm; echo; read -t 600 <> <(:)";
  const child = run('det-time', '/bin/bash', ['-c', script]);
  await printed(child);
  await open(page, child.pid);
  await page.keyboard.press('5');
  const moments = page.getByRole('list', { name: 'Timeline' }).getByRole('listitem');
  await expect(moments.first()).toContainText(/Renamed.*sec\\tond was first/);
  await expect(moments.last()).toContainText(/Started by/);
  const first = moments.filter({ hasText: /Renamed.*first was det-time/ });
  await expect(first).toContainText('kernel event');
  await first.getByRole('button').first().click();
  await expect(page.getByTestId('live-state')).toHaveText('PAUSED');
  await expect(panel(page).getByRole('heading', { name: /^first/ })).toBeVisible();
  await expect(moments.first()).toHaveClass(/is-later/);
  await expect(first.getByRole('button').first()).toHaveAttribute('aria-current', 'true');
  await content(page).getByRole('button', { name: 'Newest first' }).click();
  await expect(moments.first()).toContainText(/Started by/);
  // Before its birth there is nothing to tell, and a way to it.
  await page.getByRole('combobox', { name: 'Find, filter, command' }).fill('@-1h');
  await page.getByTestId('pause').click();
  await expect(panel(page).getByRole('heading', { name: /^sec\\tond/ })).toBeVisible();
});

test('files and connections are not made up: what would tell of them is said', async ({ page }) => {
  await open(page, process.pid);
  await page.keyboard.press('6');
  await expect(content(page).getByRole('heading')).toHaveText('No file activity is recorded');
  await expect(content(page)).toContainText('security_file_open');
  await page.keyboard.press('7');
  await expect(content(page).getByRole('heading')).toHaveText('No network activity is recorded');
});

test('the JSON is what the API answers about that instant, and can be saved', async ({ page }) => {
  const child = run('det-raw', '/bin/sleep', ['600']);
  await open(page, child.pid);
  await page.keyboard.press('Space');
  await page.keyboard.press('8');
  await expect(page).toHaveURL(/at=\d+/);
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    content(page).getByRole('button', { name: 'Download' }).click(),
  ]);
  const json = JSON.parse(readFileSync(await saved.path(), 'utf8'));
  expect(json.info).toMatchObject({ comm: 'det-raw', pid: child.pid, isAlive: true });
  expect(JSON.parse((await page.getByTestId('raw-json').textContent()) ?? '')).toEqual(json);
  const at = new URL(page.url()).searchParams.get('at');
  const answer = await dendro.get(`/api/v1/hosts/local/processes/${json.info.taskId}?at=${at}`);
  expect(await answer.json()).toEqual(json);
});

test('the panel is resized by keys and pointer, and is remembered; a drawer in a narrow window, a sheet on a phone', async ({
  page,
}) => {
  await open(page, process.pid);
  const edge = page.getByRole('separator', { name: 'Size of the panel' });
  const width = async () => Math.round((await panel(page).boundingBox())?.width ?? 0);
  const before = await width();
  await edge.focus();
  await page.keyboard.press('ArrowLeft');
  await expect.poll(width).toBe(before + 16);
  const box = (await edge.boundingBox())!;
  await page.mouse.move(box.x + 4, box.y + 200);
  await page.mouse.down();
  await page.mouse.move(box.x + 104, box.y + 220, { steps: 4 });
  await page.mouse.up();
  await expect.poll(async () => Math.abs((await width()) - (before + 16 - 100))).toBeLessThan(5);
  const dragged = await width();
  await expect(edge).toHaveAttribute('aria-valuenow', String(dragged));
  await page.reload();
  await expect.poll(width).toBe(dragged);

  await page.setViewportSize({ width: 1000, height: 800 });
  await expect(edge).toHaveAttribute('aria-orientation', 'horizontal');
  const drawer = (await panel(page).boundingBox())!;
  expect(drawer.width).toBe(1000);
  expect(drawer.y).toBeGreaterThan(300);
  await edge.focus();
  await page.keyboard.press('ArrowUp');
  await expect.poll(async () => (await panel(page).boundingBox())?.height).toBe(drawer.height + 16);

  await page.setViewportSize({ width: 420, height: 800 });
  expect(await panel(page).boundingBox()).toMatchObject({ x: 0, y: 0, width: 420, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(420);
  await page.getByRole('button', { name: /^Close/ }).click();
  await expect(panel(page)).toHaveCount(0);
});

test('while what was at an instant is fetched, the panel is dimmed and says so', async ({ page }) => {
  const recorded = await Dendro.start({ args: ['--port', '0', '--data-dir', join(folder, 'history')] });
  try {
    const child = run('det-past', '/bin/bash', ['-c', 'sleep 0.5; exec -a later sleep 600']);
    const search = `/api/v1/hosts/local/search?q=later&pid=${child.pid}`;
    await expect.poll(async () => (await recorded.get(search)).json()).toMatchObject({ total: 1 });
    await page.goto(recorded.url ?? '');
    const tree = new TreePage(page);
    await expect(tree.rows.first()).toBeVisible();
    await tree.reveal(child.pid);
    await tree.grid.focus();
    await page.keyboard.press('5');
    const answer = Promise.withResolvers<void>();
    await page.route('**/window?*', async (route) => {
      await answer.promise;
      await route.continue();
    });
    const birth = page.getByRole('list', { name: 'Timeline' }).getByRole('listitem').last();
    await birth.getByRole('button').first().click();
    await expect(panel(page)).toHaveAttribute('aria-busy', 'true');
    await expect(page.getByTestId('as-of')).toContainText('fetching what was at');
    answer.resolve();
    await expect(panel(page)).toHaveAttribute('aria-busy', 'false');
    await expect(page.getByTestId('as-of')).toContainText('as of');
    await expect(panel(page).getByRole('heading')).toContainText(String(child.pid));
  } finally {
    await recorded.stop();
  }
});

/** The number, or the empty line, that it prints first. */
async function printed(child: ChildProcess): Promise<number> {
  return new Promise((resolve) =>
    child.stdout?.setEncoding('utf8').once('data', (line: string) => resolve(Number(line))),
  );
}
