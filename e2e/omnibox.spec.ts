// Finding, filtering, going somewhere: what is written in the one field above
// the tree.

import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { Dendro } from './helpers/dendro.ts';
import { TreePage } from './helpers/tree-page.ts';

let dendro: Dendro;
let folder: string;
const started: ChildProcess[] = [];

test.beforeAll(async () => {
  dendro = await Dendro.start();
  folder = mkdtempSync(join(tmpdir(), 'dendro-omnibox-'));
});
test.afterEach(() => {
  for (const child of started.splice(0)) end(child);
});
test.afterAll(async () => {
  rmSync(folder, { recursive: true });
  await dendro.stop();
});

/** A process group is ended as one. */
function end(child: ChildProcess): void {
  try {
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

/** A sleeping process under a name of its own. */
function sleeper(name: string, options: { readonly uid?: number } = {}): ChildProcess {
  const program = join(folder, name);
  copyFileSync('/bin/sleep', program);
  const child = spawn(program, ['600'], { detached: true, cwd: '/', ...options });
  started.push(child);
  return child;
}

/** A shell with `count` children that sleep, and how many seconds these were told to. */
function family(count: number, seconds: number): ChildProcess {
  const script = `${`sleep ${seconds} & `.repeat(count)}wait`;
  const shell = spawn('/bin/sh', ['-c', script], { detached: true });
  started.push(shell);
  return shell;
}

const status = (page: Page) => page.getByRole('search').getByRole('status').first();

test('a field filters: by user, with what leads there dimmed, and how many rows are hidden', async ({ page }) => {
  // Its folder is not for others to see: the program is opened before the user is changed.
  const child = spawn('setpriv', ['--reuid=65534', '--clear-groups', '/bin/sleep', '600'], { detached: true });
  started.push(child);
  const tree = await TreePage.open(page, dendro);
  await tree.omnibox.pressSequentially('user:nob');
  await expect(page.getByRole('option', { name: 'nobody' })).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(tree.omnibox).toHaveValue('user:nobody ');
  const row = tree.row(child.pid);
  await expect(row).toBeVisible();
  await expect(tree.row(1)).toHaveClass(/is-dimmed/);
  await expect(row).not.toHaveClass(/is-dimmed/);
  for (const user of await tree.rows.locator('.cell-user').allTextContents()) {
    expect(['nobody', 'root']).toContain(user);
  }
  await expect(page.getByTestId('hidden-rows')).toHaveText(/^[1-9][\d,]* hidden$/);
  await tree.omnibox.fill('!user:nobody');
  await expect(row).toHaveCount(0);
  await expect(page).toHaveURL(/q=%21user%3Anobody/);
});

test('under: is what is below a process; a range of exit codes brings back what has long been folded', async ({
  page,
}) => {
  const shell = family(3, 701);
  const tree = await TreePage.open(page, dendro);
  await tree.omnibox.fill(`under:${shell.pid}`);
  await expect(status(page)).toHaveText('3 matches');
  await expect(tree.row(shell.pid)).toHaveClass(/is-dimmed/);

  spawn('/bin/sh', ['-c', 'exit 77']);
  await tree.omnibox.fill('exit:70..80 state:exited');
  await expect(tree.rows.filter({ hasText: 'exited 77' })).toBeVisible();
});

test('a mistake is told with its place and a suggestion, and changes nothing', async ({ page }) => {
  const child = sleeper('holds-still');
  const tree = await TreePage.open(page, dendro);
  await tree.omnibox.fill('name:holds-still');
  await expect(status(page)).toHaveText('1 match');
  const problem = page.getByText('Not a regular expression: missing closing ): `foo(`');
  await tree.omnibox.fill('name:holds-still cmd:/foo(/');
  await expect(problem).toBeVisible();
  await expect(tree.omnibox).toHaveAttribute('aria-invalid', 'true');
  await expect(tree.row(child.pid)).toBeVisible();

  await tree.omnibox.fill('nmae:holds-still');
  await expect(page.getByText('There is no field nmae: did you mean name:?')).toBeVisible();
  await expect(tree.row(child.pid)).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(tree.omnibox).toHaveValue('name:holds-still');
  await expect(tree.omnibox).toHaveAttribute('aria-invalid', 'false');

  // It would keep a backtracking matcher for ever.
  const slow = 'cmd:/^(([a-z\\/.])+.)+[A-Z]([a-z])+$/';
  await tree.omnibox.fill(`ppid:${process.pid} (${slow} | name:/^holds-(st|x)ill$/)`);
  await expect(status(page)).toHaveText(/match/);
  await expect(tree.row(child.pid)).toBeVisible();
});

test('a regular expression that is being written empties no tree; a name that nobody has leads to the program', async ({
  page,
}) => {
  const program = join(folder, 'prog-of-it');
  copyFileSync('/bin/bash', program);
  const child = spawn(program, ['-c', 'echo other-name > /proc/self/comm; read -r _'], { detached: true, cwd: '/' });
  started.push(child);
  const tree = await TreePage.open(page, dendro);
  await tree.omnibox.fill('name:other-name');
  await expect(status(page)).toHaveText('1 match');
  await tree.omnibox.pressSequentially(' cmd:/prog[');
  await expect(page.getByText('A regular expression ends with another /.')).toBeVisible();
  await expect(tree.row(child.pid)).toBeVisible();
  await tree.omnibox.pressSequentially('-]of/');
  await expect(status(page)).toHaveText('1 match');

  await tree.omnibox.fill('name:prog-of-it');
  await expect(status(page)).toHaveText('0 matches');
  await page.getByRole('button', { name: 'try exe:prog-of-it' }).click();
  await expect(tree.row(child.pid)).toBeVisible();
});

test('plain text finds: nothing is hidden, and n and N lead through what is folded', async ({ page }) => {
  const [first, second] = [family(2, 702), family(1, 702)];
  const tree = await TreePage.open(page, dendro);
  await tree.reveal(first.pid);
  await page.getByRole('button', { name: 'Collapse all' }).click();
  const rows = Number(await tree.grid.getAttribute('aria-rowcount'));
  await page.keyboard.press('/');
  await page.keyboard.type('"sleep 702"');
  await expect(status(page)).toHaveText('1 of 5 matches');
  await expect(page.getByText('5 found')).toBeVisible();
  await expect(tree.row(first.pid)).toHaveCount(0);
  expect(Number(await tree.grid.getAttribute('aria-rowcount'))).toBeLessThanOrEqual(rows + 1);

  await page.keyboard.press('Enter');
  await expect(status(page)).toHaveText('1 of 5 matches');
  await expect(tree.row(first.pid)).toHaveAttribute('aria-selected', 'true');
  await expect(tree.row(first.pid)).toBeInViewport();
  await expect(tree.row(first.pid).locator('mark')).toHaveText('sleep 702');
  for (const place of [2, 3, 4]) {
    await page.keyboard.press('n');
    await expect(status(page)).toHaveText(`${place} of 5 matches`);
  }
  await expect(tree.row(second.pid)).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('n');
  await page.keyboard.press('n');
  await expect(status(page)).toHaveText('1 of 5 matches');
  await page.keyboard.press('N');
  await expect(status(page)).toHaveText('5 of 5 matches');

  // Entered so fast that it has not been looked for yet.
  await tree.omnibox.fill('"sleep 702 & sleep 702"');
  await page.keyboard.press('Enter');
  await expect(status(page)).toHaveText('1 of 1 match');
  await expect(tree.row(first.pid)).toHaveAttribute('aria-selected', 'true');

  const selected = page.locator('[aria-selected="true"][role="row"]');
  await page.keyboard.press('Escape');
  await expect(tree.omnibox).toHaveValue('');
  await expect(selected).toBeInViewport();
});

test('a subtree is shown alone, says so, and is left by its breadcrumb; the address leads there', async ({ page }) => {
  const shell = family(2, 703);
  const tree = await TreePage.open(page, dendro);
  await tree.reveal(shell.pid);
  await tree.grid.focus();
  await page.keyboard.press('s');
  const crumbs = page.getByRole('navigation', { name: 'Subtree that is shown' });
  await expect(crumbs).toContainText(String(shell.pid));
  await expect(tree.rows).toHaveCount(3);
  await expect(tree.row(1)).toHaveCount(0);
  await expect(tree.row(shell.pid)).toHaveAttribute('aria-level', '1');
  await expect(page).toHaveURL(/scope=\d+/);

  const again = await page.context().newPage();
  await again.goto(page.url());
  await expect(again.getByRole('navigation', { name: 'Subtree that is shown' })).toContainText(String(shell.pid));
  await again.close();

  await crumbs.getByRole('button', { name: 'Show the whole tree' }).click();
  await expect(crumbs).toHaveCount(0);
  await expect(tree.row(shell.pid)).toBeInViewport();
  await expect(tree.row(shell.pid)).toHaveAttribute('aria-selected', 'true');
});

test('commands are found by some of their letters, and leave the query alone', async ({ page }) => {
  const tree = await TreePage.open(page, dendro);
  await tree.omnibox.fill('sleep');
  await page.keyboard.press('Control+k');
  await expect(tree.omnibox).toBeFocused();
  await expect(tree.omnibox).toHaveValue('>');
  await expect(page.getByRole('option', { name: 'Pause Space' })).toBeVisible();
  await page.keyboard.type('kern');
  await expect(page.getByRole('option').first()).toHaveText('Show kernel threads');
  await expect(tree.omnibox).toHaveAttribute('aria-activedescendant', 'omnibox-option-0');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('hidden-kernel')).toHaveText('hide kernel threads');
  await expect(tree.omnibox).toHaveValue('sleep');
  await expect(tree.grid).toBeFocused();

  await page.keyboard.press('>');
  await page.keyboard.type('theme dark');
  await page.keyboard.press('Enter');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.keyboard.press('Control+k');
  await page.keyboard.press('Escape');
  await expect(tree.omnibox).toHaveValue('sleep');
});

test('@ goes to a process whatever hides it, and to an instant that is known', async ({ page }) => {
  const shell = family(1, 704);
  const tree = await TreePage.open(page, dendro);
  await tree.reveal(shell.pid);
  await page.getByRole('button', { name: 'Collapse all' }).click();
  await tree.omnibox.fill('name:nothing-has-this-name');
  await expect(page.getByText('Nothing matches')).toBeVisible();
  await tree.omnibox.fill(`@${shell.pid}`);
  await expect(page.getByRole('option', { name: `Process ${shell.pid}, sh` })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(tree.row(shell.pid)).toHaveAttribute('aria-selected', 'true');
  await expect(tree.row(shell.pid)).toBeInViewport();
  await expect(tree.omnibox).toHaveValue('');

  await tree.omnibox.fill('@4194303');
  await expect(page.getByText('No process 4194303 is known at this instant')).toBeVisible();
  await tree.omnibox.fill('@-9d');
  await expect(page.getByText(/^That is too long ago: known is \d{4}-\d\d-\d\d \d\d:\d\d:\d\d to /)).toBeVisible();
  await tree.omnibox.fill('@2099-01-01T00:00:00Z');
  await expect(page.getByText(/^That is in the future/)).toBeVisible();
  await tree.omnibox.fill('@-1s');
  await expect(page.getByRole('option', { name: 'Pause at' })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('live-state')).toHaveText('PAUSED');
  await page.keyboard.press('>');
  await page.keyboard.type('go to a pro');
  await page.keyboard.press('Enter');
  await expect(tree.omnibox).toHaveValue('@');
  await expect(tree.omnibox).toBeFocused();
  await page.keyboard.type('live');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('live-state')).toHaveText('LIVE');
});

test('what was asked is offered again', async ({ page }) => {
  const tree = await TreePage.open(page, dendro);
  await tree.omnibox.fill('user:root age:>1s');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  const recent = page.getByRole('option', { name: 'user:root age:>1s asked before' });
  await expect(recent).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await expect(recent).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  await expect(tree.omnibox).toHaveValue('user:root age:>1s');
  await expect(page.getByTestId('hidden-rows')).toBeVisible();
});
